#include "CTermState.h"

#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

void cterm_wake(void) {
    uint64_t one = 1;
    if (cterm_term.wake_fd >= 0) (void)!write(cterm_term.wake_fd, &one, sizeof one);
}

int cterm_wait(int timeout_ms) {
    struct pollfd fds[2] = {{.fd = cterm_term.in_fd, .events = POLLIN}, {.fd = cterm_term.wake_fd, .events = POLLIN}};
    int count = poll(fds, 2, timeout_ms);
    int result = 0;
    if (count > 0 && (fds[1].revents & POLLIN)) {
        uint64_t ignored;
        (void)!read(cterm_term.wake_fd, &ignored, sizeof ignored);
        result |= 2;
    }
    if (cterm_was_resized) {
        cterm_was_resized = 0;
        result |= 4;
    }
    if (cterm_was_hung_up) result |= 8;
    if (count > 0 && (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))) result |= 8;
    if (count > 0 && (fds[0].revents & POLLIN)) {
        int waiting = 0;
        /* Readable with nothing to read is the end of the terminal. */
        if (ioctl(cterm_term.in_fd, FIONREAD, &waiting) == 0 && waiting == 0)
            result |= 8;
        else
            result |= 1;
    }
    return result;
}

/* One character of a mouse report, with patience for a sequence that arrives in pieces. */
static int next_character(void) {
    for (int tries = 0; tries < 3; tries++) {
        wint_t character;
        int kind = wget_wch(stdscr, &character);
        if (kind == OK) return (int)character;
        if (kind != ERR) return -1;
        struct pollfd one = {.fd = cterm_term.in_fd, .events = POLLIN};
        if (poll(&one, 1, 120) <= 0) return -1;
    }
    return -1;
}

/* After ESC [ <: `button;column;row` and M (pressed) or m (released). */
static void read_mouse(cterm_event *event) {
    int numbers[3] = {0, 0, 0}, index = 0;
    event->kind = CTERM_NONE;
    for (int length = 0; length < 24; length++) {
        int character = next_character();
        if (character >= '0' && character <= '9') {
            if (numbers[index] < 100000) numbers[index] = numbers[index] * 10 + (character - '0');
        } else if (character == ';' && index < 2) {
            index++;
        } else if ((character == 'M' || character == 'm') && index == 2) {
            event->kind = CTERM_MOUSE;
            event->code = numbers[0];
            event->x = numbers[1] - 1;
            event->y = numbers[2] - 1;
            event->released = character == 'm';
            return;
        } else {
            return;
        }
    }
}

static int special_key(wint_t code) {
    switch (code) {
    case KEY_UP: return CTERM_KEY_UP;
    case KEY_DOWN: return CTERM_KEY_DOWN;
    case KEY_LEFT: return CTERM_KEY_LEFT;
    case KEY_RIGHT: return CTERM_KEY_RIGHT;
    case KEY_HOME: case KEY_A1: return CTERM_KEY_HOME;
    case KEY_END: case KEY_C1: return CTERM_KEY_END;
    case KEY_PPAGE: case KEY_A3: return CTERM_KEY_PAGE_UP;
    case KEY_NPAGE: case KEY_C3: return CTERM_KEY_PAGE_DOWN;
    case KEY_BACKSPACE: return CTERM_KEY_BACKSPACE;
    case KEY_DC: return CTERM_KEY_DELETE;
    case KEY_IC: return CTERM_KEY_INSERT;
    case KEY_BTAB: return CTERM_KEY_BACK_TAB;
    case KEY_ENTER: return CTERM_KEY_ENTER;
    default: break;
    }
    if (code >= KEY_F(1) && code <= KEY_F(12)) return CTERM_KEY_F1 + (int)(code - KEY_F(1));
    return CTERM_KEY_OTHER;
}

void cterm_key(cterm_event *event) {
    memset(event, 0, sizeof *event);
    wint_t character;
    int kind;
    do {
        kind = wget_wch(stdscr, &character);
    } while (kind == KEY_CODE_YES && character == KEY_RESIZE);
    if (kind == ERR) return;
    if (kind == KEY_CODE_YES && character == MOUSE_PREFIX) {
        read_mouse(event);
    } else if (kind == KEY_CODE_YES) {
        event->kind = CTERM_SPECIAL;
        event->code = special_key(character);
    } else {
        event->kind = CTERM_CHAR;
        event->code = (int32_t)character;
    }
}

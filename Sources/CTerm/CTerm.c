#include "CTerm.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

/* term.h defines hundreds of lower-case macros; two declarations are all that is needed of it. */
extern int tigetflag(const char *);
extern char *tigetstr(const char *);

#define MOUSE_PREFIX 0x2000
#define MAX_CELLS 1024

static struct {
    SCREEN *screen;
    FILE *in, *out;
    int in_fd, out_fd, wake_fd;
    int mouse, synchronized;
    struct termios saved;
    int has_saved;
    char restore[256];
    size_t restore_length;
} term = {.wake_fd = -1, .in_fd = -1, .out_fd = -1};

static volatile sig_atomic_t is_up, was_resized, was_hung_up;

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGTERM, SIGINT, SIGQUIT};
#define CRASH_COUNT (sizeof crash_signals / sizeof *crash_signals)
static struct sigaction crash_before[CRASH_COUNT], winch_before, hup_before;
static int crash_installed[CRASH_COUNT];

static const char mouse_on[] = "\033[?1000h\033[?1002h\033[?1006h";
static const char mouse_off[] = "\033[?1006l\033[?1002l\033[?1000l";

static int write_all(int fd, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(fd, bytes, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return -1;
        bytes += written;
        count -= (size_t)written;
    }
    return 0;
}

/* MARK: signals */

/* Only write and tcsetattr: both are async-signal-safe. */
static void restore_now(void) {
    if (!is_up) return;
    is_up = 0;
    (void)!write(term.out_fd, term.restore, term.restore_length);
    if (term.has_saved) tcsetattr(term.in_fd, TCSANOW, &term.saved);
}

static void on_crash(int number) {
    int saved_errno = errno;
    restore_now();
    for (size_t i = 0; i < CRASH_COUNT; i++)
        if (crash_signals[i] == number) sigaction(number, &crash_before[i], NULL);
    /* Blocked while this handler runs, so it reaches the handler before us (or the default) on return. */
    raise(number);
    errno = saved_errno;
}

static void on_event(int number) {
    int saved_errno = errno;
    if (number == SIGWINCH) was_resized = 1;
    if (number == SIGHUP) was_hung_up = 1;
    cterm_wake();
    errno = saved_errno;
}

static void install_signals(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_event;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGWINCH, &action, &winch_before);
    sigaction(SIGHUP, &action, &hup_before);
    action.sa_handler = on_crash;
    action.sa_flags = SA_ONSTACK;
    for (size_t i = 0; i < CRASH_COUNT; i++) {
        int number = crash_signals[i];
        int is_request = number == SIGTERM || number == SIGINT || number == SIGQUIT;
        crash_installed[i] = 0;
        if (sigaction(number, NULL, &crash_before[i]) != 0) continue;
        /* A request to end that the program handles itself (ignored for a dispatch source, or a handler) stays with it. */
        if (is_request && crash_before[i].sa_handler != SIG_DFL) continue;
        crash_installed[i] = sigaction(number, &action, NULL) == 0;
    }
}

static void remove_signals(void) {
    sigaction(SIGWINCH, &winch_before, NULL);
    /* A terminal that went away hangs up again when its descriptors close: the broker must outlive that too. */
    if (was_hung_up)
        signal(SIGHUP, SIG_IGN);
    else
        sigaction(SIGHUP, &hup_before, NULL);
    for (size_t i = 0; i < CRASH_COUNT; i++)
        if (crash_installed[i]) sigaction(crash_signals[i], &crash_before[i], NULL);
}

/* MARK: open and close */

int cterm_locale_is_utf8(void) {
    const char *all = getenv("LC_ALL"), *type = getenv("LC_CTYPE"), *lang = getenv("LANG");
    int is_unset = !(all && *all) && !(type && *type) && !(lang && *lang);
    const char *set = setlocale(LC_CTYPE, is_unset ? "C.UTF-8" : "");
    if (!set) setlocale(LC_CTYPE, "C");
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void append_restore(const char *bytes) {
    if (!bytes || bytes == (char *)-1) return;
    /* Padding ($<5>) is not for write(2); no terminal of this century needs it. */
    while (*bytes && term.restore_length < sizeof term.restore) {
        const char *end;
        if (bytes[0] == '$' && bytes[1] == '<' && (end = strchr(bytes, '>'))) {
            bytes = end + 1;
            continue;
        }
        term.restore[term.restore_length++] = *bytes++;
    }
}

static void prepare_restore(void) {
    term.restore_length = 0;
    if (term.synchronized) append_restore("\033[?2026l");
    if (term.mouse) append_restore(mouse_off);
    append_restore(tigetstr("sgr0"));
    append_restore(tigetstr("op"));
    append_restore(tigetstr("rmkx"));
    append_restore(tigetstr("cnorm"));
    append_restore(tigetstr("rmcup"));
}

static void prepare_modes(void) {
    raw();
    noecho();
    nonl();
    curs_set(0);
    set_escdelay(40);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    leaveok(stdscr, TRUE);
    scrollok(stdscr, FALSE);
    idlok(stdscr, FALSE);
}

int cterm_open(const char *name, int in_fd, int out_fd, int mouse, int synchronized, cterm_info *info) {
    if (term.screen) return errno = EBUSY, -1;
    if (!isatty(in_fd) || !isatty(out_fd)) return errno = ENOTTY, -1;
    term.has_saved = tcgetattr(in_fd, &term.saved) == 0;
    term.in_fd = dup(in_fd);
    term.out_fd = dup(out_fd);
    if (term.wake_fd < 0) term.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    term.in = fdopen(dup(in_fd), "r");
    term.out = fdopen(dup(out_fd), "w");
    term.mouse = mouse;
    term.synchronized = synchronized;
    if (term.in_fd < 0 || term.out_fd < 0 || term.wake_fd < 0 || !term.in || !term.out) return cterm_close(), errno = EMFILE, -1;
    was_resized = was_hung_up = 0;
    prctl(PR_SET_NAME, "console");
    install_signals();
    term.screen = newterm(name, term.out, term.in);
    if (!term.screen) {
        remove_signals();
        cterm_close();
        return errno = ENOENT, -1;
    }
    prepare_restore();
    prepare_modes();
    is_up = 1;
    info->colours = info->pairs = info->direct = 0;
    if (has_colors() && start_color() == OK) {
        use_default_colors();
        info->colours = COLORS;
        info->pairs = COLOR_PAIRS;
        info->direct = tigetflag("RGB") > 0;
    }
    if (mouse) {
        define_key("\033[<", MOUSE_PREFIX);
        (void)write_all(term.out_fd, mouse_on, sizeof mouse_on - 1);
    }
    cterm_resize(&info->rows, &info->columns);
    return 0;
}

void cterm_close(void) {
    if (term.screen) {
        if (is_up) {
            if (term.mouse) (void)write_all(term.out_fd, mouse_off, sizeof mouse_off - 1);
            endwin();
            is_up = 0;
            if (term.has_saved) tcsetattr(term.in_fd, TCSANOW, &term.saved);
        }
        remove_signals();
        delscreen(term.screen);
        term.screen = NULL;
    }
    if (term.in) fclose(term.in);
    if (term.out) fclose(term.out);
    term.in = term.out = NULL;
    if (term.in_fd >= 0) close(term.in_fd);
    if (term.out_fd >= 0) close(term.out_fd);
    term.in_fd = term.out_fd = -1;
    /* The eventfd stays open for a late wake-up from another thread. */
}

/* MARK: waiting and keys */

void cterm_wake(void) {
    uint64_t one = 1;
    if (term.wake_fd >= 0) (void)!write(term.wake_fd, &one, sizeof one);
}

int cterm_wait(int timeout_ms) {
    struct pollfd fds[2] = {{.fd = term.in_fd, .events = POLLIN}, {.fd = term.wake_fd, .events = POLLIN}};
    int count = poll(fds, 2, timeout_ms);
    int result = 0;
    if (count > 0 && (fds[1].revents & POLLIN)) {
        uint64_t ignored;
        (void)!read(term.wake_fd, &ignored, sizeof ignored);
        result |= 2;
    }
    if (was_resized) {
        was_resized = 0;
        result |= 4;
    }
    if (was_hung_up) result |= 8;
    if (count > 0 && (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))) result |= 8;
    if (count > 0 && (fds[0].revents & POLLIN)) {
        int waiting = 0;
        /* Readable with nothing to read is the end of the terminal. */
        if (ioctl(term.in_fd, FIONREAD, &waiting) == 0 && waiting == 0)
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
        struct pollfd one = {.fd = term.in_fd, .events = POLLIN};
        if (poll(&one, 1, 50) <= 0) return -1;
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

/* MARK: drawing */

int cterm_size(int fd, int32_t *rows, int32_t *columns) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return -1;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}

void cterm_resize(int32_t *rows, int32_t *columns) {
    int32_t new_rows, new_columns;
    if (cterm_size(term.out_fd, &new_rows, &new_columns) == 0) resizeterm(new_rows, new_columns);
    *rows = LINES;
    *columns = COLS;
}

int cterm_pair(int32_t pair, int32_t foreground, int32_t background) {
    return init_extended_pair(pair, foreground < 0 ? -1 : foreground, background < 0 ? -1 : background) == OK ? 0 : -1;
}

static attr_t attributes_of(int32_t bits) {
    attr_t result = A_NORMAL;
    if (bits & CTERM_BOLD) result |= A_BOLD;
    if (bits & CTERM_DIM) result |= A_DIM;
    if (bits & CTERM_ITALIC) result |= A_ITALIC;
    if (bits & CTERM_UNDERLINE) result |= A_UNDERLINE;
    if (bits & CTERM_REVERSE) result |= A_REVERSE;
    return result;
}

void cterm_put(int row, int column, const cterm_cell *cells, size_t count) {
    cchar_t run[MAX_CELLS];
    if (count > MAX_CELLS) count = MAX_CELLS;
    for (size_t i = 0; i < count; i++) {
        wchar_t text[3] = {(wchar_t)cells[i].scalar, (wchar_t)cells[i].mark, 0};
        int pair = cells[i].pair;
        setcchar(&run[i], text, attributes_of(cells[i].attributes), (short)(pair < 32767 ? pair : 0), &pair);
    }
    mvwadd_wchnstr(stdscr, row, column, run, (int)count);
}

void cterm_redraw(void) { clearok(stdscr, TRUE); }

int cterm_flush(void) {
    if (was_hung_up) return -1;
    if (term.synchronized && write_all(term.out_fd, "\033[?2026h", 8) != 0) return -1;
    wnoutrefresh(stdscr);
    doupdate();
    if (term.synchronized && write_all(term.out_fd, "\033[?2026l", 8) != 0) return -1;
    return 0;
}

int cterm_write(const char *bytes, size_t count) { return write_all(term.out_fd, bytes, count); }

void cterm_suspend(void) {
    if (term.mouse) (void)write_all(term.out_fd, mouse_off, sizeof mouse_off - 1);
    endwin();
    is_up = 0;
    kill(0, SIGTSTP);
    is_up = 1;
    if (term.mouse) (void)write_all(term.out_fd, mouse_on, sizeof mouse_on - 1);
    clearok(stdscr, TRUE);
    was_resized = 1;
    cterm_wake();
}

int cterm_errno(void) { return errno; }

int cterm_is_terminal(int fd) { return isatty(fd); }

int32_t cterm_utc_offset(int64_t ms) {
    time_t seconds = (time_t)(ms / 1000);
    struct tm local;
    return localtime_r(&seconds, &local) ? (int32_t)local.tm_gmtoff : 0;
}

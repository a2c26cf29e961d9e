#include "CTermCapabilities.h"
#include "CTermState.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#define MAX_CELLS 1024

struct cterm_state cterm_term = {.wake_fd = -1, .in_fd = -1, .out_fd = -1};

static const char mouse_on[] = "\033[?1000h\033[?1002h\033[?1006h";
static const char mouse_off[] = "\033[?1006l\033[?1002l\033[?1000l";

int cterm_write_all(int fd, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(fd, bytes, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return -1;
        bytes += written;
        count -= (size_t)written;
    }
    return 0;
}


/* MARK: open and close */

int cterm_locale_is_utf8(void) {
    const char *all = getenv("LC_ALL"), *type = getenv("LC_CTYPE"), *lang = getenv("LANG");
    int is_unset = !(all && *all) && !(type && *type) && !(lang && *lang);
    if (!setlocale(LC_CTYPE, is_unset ? "C.UTF-8" : "")) setlocale(LC_CTYPE, "C");
    int is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    /* In other locales only ASCII is drawn, which is UTF-8 as well. ncurses believing in UTF-8 then keeps it from "repeat the last
       character" (REP), which xterm has and much that calls itself xterm-256color has not. */
    if (!is_utf8) setlocale(LC_CTYPE, "C.UTF-8");
    return is_utf8;
}

static void append_restore(const char *bytes) {
    if (!bytes) return;
    /* Padding ($<5>) is not for write(2); no terminal of this century needs it. */
    while (*bytes && cterm_term.restore_length < sizeof cterm_term.restore) {
        const char *end;
        if (bytes[0] == '$' && bytes[1] == '<' && (end = strchr(bytes, '>'))) {
            bytes = end + 1;
            continue;
        }
        cterm_term.restore[cterm_term.restore_length++] = *bytes++;
    }
}

static void prepare_restore(void) {
    cterm_term.restore_length = 0;
    if (cterm_term.synchronized) append_restore("\033[?2026l");
    if (cterm_term.mouse) append_restore(mouse_off);
    const char *sequences[CTERM_RESTORE_SEQUENCES];
    size_t count = cterm_restore_sequences(sequences);
    for (size_t i = 0; i < count; i++) append_restore(sequences[i]);
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
    if (cterm_term.screen) return errno = EBUSY, -1;
    if (!isatty(in_fd) || !isatty(out_fd)) return errno = ENOTTY, -1;
    cterm_term.has_saved = tcgetattr(in_fd, &cterm_term.saved) == 0;
    cterm_term.in_fd = dup(in_fd);
    cterm_term.out_fd = dup(out_fd);
    if (cterm_term.wake_fd < 0) cterm_term.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    cterm_term.in = fdopen(dup(in_fd), "r");
    cterm_term.out = fdopen(dup(out_fd), "w");
    cterm_term.mouse = mouse;
    cterm_term.synchronized = synchronized;
    int is_ready = cterm_term.in_fd >= 0 && cterm_term.out_fd >= 0 && cterm_term.wake_fd >= 0 && cterm_term.in && cterm_term.out;
    if (!is_ready) return cterm_close(), errno = EMFILE, -1;
    cterm_was_resized = cterm_was_hung_up = 0;
    prctl(PR_SET_NAME, "console");
    cterm_install_signals();
    cterm_term.screen = newterm(name, cterm_term.out, cterm_term.in);
    if (!cterm_term.screen) {
        cterm_remove_signals();
        cterm_close();
        return errno = ENOENT, -1;
    }
    if (!cterm_can_move()) {
        /* newterm changed the terminal's modes already. */
        cterm_term.mouse = 0;
        cterm_is_up = 1;
        cterm_close();
        return errno = ENOTSUP, -1;
    }
    prepare_restore();
    prepare_modes();
    cterm_is_up = 1;
    info->colours = info->pairs = info->direct = 0;
    if (has_colors() && start_color() == OK) {
        use_default_colors();
        info->colours = COLORS;
        info->pairs = COLOR_PAIRS;
        info->direct = cterm_is_direct();
    }
    if (mouse) {
        /* terminfo may bind the same bytes to KEY_MOUSE, and a string has one meaning only. */
        define_key(NULL, KEY_MOUSE);
        define_key("\033[<", MOUSE_PREFIX);
        (void)cterm_write_all(cterm_term.out_fd, mouse_on, sizeof mouse_on - 1);
    }
    cterm_resize(&info->rows, &info->columns);
    return 0;
}

void cterm_close(void) {
    if (cterm_term.screen) {
        if (cterm_is_up) {
            if (cterm_term.mouse) (void)cterm_write_all(cterm_term.out_fd, mouse_off, sizeof mouse_off - 1);
            endwin();
            cterm_is_up = 0;
            if (cterm_term.has_saved) tcsetattr(cterm_term.in_fd, TCSANOW, &cterm_term.saved);
        }
        cterm_remove_signals();
        delscreen(cterm_term.screen);
        cterm_term.screen = NULL;
    }
    if (cterm_term.in) fclose(cterm_term.in);
    if (cterm_term.out) fclose(cterm_term.out);
    cterm_term.in = cterm_term.out = NULL;
    if (cterm_term.in_fd >= 0) close(cterm_term.in_fd);
    if (cterm_term.out_fd >= 0) close(cterm_term.out_fd);
    cterm_term.in_fd = cterm_term.out_fd = -1;
    /* The eventfd stays open for a late wake-up from another thread. */
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
    if (cterm_size(cterm_term.out_fd, &new_rows, &new_columns) == 0) resizeterm(new_rows, new_columns);
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
    if (cterm_was_hung_up) return -1;
    if (cterm_term.synchronized && cterm_write_all(cterm_term.out_fd, "\033[?2026h", 8) != 0) return -1;
    wnoutrefresh(stdscr);
    doupdate();
    if (cterm_term.synchronized && cterm_write_all(cterm_term.out_fd, "\033[?2026l", 8) != 0) return -1;
    return 0;
}

int cterm_write(const char *bytes, size_t count) { return cterm_write_all(cterm_term.out_fd, bytes, count); }

void cterm_suspend(void) {
    if (cterm_term.mouse) (void)cterm_write_all(cterm_term.out_fd, mouse_off, sizeof mouse_off - 1);
    endwin();
    cterm_is_up = 0;
    kill(0, SIGTSTP);
    cterm_is_up = 1;
    if (cterm_term.mouse) (void)cterm_write_all(cterm_term.out_fd, mouse_on, sizeof mouse_on - 1);
    clearok(stdscr, TRUE);
    cterm_was_resized = 1;
    cterm_wake();
}

int cterm_errno(void) { return errno; }

int cterm_is_terminal(int fd) { return isatty(fd); }

int32_t cterm_utc_offset(int64_t ms) {
    time_t seconds = (time_t)(ms / 1000);
    struct tm local;
    return localtime_r(&seconds, &local) ? (int32_t)local.tm_gmtoff : 0;
}

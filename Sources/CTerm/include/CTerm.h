#ifndef CTERM_H
#define CTERM_H

#include <stddef.h>
#include <stdint.h>

/* A small face over ncursesw for Swift. This header never includes curses.h, whose macros Swift cannot import.
   One terminal per process, used from one thread only; `cterm_wake` and the signal handlers are the exceptions. */

/* Attribute bits of a cell. */
enum { CTERM_BOLD = 1, CTERM_DIM = 2, CTERM_ITALIC = 4, CTERM_UNDERLINE = 8, CTERM_REVERSE = 16 };

/* What cterm_key found. */
enum {
    CTERM_NONE = 0,  /* nothing to read */
    CTERM_CHAR = 1,  /* `code` is a Unicode scalar, control characters included */
    CTERM_SPECIAL = 2, /* `code` is one of CTERM_KEY_… */
    CTERM_MOUSE = 3, /* `code` is the SGR button, x and y count from 0, `released` is 1 for m */
};
enum {
    CTERM_KEY_UP = 1, CTERM_KEY_DOWN, CTERM_KEY_LEFT, CTERM_KEY_RIGHT, CTERM_KEY_HOME, CTERM_KEY_END, CTERM_KEY_PAGE_UP,
    CTERM_KEY_PAGE_DOWN, CTERM_KEY_BACKSPACE, CTERM_KEY_DELETE, CTERM_KEY_INSERT, CTERM_KEY_BACK_TAB, CTERM_KEY_ENTER,
    CTERM_KEY_OTHER, CTERM_KEY_F1 = 101 /* F1…F12 are 101…112 */
};

typedef struct {
    int32_t kind, code, x, y, released;
} cterm_event;

typedef struct {
    int32_t rows, columns;
    int32_t colours;    /* what terminfo says; 0 or less: none */
    int32_t pairs;      /* colour pairs that may be defined */
    int32_t direct;     /* 1: a colour number is 0xRRGGBB */
} cterm_info;

/* A cell to draw: a scalar, at most one combining scalar (0: none), pair and attributes. */
typedef struct {
    uint32_t scalar, mark;
    int32_t pair, attributes;
} cterm_cell;

/* 1 when the environment's locale is UTF-8. With no LC_ALL, LC_CTYPE or LANG set at all C.UTF-8 is taken where it
   exists; an explicit C or POSIX is obeyed. Sets LC_CTYPE. */
int cterm_locale_is_utf8(void);

/* Takes the terminal: full screen, raw keys, no echo. `term` is a terminfo name. 0, or -1 with errno (ENOTTY: not a terminal;
   ENOENT: no such terminfo entry;
   ENOTSUP: the terminal cannot move its cursor). Installs SIGWINCH and SIGHUP handlers that wake cterm_wait, and crash handlers that
   restore the terminal and pass the signal on. */
int cterm_open(const char *term, int in_fd, int out_fd, int mouse, int synchronized, cterm_info *info);

/* errno of this thread, which Swift cannot read reliably after other calls. */
int cterm_errno(void);

/* Gives the terminal back as it was found. Safe to call twice. */
void cterm_close(void);

/* Waits until a key, a wake-up, a resize or `timeout_ms` (-1: for ever). Returns bits: 1 key, 2 woken, 4 resized, 8 terminal lost. */
int cterm_wait(int timeout_ms);

/* Makes cterm_wait return; from any thread, and from signal handlers. */
void cterm_wake(void);

/* The next key without waiting. */
void cterm_key(cterm_event *event);

/* Takes over the terminal's present size. */
void cterm_resize(int32_t *rows, int32_t *columns);

/* Defines a colour pair; colours below 0 are the terminal's own. 0, or -1. */
int cterm_pair(int32_t pair, int32_t foreground, int32_t background);

/* Puts `count` cells at row and column; a wide cell counts as one here and is followed by no filler. */
void cterm_put(int row, int column, const cterm_cell *cells, size_t count);

/* Forgets what is on the screen, so that the next flush draws everything. */
void cterm_redraw(void);

/* Sends what changed. 0, or -1 when the terminal is gone. */
int cterm_flush(void);

/* Writes bytes to the terminal as they are (OSC 52, bell). 0, or -1. */
int cterm_write(const char *bytes, size_t count);

/* Leaves full-screen mode, stops the process group as ^Z does, and comes back when continued. */
void cterm_suspend(void);

/* 1 when `fd` is a terminal. */
int cterm_is_terminal(int fd);

/* Columns and rows of the terminal at `fd`. 0, or -1. */
int cterm_size(int fd, int32_t *rows, int32_t *columns);

/* Seconds east of Greenwich at a wall time, by the process's time zone. */
int32_t cterm_utc_offset(int64_t ms);

#endif

#ifndef CTERM_STATE_H
#define CTERM_STATE_H

/* What the parts of CTerm share; not visible outside. */

#include "CTerm.h"

#include <curses.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>

/* The key code that stands for the start of an SGR mouse report. */
#define MOUSE_PREFIX 0x2000

struct cterm_state {
    SCREEN *screen;
    FILE *in, *out;
    int in_fd, out_fd, wake_fd;
    int mouse, synchronized;
    struct termios saved;
    int has_saved;
    /* What gives the terminal back, ready for write(2) in a signal handler. */
    char restore[256];
    size_t restore_length;
};

extern struct cterm_state cterm_term;
/* Set while the terminal is taken. */
extern volatile sig_atomic_t cterm_is_up;
/* Set by SIGWINCH and SIGHUP. */
extern volatile sig_atomic_t cterm_was_resized, cterm_was_hung_up;

int cterm_write_all(int fd, const char *bytes, size_t count);
void cterm_install_signals(void);
void cterm_remove_signals(void);

#endif

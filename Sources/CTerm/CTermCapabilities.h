#ifndef CTERM_CAPABILITIES_H
#define CTERM_CAPABILITIES_H

#include <stddef.h>

/* What terminfo says about the terminal that newterm opened. */

/* 1 when the cursor can be moved: without that there is no screen to draw. */
int cterm_can_move(void);

/* 1 when a colour number is 0xRRGGBB. */
int cterm_is_direct(void);

#define CTERM_RESTORE_SEQUENCES 5

/* What gives the terminal back, in order; NULL where there is no such sequence. */
size_t cterm_restore_sequences(const char *sequences[CTERM_RESTORE_SEQUENCES]);

#endif

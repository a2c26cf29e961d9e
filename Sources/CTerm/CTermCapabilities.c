/* term.h defines hundreds of lower-case macros; this is the only file that sees them. */

#include <curses.h>
#include <term.h>

#include "CTermCapabilities.h"

int cterm_can_move(void) { return cursor_address != NULL; }

int cterm_is_direct(void) { return tigetflag("RGB") > 0; }

size_t cterm_restore_sequences(const char *sequences[CTERM_RESTORE_SEQUENCES]) {
    sequences[0] = exit_attribute_mode;
    sequences[1] = orig_pair;
    sequences[2] = keypad_local;
    sequences[3] = cursor_normal;
    sequences[4] = exit_ca_mode;
    return CTERM_RESTORE_SEQUENCES;
}

#ifndef WEIR_NCURSES_IS_INSTALLED_H
#define WEIR_NCURSES_IS_INSTALLED_H
/* Only CTerm includes curses itself; this module exists so that SwiftPM names the missing apt package. */
#endif

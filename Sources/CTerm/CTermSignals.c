#include "CTermState.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

volatile sig_atomic_t cterm_is_up, cterm_was_resized, cterm_was_hung_up;

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGTERM, SIGINT, SIGQUIT};
#define CRASH_COUNT (sizeof crash_signals / sizeof *crash_signals)
static struct sigaction crash_before[CRASH_COUNT], winch_before, hup_before;
static int crash_installed[CRASH_COUNT];

/* Only write and tcsetattr: both are async-signal-safe. */
static void restore_now(void) {
    if (!cterm_is_up) return;
    cterm_is_up = 0;
    (void)!write(cterm_term.out_fd, cterm_term.restore, cterm_term.restore_length);
    if (cterm_term.has_saved) tcsetattr(cterm_term.in_fd, TCSANOW, &cterm_term.saved);
}

static void on_crash(int number, siginfo_t *info, void *context) {
    (void)context;
    int saved_errno = errno;
    restore_now();
    for (size_t i = 0; i < CRASH_COUNT; i++)
        if (crash_signals[i] == number) sigaction(number, &crash_before[i], NULL);
    /* A fault happens again when this returns, with its own address for the handler before us; a signal that was sent has
       to be sent again, and waits until this handler is done. */
    if (info->si_code <= 0 || number == SIGABRT) raise(number);
    errno = saved_errno;
}

static void on_event(int number) {
    int saved_errno = errno;
    if (number == SIGWINCH) cterm_was_resized = 1;
    if (number == SIGHUP) cterm_was_hung_up = 1;
    cterm_wake();
    errno = saved_errno;
}

void cterm_install_signals(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_event;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGWINCH, &action, &winch_before);
    sigaction(SIGHUP, &action, &hup_before);
    action.sa_sigaction = on_crash;
    action.sa_flags = SA_ONSTACK | SA_SIGINFO;
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

void cterm_remove_signals(void) {
    sigaction(SIGWINCH, &winch_before, NULL);
    /* A terminal that went away hangs up again when its descriptors close: the broker must outlive that too. */
    if (cterm_was_hung_up)
        signal(SIGHUP, SIG_IGN);
    else
        sigaction(SIGHUP, &hup_before, NULL);
    for (size_t i = 0; i < CRASH_COUNT; i++)
        if (crash_installed[i]) sigaction(crash_signals[i], &crash_before[i], NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "client/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static const int forwarded[] = {SIGINT,  SIGTERM,  SIGHUP,  SIGQUIT, SIGUSR1,
                                SIGUSR2, SIGWINCH, SIGCONT, SIGTSTP};
/* What ends a process by itself: the terminal must not stay raw. */
static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM, SIGXCPU, SIGSYS};

static int pipe_in = -1;
static struct tty *restored;

static void on_forwarded(int signo)
{
    const unsigned char byte = (unsigned char)signo;
    int saved = errno;

    /* Full: some hundred signals are waiting already, and one more says nothing new. */
    if (write(pipe_in, &byte, 1) < 0) {
        errno = saved;
    }
    errno = saved;
}

static void on_fatal(int signo)
{
    tty_restore(restored);
    (void)raise(signo);
}

enum cordon_err signals_catch(struct tty *tty, int *ret_fd, struct cordon_fault *fault)
{
    struct sigaction action = {.sa_handler = on_forwarded};
    struct sigaction before;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return fault_os(fault, errno, NULL, "pipe");
    }
    restored = tty;
    pipe_in = ends[1];
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++) {
        if (sigaction(forwarded[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
            (void)sigaction(forwarded[i], &action, NULL);
        }
    }
    action.sa_handler = on_fatal;
    action.sa_flags = (int)SA_RESETHAND | SA_NODEFER;
    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++) {
        (void)sigaction(fatal[i], &action, NULL);
    }
    /* A terminal or a pipe that is gone shows as an error of write(). */
    action.sa_handler = SIG_IGN;
    action.sa_flags = 0;
    (void)sigaction(SIGPIPE, &action, NULL);
    *ret_fd = ends[0];
    return CORDON_OK;
}

void signals_stop_self(bool group)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    struct sigaction ours;

    (void)sigemptyset(&standard.sa_mask);
    (void)sigaction(SIGTSTP, &standard, &ours);
    (void)kill(group ? 0 : getpid(), SIGTSTP);
    (void)sigaction(SIGTSTP, &ours, NULL);
}

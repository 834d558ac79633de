/* SPDX-License-Identifier: Apache-2.0 */
#include "client/tty.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* The modes that raw mode took away; a process has one terminal. */
static struct termios saved;

/* Standard input is written to where it is the only terminal and open for that. */
static int output_of(const bool stream[3])
{
    if (stream[1]) {
        return 1;
    }
    if (stream[2]) {
        return 2;
    }
    if (!stream[0]) {
        return -1;
    }
    if ((fcntl(0, F_GETFL) & O_ACCMODE) == O_RDWR) {
        return 0;
    }
    return open("/dev/tty", O_WRONLY | O_CLOEXEC | O_NOCTTY);
}

void tty_find(struct tty *ret_tty)
{
    *ret_tty = (struct tty){.in = -1, .out = -1};
    for (int fd = 0; fd < 3; fd++) {
        ret_tty->stream[fd] = isatty(fd) == 1;
    }
    ret_tty->in = ret_tty->stream[0] ? 0 : -1;
    ret_tty->out = output_of(ret_tty->stream);
}

static int any_fd(const struct tty *tty)
{
    return tty->in >= 0 ? tty->in : tty->out;
}

void tty_size(const struct tty *tty, uint16_t *ret_rows, uint16_t *ret_cols)
{
    struct winsize size = {0};

    *ret_rows = 0;
    *ret_cols = 0;
    if (any_fd(tty) >= 0 && ioctl(any_fd(tty), TIOCGWINSZ, &size) == 0) {
        *ret_rows = size.ws_row;
        *ret_cols = size.ws_col;
    }
}

void tty_copy_size(const struct tty *tty, int pty)
{
    struct winsize size;

    if (ioctl(any_fd(tty), TIOCGWINSZ, &size) == 0) {
        (void)ioctl(pty, TIOCSWINSZ, &size);
    }
}

bool tty_foreground(const struct tty *tty)
{
    return tty->in >= 0 && tcgetpgrp(tty->in) == getpgrp();
}

/* What cannot be read does not ignore it: that is how programs start. */
static bool ignores_stop(pid_t pid)
{
    static const char key[] = "\nSigIgn:";
    char text[4096];
    const char *found;
    ssize_t len = -1;
    int fd;

    (void)snprintf(text, sizeof(text), "/proc/%d/status", (int)pid);
    fd = open(text, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        len = read(fd, text, sizeof(text) - 1);
        (void)close(fd);
    }
    text[len > 0 ? len : 0] = '\0';
    found = strstr(text, key);
    return found != NULL && (strtoull(found + strlen(key), NULL, 16) >> (SIGTSTP - 1) & 1U) != 0;
}

size_t tty_suspend_key(int pty, const char *typed, size_t len)
{
    struct termios modes;
    const char *key;
    pid_t group;

    if (tcgetattr(pty, &modes) != 0 || (modes.c_lflag & ISIG) == 0 ||
        modes.c_cc[VSUSP] == _POSIX_VDISABLE) {
        return len;
    }
    key = memchr(typed, modes.c_cc[VSUSP], len);
    if (key == NULL) {
        return len;
    }
    group = tcgetpgrp(pty);
    if (group <= 0 || group != tcgetsid(pty) || ignores_stop(group)) {
        return len;
    }
    return (size_t)(key - typed);
}

void tty_raw(struct tty *tty)
{
    struct termios modes;

    if (tty->raw || !tty_foreground(tty) || tcgetattr(tty->in, &saved) != 0) {
        return;
    }
    modes = saved;
    cfmakeraw(&modes);
    tty->raw = true;
    if (tcsetattr(tty->in, TCSADRAIN, &modes) != 0) {
        tty->raw = false;
    }
}

/*
 * In the background the terminal is another's: changing it would stop us, and
 * the shell put its own modes back when it took the terminal.
 */
void tty_restore(struct tty *tty)
{
    if (tty->raw && tty_foreground(tty)) {
        (void)tcsetattr(tty->in, TCSADRAIN, &saved);
    }
    tty->raw = false;
}

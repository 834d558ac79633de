/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/linux/init/init.h"

static unsigned long long mask_of(const char *status, const char *key)
{
    const char *found = strstr(status, key);

    return found == NULL ? 0 : strtoull(found + strlen(key), NULL, 16);
}

/* What cannot be read does not: that is how programs start. */
static bool handles_stop(pid_t pid)
{
    char text[4096];
    ssize_t len = -1;
    int fd;

    (void)snprintf(text, sizeof(text), "/proc/%d/status", (int)pid);
    fd = open(text, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        len = read(fd, text, sizeof(text) - 1);
        (void)close(fd);
    }
    text[len > 0 ? len : 0] = '\0';
    return ((mask_of(text, "\nSigCgt:") | mask_of(text, "\nSigIgn:")) >> (SIGTSTP - 1) & 1U) != 0;
}

void init_pass_signal(pid_t command, int signo)
{
    if (signo == SIGCONT) {
        (void)kill(-command, SIGCONT);
    } else if (signo == SIGTSTP && !handles_stop(command)) {
        (void)kill(-command, SIGSTOP);
    } else {
        (void)kill(command, signo);
    }
}

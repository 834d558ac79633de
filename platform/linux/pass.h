/* SPDX-License-Identifier: Apache-2.0 */
/* A datagram with descriptors beside it, between the supervisor, cordon-init and cordon-index. */
#ifndef CORDON_LINUX_PASS_H
#define CORDON_LINUX_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PASS_MAX 16U

struct pass {
    int fds[PASS_MAX]; /* whoever received them owns them */
    size_t count;
    bool is_cut; /* there were more, which the kernel kept back */
};

/* To be sent: one descriptor. */
#define PASS_ONE(fd) (&(const struct pass){.fds = {fd}, .count = 1})

void pass_close(const struct pass *pass);
/* Does not wait; the descriptors stay the caller's. False: there is no room, or nobody is there. */
bool pass_send(int socket, const void *data, size_t len, const struct pass *pass);
/* As recvmsg(2) with @flags, but that it goes on after a signal; what comes is close-on-exec. */
ssize_t pass_receive(int socket, void *data, size_t size, int flags, struct pass *ret_pass);

#endif

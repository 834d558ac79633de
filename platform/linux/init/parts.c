/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the job is comes as one message. It may have come before this process began, or long after:
 * then this one was started ahead, and knows nothing of a job until then (blank.h).
 */
#include "platform/linux/init/init.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/linux/pass.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4U
#endif

bool parts_begin(void)
{
    for (int fd = INIT_FD_ORDER; fd < INIT_FD_COUNT; fd++) {
        if (dup3(0, fd, O_CLOEXEC) < 0) {
            return false;
        }
    }
    return syscall(SYS_close_range, (unsigned)INIT_FD_CHANNEL, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

bool parts_are_due(void)
{
    struct pollfd channel = {.fd = INIT_FD_CHANNEL, .events = POLLIN};

    return poll(&channel, 1, 0) != 0;
}

enum cordon_err parts_take(struct init *init)
{
    struct init_parts parts;
    struct pass pass;
    const bool is_blank = !parts_are_due();

    if (is_blank) {
        const char word = INIT_WAITS;

        (void)prctl(PR_SET_NAME, "cordon-blank", 0, 0, 0); /* for who looks what runs */
        (void)send(INIT_FD_CHANNEL, &word, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (pass_receive(INIT_FD_CHANNEL, &parts, sizeof(parts), 0, &pass) != (ssize_t)sizeof(parts) ||
        parts.magic != INIT_PARTS_MAGIC || pass.count != INIT_FD_COUNT - INIT_FD_ORDER) {
        return fault_set(&init->fault, CORDON_E_CLOSED, NULL, "the broker is gone");
    }
    for (size_t i = 0; i < pass.count; i++) {
        if (dup3(pass.fds[i], INIT_FD_ORDER + (int)i, O_CLOEXEC) < 0) {
            return fault_set(&init->fault, CORDON_E_OS, NULL, "cannot take what the job is");
        }
    }
    pass_close(&pass);
    if (is_blank) {
        (void)prctl(PR_SET_NAME, "cordon-init", 0, 0, 0);
    }
    init->ahead = parts.ahead != 0;
    return CORDON_OK;
}

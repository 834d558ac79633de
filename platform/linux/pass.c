/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/pass.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(PASS_MAX * sizeof(int))];
};

void pass_close(const struct pass *pass)
{
    for (size_t i = 0; i < pass->count; i++) {
        (void)close(pass->fds[i]);
    }
}

bool pass_send(int socket, const void *data, size_t len, const struct pass *pass)
{
    union control control;
    struct iovec part = {(void *)(uintptr_t)data, len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (pass->count > 0) {
        memset(&control, 0, sizeof(control));
        control.head.cmsg_len = (socklen_t)CMSG_LEN(pass->count * sizeof(int));
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        memcpy(CMSG_DATA(&control.head), pass->fds, pass->count * sizeof(int));
        message.msg_control = &control;
        message.msg_controllen = (socklen_t)CMSG_SPACE(pass->count * sizeof(int));
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

ssize_t pass_receive(int socket, void *data, size_t size, int flags, struct pass *ret_pass)
{
    union control control;
    struct iovec part = {data, size};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    const struct cmsghdr *head;
    ssize_t len;

    do {
        len = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    } while (len < 0 && errno == EINTR);
    head = len < 0 ? NULL : CMSG_FIRSTHDR(&message);
    ret_pass->count = 0;
    ret_pass->is_cut = len >= 0 && (message.msg_flags & MSG_CTRUNC) != 0;
    if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) {
        ret_pass->count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(ret_pass->fds, CMSG_DATA(head), ret_pass->count * sizeof(int));
    }
    return len;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "platform/host.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define SEALS_NEEDED (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

union control {
    struct cmsghdr align;
    char space[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
};

enum cordon_err ipc_pair(int ret_fds[2], struct cordon_fault *fault)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) != 0) {
        return fault_os(fault, errno, NULL, "cannot make a channel");
    }
    return CORDON_OK;
}

static enum cordon_err from_errno(int code)
{
    static const struct {
        int code;
        enum cordon_err err;
    } rows[] = {{EAGAIN, CORDON_E_AGAIN},  {EINTR, CORDON_E_AGAIN},
                {ENOBUFS, CORDON_E_AGAIN}, {ECONNRESET, CORDON_E_CLOSED},
                {EPIPE, CORDON_E_CLOSED},  {ENOTCONN, CORDON_E_CLOSED}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].code == code) {
            return rows[i].err;
        }
    }
    return CORDON_E_OS;
}

enum cordon_err ipc_send(int channel, const struct ipc_message *message, const int *fds,
                         size_t fd_count)
{
    struct ipc_message copy = *message;
    struct iovec iov = {&copy, sizeof(copy)};
    struct msghdr head = {.msg_iov = &iov, .msg_iovlen = 1};
    union control control;

    if (fd_count > IPC_FDS_MAX) {
        return CORDON_E_LIMIT;
    }
    copy.magic = IPC_MAGIC;
    copy.version = IPC_VERSION;
    if (fd_count > 0) {
        struct cmsghdr *cmsg = &control.align;

        memset(&control, 0, sizeof(control));
        head.msg_control = control.space;
        head.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(cmsg), fds, fd_count * sizeof(int));
    }
    if (sendmsg(channel, &head, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        return from_errno(errno);
    }
    return CORDON_OK;
}

/* Every descriptor that came, even in control data that is cut short. */
static void take_fds(struct msghdr *head, struct ipc_packet *packet)
{
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(head); cmsg != NULL; cmsg = CMSG_NXTHDR(head, cmsg)) {
        size_t count;

        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
            if (packet->fd_count < IPC_FDS_MAX) {
                packet->fds[packet->fd_count++] = fd;
            } else {
                host_close_foreign(fd);
            }
        }
    }
}

enum cordon_err ipc_recv(int channel, struct ipc_packet *ret_packet)
{
    struct iovec iov = {&ret_packet->message, sizeof(ret_packet->message)};
    union control control;
    struct msghdr head = {.msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = control.space,
                          .msg_controllen = sizeof(control.space)};
    const struct ipc_message *message = &ret_packet->message;
    ssize_t len;

    ret_packet->fd_count = 0;
    len = recvmsg(channel, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (len < 0) {
        return from_errno(errno);
    }
    take_fds(&head, ret_packet);
    if (len == 0 && ret_packet->fd_count == 0) {
        return CORDON_E_CLOSED;
    }
    if ((size_t)len != sizeof(*message) || (head.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
        message->magic != IPC_MAGIC || message->version != IPC_VERSION) {
        ipc_packet_close(ret_packet);
        return CORDON_E_PROTO;
    }
    return CORDON_OK;
}

void ipc_packet_close(struct ipc_packet *packet)
{
    for (size_t i = 0; i < packet->fd_count; i++) {
        host_close_foreign(packet->fds[i]);
    }
    packet->fd_count = 0;
}

/* Kernels before 6.3 do not know MFD_NOEXEC_SEAL; some later ones insist on it. */
static int memfd_new(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL) {
        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    }
    return fd;
}

static bool write_all(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t done = write(fd, at, len);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return false;
        }
        at += done;
        len -= (size_t)done;
    }
    return true;
}

enum cordon_err ipc_memfd(const char *name, const void *data, size_t len, int *ret_fd,
                          struct cordon_fault *fault)
{
    int fd = memfd_new(name);
    enum cordon_err err;

    if (fd < 0) {
        return fault_os(fault, errno, NULL, "cannot make a memory file");
    }
    if (!write_all(fd, data, len) || fcntl(fd, F_ADD_SEALS, SEALS_NEEDED | F_SEAL_SEAL) != 0) {
        err = fault_os(fault, errno, NULL, "cannot fill a memory file");
        (void)close(fd);
        return err;
    }
    *ret_fd = fd;
    return CORDON_OK;
}

/*
 * Reading a mapping must never fault: so no hole that a limit on memory could
 * leave unfilled, and no huge page that may not be there; both cannot change
 * once the file is sealed.
 */
static bool is_solid(int fd, const struct stat *st)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC && S_ISREG(st->st_mode) &&
           st->st_blocks >= (st->st_size + 511) / 512;
}

enum cordon_err ipc_map(int fd, size_t max, const void **ret_data, size_t *ret_len,
                        struct cordon_fault *fault)
{
    int seals = fcntl(fd, F_GET_SEALS);
    struct stat st;
    void *data;

    if (seals < 0 || (seals & SEALS_NEEDED) != SEALS_NEEDED) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "memory file: not sealed");
    }
    if (fstat(fd, &st) != 0) {
        return fault_os(fault, errno, NULL, "memory file: cannot be examined");
    }
    if (st.st_size <= 0 || !is_solid(fd, &st)) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "memory file: empty or with holes");
    }
    if ((uint64_t)st.st_size > max) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "memory file: larger than %zu bytes", max);
    }
    data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
        return fault_os(fault, errno, NULL, "memory file: cannot be mapped");
    }
    *ret_data = data;
    *ret_len = (size_t)st.st_size;
    return CORDON_OK;
}

void ipc_unmap(const void *data, size_t len)
{
    union {
        const void *in;
        void *out;
    } block = {data};

    if (data != NULL) {
        (void)munmap(block.out, len);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "platform/host.h"

#define FDS_MAX 253U

const char *const host_service_socket = "/run/cordon/cordond.sock";

union control {
    struct cmsghdr align;
    char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

static enum cordon_err socket_err(int code)
{
    switch (code) {
    case EAGAIN:
    case EINTR:
        return CORDON_E_AGAIN;
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
        return CORDON_E_CLOSED;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ETOOMANYREFS:
        return CORDON_E_LIMIT;
    default:
        return CORDON_E_OS;
    }
}

/* The directory may be changed by nobody else, or a socket in it could be swapped. */
static enum cordon_err socket_directory(const char *path, struct cordon_fault *fault)
{
    char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
    const char *slash = strrchr(path, '/');
    struct stat st;

    if (slash == NULL || slash == path || strlen(path) >= sizeof(dir)) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "%s: not a path for a socket", path);
    }
    (void)snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
    if (mkdir(dir, 0755) == 0) {
        (void)chmod(dir, 0755);
    }
    if (lstat(dir, &st) != 0) {
        return fault_os(fault, errno, NULL, "%s: cannot be made", dir);
    }
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
        return fault_set(fault, CORDON_E_DENIED, "remove it", "%s: may be changed by others", dir);
    }
    return CORDON_OK;
}

/* Removes a socket that nobody listens on. */
static enum cordon_err remove_stale(const struct sockaddr_un *address, struct cordon_fault *fault)
{
    const struct sockaddr *generic = (const void *)address;
    struct stat st;
    int fd;
    int code;

    if (lstat(address->sun_path, &st) != 0) {
        return CORDON_OK;
    }
    if (!S_ISSOCK(st.st_mode)) {
        return fault_set(fault, CORDON_E_DENIED, "remove it", "%s: not a socket",
                         address->sun_path);
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    code = fd < 0 ? errno : (connect(fd, generic, sizeof(*address)) == 0 ? 0 : errno);
    host_close(fd);
    if (code != ECONNREFUSED) {
        return fault_set(fault, CORDON_E_STATE, "stop the other one first",
                         "%s: a cordond already listens there", address->sun_path);
    }
    (void)unlink(address->sun_path);
    return CORDON_OK;
}

enum cordon_err host_listen(const char *path, int *ret_fd, struct cordon_fault *fault)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    enum cordon_err err = socket_directory(path, fault);
    int fd;

    if (err != CORDON_OK) {
        return err;
    }
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    err = remove_stale(&address, fault);
    if (err != CORDON_OK) {
        return err;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (const void *)&address, sizeof(address)) != 0 ||
        chmod(path, 0666) != 0 || listen(fd, 1024) != 0) {
        err = fault_os(fault, errno, NULL, "%s: cannot listen", path);
        host_close(fd);
        return err;
    }
    *ret_fd = fd;
    return CORDON_OK;
}

void host_unlisten(const char *path)
{
    (void)unlink(path);
}

enum cordon_err host_accept(int fd, int *ret_fd)
{
    int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (accepted < 0) {
        return errno == ECONNABORTED ? CORDON_E_AGAIN : socket_err(errno);
    }
    *ret_fd = accepted;
    return CORDON_OK;
}

enum cordon_err host_adopt_stream(int fd, struct cordon_fault *fault)
{
    int type = 0;
    int domain = 0;
    socklen_t len = sizeof(type);

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0 || type != SOCK_STREAM ||
        domain != AF_UNIX) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "descriptor %d: not a stream socket", fd);
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        return fault_os(fault, errno, NULL, "descriptor %d", fd);
    }
    return CORDON_OK;
}

int host_dup(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

bool host_hung_up(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = 0};

    return poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & (POLLHUP | POLLERR)) != 0;
}

static void take_fds(struct msghdr *head, int *fds, size_t fds_max, struct host_chunk *chunk)
{
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(head); cmsg != NULL; cmsg = CMSG_NXTHDR(head, cmsg)) {
        size_t count = cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS
                           ? (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int)
                           : 0;

        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
            if (chunk->fd_count < fds_max) {
                fds[chunk->fd_count++] = fd;
            } else {
                (void)close(fd);
                chunk->fds_truncated = true;
            }
        }
    }
    if ((head->msg_flags & MSG_CTRUNC) != 0) {
        chunk->fds_truncated = true;
    }
}

enum cordon_err host_recv(int fd, void *buf, size_t size, int *fds, size_t fds_max,
                          struct host_chunk *ret_chunk)
{
    struct iovec iov = {buf, size};
    union control control;
    struct msghdr head = {.msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = control.space,
                          .msg_controllen = sizeof(control.space)};
    struct host_chunk chunk = {0, 0, false};
    ssize_t len = recvmsg(fd, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (len < 0) {
        return socket_err(errno);
    }
    take_fds(&head, fds, fds_max, &chunk);
    if (len == 0) {
        for (size_t i = 0; i < chunk.fd_count; i++) {
            (void)close(fds[i]);
        }
        return CORDON_E_CLOSED;
    }
    chunk.len = (size_t)len;
    *ret_chunk = chunk;
    return CORDON_OK;
}

enum cordon_err host_send(int fd, const void *data, size_t len, const int *fds, size_t fd_count,
                          size_t *ret_sent)
{
    union {
        const void *in;
        void *out;
    } bytes = {data};
    struct iovec iov = {bytes.out, len};
    union control control;
    struct msghdr head = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t sent;

    if (fd_count > FDS_MAX) {
        return CORDON_E_LIMIT;
    }
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
    sent = sendmsg(fd, &head, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
        return socket_err(errno);
    }
    *ret_sent = (size_t)sent;
    return CORDON_OK;
}

/* A socket carries descriptors to whoever has its other end. */
enum cordon_err host_meet(int channel, uint32_t pid)
{
    (void)channel;
    (void)pid;
    return CORDON_OK;
}

enum cordon_err host_recv_record(int fd, void *record, size_t size, int *ret_fd)
{
    struct host_chunk chunk;
    int received = -1;
    enum cordon_err err = host_recv(fd, record, size, &received, 1, &chunk);

    if (err == CORDON_OK && (chunk.len != size || chunk.fds_truncated)) {
        host_close(received);
        return CORDON_E_PROTO;
    }
    if (err == CORDON_OK) {
        *ret_fd = received;
    }
    return err;
}

enum cordon_err host_send_record(int fd, const void *record, size_t size, const int *fds,
                                 size_t fd_count)
{
    size_t sent = 0;
    enum cordon_err err = host_send(fd, record, size, fds, fd_count, &sent);

    return err == CORDON_OK && sent != size ? CORDON_E_PROTO : err;
}

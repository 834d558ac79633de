/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/link.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "platform/siblings.h"

#define SOCKET_FOLDER "/run/cordon"
#define SOCKET_PATH SOCKET_FOLDER "/cordond.sock"
#define BROKER_FD 3
#define REAP_MS 2000
#define BROKEN_REMEDY "see systemctl status cordond.socket cordond.service"

extern char **environ;

const char *const link_service_place = SOCKET_PATH;
const char *const link_service_start = "start it: systemctl start cordond.socket";
const char *const link_service_answers = "the socket is root's and answers";

/* Any of these says that the administrator meant this host to have the service. */
static const char *const installed[] = {
    "/etc/systemd/system/cordond.socket", "/usr/lib/systemd/system/cordond.socket",
    "/lib/systemd/system/cordond.socket", "/usr/local/lib/systemd/system/cordond.socket",
    CORDON_UNITDIR "/cordond.socket",
};

static const char *socket_path(void)
{
#ifdef CORDON_TEST_PATHS
    const char *path = getenv("CORDON_TEST_SOCKET");

    if (path != NULL) {
        return path;
    }
#endif
    return SOCKET_PATH;
}

static bool is_test_path(const char *path)
{
    return strcmp(path, SOCKET_PATH) != 0;
}

bool link_service_installed(void)
{
    struct stat st;

    for (size_t i = 0; i < sizeof(installed) / sizeof(installed[0]); i++) {
        if (lstat(installed[i], &st) == 0) {
            return true;
        }
    }
    return false;
}

/* Only root could have put the socket there. */
static enum cordon_err check_place(const char *path, struct cordon_fault *fault)
{
    struct stat folder;
    struct stat entry;

    if (lstat(path, &entry) != 0 || lstat(SOCKET_FOLDER, &folder) != 0) {
        return errno == ENOENT || errno == ENOTDIR
                   ? CORDON_E_NOT_FOUND
                   : fault_os(fault, errno, BROKEN_REMEDY, "%s", path);
    }
    if (folder.st_uid != 0 || !S_ISDIR(folder.st_mode) || (folder.st_mode & 022) != 0 ||
        entry.st_uid != 0 || !S_ISSOCK(entry.st_mode)) {
        return fault_set(fault, CORDON_E_DENIED, "remove it and restart cordond.socket",
                         "%s is not a socket in a directory that only root may change", path);
    }
    return CORDON_OK;
}

enum cordon_err link_service(int *ret_fd, struct cordon_fault *fault)
{
    const char *path = socket_path();
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct ucred peer = {0};
    socklen_t len = sizeof(peer);
    int fd;

    if (!is_test_path(path)) {
        enum cordon_err err = check_place(path, fault);

        if (err != CORDON_OK) {
            return err;
        }
    }
    if (strlen(path) >= sizeof(address.sun_path)) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "%s: too long for a socket", path);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fault_os(fault, errno, NULL, "socket");
    }
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        enum cordon_err err = fault_os(fault, errno, BROKEN_REMEDY, "connect %s", path);

        (void)close(fd);
        return err;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 ||
        (peer.uid != 0 && !is_test_path(path))) {
        (void)close(fd);
        return fault_set(fault, CORDON_E_DENIED, BROKEN_REMEDY,
                         "%s: the other end is uid %u, not root", path, (unsigned)peer.uid);
    }
    *ret_fd = fd;
    return CORDON_OK;
}

/*
 * The private broker is in a session of its own: Ctrl-C at the terminal is for
 * the job, and killing the broker with it would take the job along. It has no
 * standard input or output of the caller's; stderr is left for a loader's
 * complaint. What the caller's environment does to programs that start is for
 * the command alone, which has it from SPAWN.
 */
static int spawn_broker(const char *path, int fd, pid_t *ret_pid)
{
    static char name[] = "cordon-embedded";
    static char flag[] = "--embedded";
    static char number[] = "3";
    char *argv[] = {name, flag, number, NULL};
    char *no_environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none;
    int failed;

    (void)sigemptyset(&none);
    if (posix_spawn_file_actions_init(&actions) != 0) {
        return ENOMEM;
    }
    if (posix_spawnattr_init(&attr) != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) != 0 ||
             posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) != 0 ||
             posix_spawn_file_actions_adddup2(&actions, fd, BROKER_FD) != 0 ||
             posix_spawnattr_setsigmask(&attr, &none) != 0 ||
             posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK) != 0;
    failed = failed ? ENOMEM : posix_spawn(ret_pid, path, &actions, &attr, argv, no_environment);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed;
}

enum cordon_err link_private(int *ret_fd, int *ret_broker, struct cordon_fault *fault)
{
    char path[PATH_MAX];
    pid_t broker = 0;
    int pair[2];
    int code;
    enum cordon_err err = sibling_path("cordon-embedded", path, sizeof(path), fault);

    if (err == CORDON_E_NOT_FOUND) {
        /* A program of somebody else's that links libcordon. */
        (void)snprintf(path, sizeof(path), "%s/cordon-embedded", CORDON_LIBEXECDIR);
    } else if (err != CORDON_OK) {
        return err;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return fault_os(fault, errno, NULL, "socketpair");
    }
    code = spawn_broker(path, pair[1], &broker);
    (void)close(pair[1]);
    if (code != 0) {
        (void)close(pair[0]);
        return fault_os(fault, code, "reinstall cordon", "cannot start %s", path);
    }
    *ret_fd = pair[0];
    *ret_broker = broker;
    return CORDON_OK;
}

/* True: the process @pid lived for REAP_MS. False: it has ended, or that cannot be waited for. */
static bool outlives(int pid)
{
    bool late = false;
#ifdef SYS_pidfd_open
    struct pollfd process = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};

    if (process.fd >= 0) {
        late = poll(&process, 1, REAP_MS) == 0;
        (void)close(process.fd);
    }
#else
    (void)pid;
#endif
    return late;
}

void link_reap(int broker)
{
    const struct timespec pause = {.tv_nsec = 1000000};

    for (int i = outlives(broker) ? REAP_MS : 0; i < REAP_MS; i++) {
        if (waitpid(broker, NULL, WNOHANG) != 0) {
            return;
        }
        (void)nanosleep(&pause, NULL);
    }
    (void)kill(broker, SIGKILL);
    (void)waitpid(broker, NULL, 0);
}

/* ---- the connection ---- */

void link_close(int fd)
{
    if (fd >= 0) {
        (void)close(fd);
    }
}

void link_shut(int fd)
{
    (void)shutdown(fd, SHUT_RDWR);
}

union control {
    struct cmsghdr head;
    unsigned char bytes[CMSG_SPACE(LINK_FDS_MAX * sizeof(int))];
};

enum cordon_err link_send(int fd, const struct link_part *part, size_t *ret_sent,
                          struct cordon_fault *fault)
{
    union {
        const void *in;
        void *out;
    } bytes = {part->data};
    union control control = {0};
    struct iovec iov = {bytes.out, part->len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    if (part->fd_count > LINK_FDS_MAX) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "too many descriptors");
    }
    if (part->fd_count > 0) {
        const uint32_t size = (uint32_t)(part->fd_count * sizeof(int));

        msg.msg_control = control.bytes;
        msg.msg_controllen = (uint32_t)CMSG_SPACE(size);
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = (uint32_t)CMSG_LEN(size);
        memcpy(CMSG_DATA(&control.head), part->fds, size);
    }
    n = sendmsg(fd, &msg, MSG_NOSIGNAL);
    if (n >= 0) {
        *ret_sent = (size_t)n;
        return CORDON_OK;
    }
    if (errno == EINTR) {
        return CORDON_E_AGAIN;
    }
    return errno == EPIPE || errno == ECONNRESET
               ? CORDON_E_CLOSED
               : fault_os(fault, errno, NULL, "send to the broker");
}

enum cordon_err link_recv(int fd, void *buf, size_t size, struct link_chunk *ret_chunk,
                          struct cordon_fault *fault)
{
    union control control;
    struct iovec iov = {buf, size};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    struct link_chunk chunk = {.len = 0};
    struct cmsghdr *cmsg;
    ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);

    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return CORDON_E_AGAIN;
    }
    if (n < 0 && errno != ECONNRESET) {
        return fault_os(fault, errno, NULL, "receive from the broker");
    }
    if (n <= 0) {
        return CORDON_E_CLOSED;
    }
    /* One read never crosses from one sender's descriptors to the next: one header. */
    cmsg = CMSG_FIRSTHDR(&msg);
    if (cmsg != NULL && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS) {
        chunk.fd_count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(chunk.fds, CMSG_DATA(cmsg), chunk.fd_count * sizeof(int));
    }
    chunk.len = (size_t)n;
    chunk.fds_truncated = (msg.msg_flags & MSG_CTRUNC) != 0;
    *ret_chunk = chunk;
    return CORDON_OK;
}

bool link_wait(int fd, int timeout_ms)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    return poll(&wait, 1, timeout_ms) > 0;
}

/* ---- what is handed over ---- */

enum cordon_err link_open_null(int *ret_fd, struct cordon_fault *fault)
{
    *ret_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return *ret_fd < 0 ? fault_os(fault, errno, NULL, "/dev/null") : CORDON_OK;
}

enum cordon_err link_open_folder(const char *dir, int *ret_fd, struct cordon_fault *fault)
{
    *ret_fd = open(dir != NULL ? dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*ret_fd < 0) {
        return fault_os(fault, errno, NULL, "working directory %s", dir != NULL ? dir : ".");
    }
    return CORDON_OK;
}

enum cordon_err link_check_stream(int fd, struct cordon_fault *fault)
{
    (void)fd;
    (void)fault;
    return CORDON_OK;
}

const char *link_folder_name(char *buf, size_t size)
{
    return getcwd(buf, size);
}

char **link_environment(void)
{
    return environ;
}

/* ---- the program ---- */

char **link_arguments(int argc, char **argv)
{
    (void)argc;
    return argv;
}

/*
 * A descriptor below 3 that is closed would be given to the next socket, which
 * a later write to "standard error" would then hit.
 */
bool link_fill_stdio(void)
{
    for (int fd = 0; fd < 3; fd++) {
        /* The lowest free number is the one that was missing. */
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) {
            return false;
        }
    }
    return true;
}

enum cordon_err link_become(const char *path, char **argv, struct cordon_fault *fault)
{
    (void)execv(path, argv);
    return fault_os(fault, errno, "reinstall cordon", "cannot run %s", path);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client/lib.h"
#include "platform/siblings.h"

#define SOCKET_FOLDER "/run/cordon"
#define SOCKET_PATH SOCKET_FOLDER "/cordond.sock"
#define BROKER_FD 3
#define BROKEN_REMEDY "see systemctl status cordond.socket cordond.service"

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

bool lib_service_installed(void)
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

enum cordon_err lib_service_connect(int *ret_fd, struct cordon_fault *fault)
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
    static char name[] = "cordond";
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

static enum cordon_err start_broker(struct cordon *cordon, struct cordon_fault *fault)
{
    char path[PATH_MAX];
    int pair[2];
    int code;
    enum cordon_err err = sibling_path("cordond", path, sizeof(path), fault);

    if (err == CORDON_E_NOT_FOUND) {
        /* A program of somebody else's that links libcordon. */
        (void)snprintf(path, sizeof(path), "%s/cordond", CORDON_SBINDIR);
    } else if (err != CORDON_OK) {
        return err;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return fault_os(fault, errno, NULL, "socketpair");
    }
    code = spawn_broker(path, pair[1], &cordon->broker);
    (void)close(pair[1]);
    if (code != 0) {
        (void)close(pair[0]);
        return fault_os(fault, code, "reinstall cordon", "cannot start %s", path);
    }
    cordon->fd = pair[0];
    return CORDON_OK;
}

enum cordon_err lib_connect(unsigned flags, struct cordon *cordon, struct cordon_fault *fault)
{
    enum cordon_err err = CORDON_E_NOT_FOUND;

    if ((flags & CORDON_OPEN_EMBEDDED) != 0) {
        return start_broker(cordon, fault);
    }
    err = lib_service_connect(&cordon->fd, fault);
    if (err != CORDON_E_NOT_FOUND) {
        return err;
    }
    if (lib_service_installed()) {
        return fault_set(fault, CORDON_E_NOT_FOUND, "start it: systemctl start cordond.socket",
                         "the cordon service is installed but %s does not exist", SOCKET_PATH);
    }
    if ((flags & CORDON_OPEN_SERVICE) != 0) {
        return fault_set(fault, CORDON_E_NOT_FOUND,
                         "install it; a private broker serves its one client and keeps no records",
                         "there is no cordon service");
    }
    return start_broker(cordon, fault);
}

void lib_reap(pid_t broker)
{
    const struct timespec pause = {.tv_nsec = 1000000};

    for (int i = 0; i < 2000; i++) {
        if (waitpid(broker, NULL, WNOHANG) != 0) {
            return;
        }
        (void)nanosleep(&pause, NULL);
    }
    (void)kill(broker, SIGKILL);
    (void)waitpid(broker, NULL, 0);
}

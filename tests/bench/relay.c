/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What relay.h says.
 *
 *   relay ask SOCKET                          a client; ends as the command did
 *   relay serve SOCKET HOPS KEEPERS COMMAND   HOPS processes in a row, of the last KEEPERS beside
 *                                             each other, each with one COMMAND at hand
 *   relay made  SOCKET HOPS KEEPERS COMMAND   ... in namespaces and a tree of mounts of its own,
 *                                             as every sandbox with a network of its own has them
 *
 * Serves until it is killed; all of it ends then.
 */
#include "relay.h"

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contender.h"
#include "platform/linux/init/sys.h"

#define STACK_BYTES 65536U

static struct {
    char *command;
    bool made;   /* in namespaces */
    int go;      /* what the command's process waits for; the end of it that it reads */
    int gos;     /* ... that is written to */
    pid_t ahead; /* that process */
} keeper;

static void with_parent(void)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
        die("prctl");
    }
}

/* ---- from process to process ---- */

/* The descriptor that came with a request; -1: none. */
static int request_take(int fd)
{
    char bytes[RELAY_REQUEST_BYTES];
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = {bytes, sizeof(bytes)};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    int given = -1;

    if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(bytes)) {
        return -1;
    }
    if (CMSG_FIRSTHDR(&message) != NULL) {
        memcpy(&given, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(given));
    }
    return given;
}

/* The next client's connection; its request is read. */
static int next(int in, bool listens)
{
    for (;;) {
        const int connection = listens ? accept4(in, NULL, NULL, SOCK_CLOEXEC) : request_take(in);

        if (connection < 0) {
            die("nobody asks any more");
        }
        if (listens) {
            const int stream = request_take(connection);

            if (stream < 0) {
                (void)close(connection);
                continue;
            }
            (void)close(stream);
        }
        return connection;
    }
}

static _Noreturn void hop(int in, bool listens, int out)
{
    with_parent();
    for (;;) {
        const int connection = next(in, listens);

        if (!relay_send(out, connection)) {
            die("the next is gone");
        }
        (void)close(connection);
    }
}

/* ---- the last ---- */

/* The host's tree, read-only, with what each view has of its own. */
static void view_make(void)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID};
    int tree;

    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        die("mount");
    }
    tree = sys_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (tree < 0 || sys_mount_setattr(tree, AT_RECURSIVE, &attr) != 0 ||
        sys_move_mount(tree, AT_FDCWD, "/", 0) != 0 || fchdir(tree) != 0 ||
        sys_pivot_root(".", ".") != 0 || umount2(".", MNT_DETACH) != 0 || chdir("/") != 0 ||
        mount("proc", "/proc", "proc", 0, NULL) != 0 ||
        mount("dev", "/dev", "tmpfs", 0, "mode=0755") != 0 ||
        mount("tmp", "/tmp", "tmpfs", 0, NULL) != 0) {
        die("the view cannot be made");
    }
}

static int command_main(void *context)
{
    char *const argv[] = {keeper.command, NULL};
    char *const env[] = {NULL};
    char byte;
    int command;

    (void)context;
    with_parent();
    /* Whatever covers it in the view. */
    command = open(keeper.command, O_PATH | O_CLOEXEC);
    if (keeper.made) {
        view_make();
    }
    if (read(keeper.go, &byte, 1) == 1) {
        (void)syscall(SYS_execveat, command, "", argv, env, AT_EMPTY_PATH);
    }
    _exit(127);
}

static void command_ahead(void)
{
    static _Alignas(16) char stack[STACK_BYTES];
    const int namespaces =
        keeper.made ? CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET : 0;

    keeper.ahead = clone(command_main, stack + STACK_BYTES, namespaces | SIGCHLD, NULL);
    if (keeper.ahead < 0) {
        die("clone");
    }
}

static _Noreturn void keep(int in, bool listens)
{
    int pair[2];

    with_parent();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        die("socketpair");
    }
    keeper.go = pair[0];
    keeper.gos = pair[1];
    for (;;) {
        unsigned char code;
        int connection;
        int status = -1;

        command_ahead();
        connection = next(in, listens);
        if (write(keeper.gos, "", 1) != 1 || waitpid(keeper.ahead, &status, 0) != keeper.ahead) {
            die("the command's process is gone");
        }
        code = WIFEXITED(status) ? (unsigned char)WEXITSTATUS(status) : 255;
        (void)send(connection, &code, 1, MSG_NOSIGNAL);
        (void)close(connection);
    }
}

/* ---- all of them ---- */

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (fd < 0 || strlen(path) >= sizeof(address.sun_path)) {
        die("the socket's path is too long");
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        chmod(path, 0666) != 0 || listen(fd, 64) != 0) {
        die(path);
    }
    return fd;
}

static _Noreturn void serve(const char *path, unsigned hops, unsigned keepers)
{
    int in = listen_at(path);
    bool listens = true;

    for (unsigned i = 1; i < hops; i++) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
            die("socketpair");
        }
        if (fork() == 0) {
            hop(in, listens, pair[0]);
        }
        (void)close(pair[0]);
        (void)close(in);
        in = pair[1];
        listens = false;
    }
    for (unsigned i = 0; i < keepers; i++) {
        if (fork() == 0) {
            keep(in, listens);
        }
    }
    (void)close(in);
    (void)waitpid(-1, NULL, 0);
    die("one of the relay has ended");
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "ask") == 0) {
        const int status = relay_ask(argv[2]);

        return status < 0 ? 125 : status;
    }
    if (argc != 6 || (strcmp(argv[1], "serve") != 0 && strcmp(argv[1], "made") != 0)) {
        die("usage: relay ask SOCKET; relay serve|made SOCKET HOPS KEEPERS COMMAND");
    }
    keeper.command = argv[5];
    keeper.made = strcmp(argv[1], "made") == 0;
    serve(argv[2], (unsigned)atoi(argv[3]), (unsigned)atoi(argv[4]));
}

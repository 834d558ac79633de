/* SPDX-License-Identifier: Apache-2.0 */
#include "probe_sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int failed;

static void must(const char *what, bool works)
{
    if (!works) {
        (void)printf("%s: FAILS (%s)\n", what, strerror(errno));
        failed = 1;
    }
}

static void pairs(void)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        int two[2] = {-1, -1};
        int value = 0;
        socklen_t len = sizeof(value);
        char text[8];

        must("socketpair", socketpair(AF_UNIX, types[i] | SOCK_CLOEXEC, 0, two) == 0);
        must("send", send(two[0], "ping", 4, 0) == 4);
        must("recv", recv(two[1], text, sizeof(text), 0) == 4);
        must("getsockopt",
             getsockopt(two[0], SOL_SOCKET, SO_TYPE, &value, &len) == 0 && value == types[i]);
        value = 65536;
        must("setsockopt", setsockopt(two[0], SOL_SOCKET, SO_SNDBUF, &value, len) == 0);
        must("shutdown", shutdown(two[0], SHUT_RDWR) == 0);
        (void)close(two[0]);
        (void)close(two[1]);
    }
}

/* Passing a descriptor between processes of one job. */
static void passing(void)
{
    int two[2];
    char byte = 'x';
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.head = {.cmsg_level = SOL_SOCKET,
                          .cmsg_type = SCM_RIGHTS,
                          .cmsg_len = CMSG_LEN(sizeof(int))}};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};

    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, two) == 0);
    memcpy(CMSG_DATA(&control.head), &two[0], sizeof(int));
    must("sendmsg with a descriptor", sendmsg(two[0], &message, 0) == 1);
    must("recvmsg with a descriptor",
         recvmsg(two[1], &message, 0) == 1 && message.msg_controllen > 0);
}

/* A server and a client process on @addr. */
static void talk(const char *what, struct sockaddr *addr, socklen_t len)
{
    int listener = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char text[8] = "";
    pid_t child;
    int peer;
    int status = 0;

    must("socket", listener >= 0);
    must("bind", bind(listener, addr, len) == 0);
    must("listen", listen(listener, 1) == 0);
    must("getsockname", getsockname(listener, addr, &len) == 0);
    child = fork();
    if (child == 0) {
        int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        _exit(connect(fd, addr, len) == 0 && send(fd, "hello", 5, MSG_NOSIGNAL) == 5 ? 0 : 1);
    }
    (void)waitpid(child, &status, 0);
    must(what, status == 0);
    if (status == 0) {
        peer = accept(listener, NULL, NULL);
        must("accept", peer >= 0 && recv(peer, text, sizeof(text), 0) == 5);
        (void)close(peer);
    }
    (void)close(listener);
}

int private_sockets(void)
{
    struct sockaddr_in four = {.sin_family = AF_INET,
                               .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "probe.sock"};
    struct sockaddr_un abstract = {.sun_family = AF_UNIX, .sun_path = "\0cordon-probe"};

    pairs();
    passing();
    talk("TCP on 127.0.0.1", (void *)&four, sizeof(four));
    if (access("/proc/net/if_inet6", F_OK) == 0) {
        talk("TCP on ::1", (void *)&six, sizeof(six));
    }
    (void)unlink(path.sun_path);
    talk("a unix socket in the workspace", (void *)&path, sizeof(path));
    (void)unlink(path.sun_path);
    talk("an abstract unix socket", (void *)&abstract,
         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof("cordon-probe")));
    (void)printf("%s\n", failed ? "something fails" : "all work");
    return failed;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NW: one attempt a run, chosen by name; exit status 0 when it was refused (or,
 * for "private", when everything worked), 1 otherwise.
 *
 *   families           every address family and type: nothing leaves the job
 *   inet ADDRESS PORT  a TCP connection, TCP by fast open, a UDP datagram
 *   stream|dgram|fds|abstract|abstract-dgram NAME   a host's unix socket
 *   private            what must work with the network off
 */
#include "probe_sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* 0: refused or silently dropped in a second; 1: it got through. */
static int outcome(const char *what, bool through)
{
    (void)printf("%s: %s (%s)\n", what, through ? "REACHED" : "refused", strerror(errno));
    return through ? 1 : 0;
}

static bool connected(int fd, const struct sockaddr *to, socklen_t len)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof(error);

    if (connect(fd, to, len) == 0) {
        return true;
    }
    if (errno != EINPROGRESS || poll(&wait, 1, 1000) <= 0) {
        return false;
    }
    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    errno = error;
    /* "Connection refused" comes from the other end: the packet left. */
    return error == 0;
}

static socklen_t address_of(const char *text, const char *port, struct sockaddr_storage *ret)
{
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)ret;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)ret;

    memset(ret, 0, sizeof(*ret));
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)atoi(port));
        return sizeof(*four);
    }
    if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)atoi(port));
        return sizeof(*six);
    }
    exit(64);
}

static int try_inet(const char *text, const char *port)
{
    struct sockaddr_storage to;
    socklen_t len = address_of(text, port, &to);
    int tcp = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int fast = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int udp = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const struct sockaddr *addr = (const struct sockaddr *)(const void *)&to;
    struct pollfd wait = {.fd = udp, .events = POLLIN};
    char reply;
    int bad;

    bad = outcome("tcp", tcp >= 0 && connected(tcp, addr, len));
    bad |=
        outcome("tcp fast open", fast >= 0 && sendto(fast, "x", 1, MSG_FASTOPEN, addr, len) == 1);
    /* To the job's own loopback a datagram may go; only an answer is a leak. */
    bad |= outcome("udp", udp >= 0 && sendto(udp, "x", 1, 0, addr, len) == 1 &&
                              poll(&wait, 1, 300) > 0 && recv(udp, &reply, 1, 0) >= 0);
    return bad;
}

static socklen_t unix_address(const char *name, bool abstract, struct sockaddr_un *ret)
{
    size_t len = strlen(name);

    memset(ret, 0, sizeof(*ret));
    ret->sun_family = AF_UNIX;
    if (len + 2 > sizeof(ret->sun_path)) {
        exit(64);
    }
    memcpy(ret->sun_path + (abstract ? 1 : 0), name, len);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
}

static int try_stream(const char *name, bool abstract)
{
    struct sockaddr_un to;
    socklen_t len = unix_address(name, abstract, &to);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int packets = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (fd < 0 || packets < 0) {
        return 1;
    }
    return outcome("stream", connect(fd, (const void *)&to, len) == 0) |
           outcome("seqpacket", connect(packets, (const void *)&to, len) == 0);
}

/* sendmsg() and sendto() to a datagram socket need no connect(). */
static int try_dgram(const char *name, bool abstract, bool with_fd)
{
    struct sockaddr_un to;
    socklen_t len = unix_address(name, abstract, &to);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char text[] = "leak";
    struct iovec part = {.iov_base = text, .iov_len = sizeof(text)};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.head = {.cmsg_level = SOL_SOCKET,
                          .cmsg_type = SCM_RIGHTS,
                          .cmsg_len = CMSG_LEN(sizeof(int))}};
    struct msghdr message = {
        .msg_name = &to, .msg_namelen = len, .msg_iov = &part, .msg_iovlen = 1};

    if (fd < 0) {
        return 1;
    }
    if (with_fd) {
        memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
    }
    return outcome("sendmsg", sendmsg(fd, &message, 0) > 0) |
           outcome("sendto", sendto(fd, text, 1, 0, (const void *)&to, len) > 0) |
           outcome("connect", connect(fd, (const void *)&to, len) == 0);
}

/* Families other than unix: a raw or foreign socket must not exist or lead nowhere. */
static int one_family(int family, int type)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    char what[64];

    if (fd < 0) {
        return 0;
    }
    (void)snprintf(what, sizeof(what), "family %d type %d", family, type);
    if (family == AF_NETLINK) {
        /* Of the job's own network namespace: allowed, it leads to no one. */
        (void)connect(fd, (const void *)&kernel, sizeof(kernel));
        (void)close(fd);
        return 0;
    }
    (void)close(fd);
    return outcome(what, true);
}

static int try_families(void)
{
    int bad = 0;

    for (int family = 0; family < 64; family++) {
        bool ip = family == AF_INET || family == AF_INET6;

        for (int type = 1; type <= 10; type++) {
            /* Unix sockets are private to the job; IP ends at its own loopback (see inet). */
            if (family == AF_UNIX || (ip && (type == SOCK_STREAM || type == SOCK_DGRAM))) {
                continue;
            }
            bad |= one_family(family, type);
        }
    }
    bad |= try_inet("198.51.100.7", "80") | try_inet("2001:db8::7", "80");
    bad |= try_inet("169.254.169.254", "80") | try_inet("198.51.100.7", "53");
    bad |= try_inet("224.0.0.251", "5353") | try_inet("255.255.255.255", "67");
    return bad;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    const char *name = argc > 2 ? argv[2] : "";

    (void)setvbuf(stdout, NULL, _IONBF, 0);
    if (strcmp(what, "families") == 0) {
        return try_families();
    }
    if (strcmp(what, "inet") == 0 && argc == 4) {
        return try_inet(name, argv[3]);
    }
    if (strcmp(what, "private") == 0) {
        return private_sockets();
    }
    if (strcmp(what, "stream") == 0 || strcmp(what, "abstract") == 0) {
        return try_stream(name, what[0] == 'a');
    }
    if (strcmp(what, "abstract-dgram") == 0) {
        return try_dgram(name, true, false);
    }
    if (strcmp(what, "dgram") == 0 || strcmp(what, "fds") == 0) {
        return try_dgram(name, false, what[0] == 'f');
    }
    return 64;
}

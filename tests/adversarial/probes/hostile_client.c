/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client that breaks the rules; it speaks raw bytes to the service.
 *
 *   cut      one connection for every prefix of a good conversation, closed there
 *   states   closed after every reply of a good conversation, and in the middle of one
 *   bad      every malformed conversation; says what came back
 *   flood    descriptors by the hundred, in every place, and control data that lies
 *   crowd N  N connections that say HELLO and then nothing, until standard input ends
 *   say CMD...     what became of a conversation that runs CMD
 *   orphan before|after CMD...  the same by a child; the process that connected has ended
 *                               before HELLO or after
 *
 * Exit status 1 when a malformed conversation started a job or went unanswered.
 */
#include "hostile_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/frame.h"

#define FDS_MAX 253
#define ANSWER_MS 5000

int try_connect(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "/run/cordon/cordond.sock"};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const void *)&to, sizeof(to)) != 0) {
        int saved = errno;

        (void)close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static int connected(void)
{
    int fd = try_connect();

    if (fd < 0) {
        perror("connect");
        exit(70);
    }
    return fd;
}

static int descriptors(int *fds, size_t count, bool own_streams)
{
    for (size_t i = 0; i < count; i++) {
        if (i == 0) {
            fds[i] = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        } else if (own_streams) {
            fds[i] = fcntl((int)i - 1, F_DUPFD_CLOEXEC, 3);
        } else {
            fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
        }
        if (fds[i] < 0) {
            return -1;
        }
    }
    return 0;
}

/* Bytes [from, to) with @count descriptors; false when the peer is gone. */
static bool send_part(int fd, const struct script *script, size_t from, size_t to, size_t count)
{
    static union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * FDS_MAX)];
    } control;
    int fds[FDS_MAX];
    const char *data = strbuf_text(&script->bytes);

    if (descriptors(fds, count, script->own_streams) != 0) {
        exit(70);
    }
    while (from < to) {
        struct iovec part = {.iov_len = to - from};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        ssize_t sent;

        memcpy(&part.iov_base, &(const char *){data + from}, sizeof(void *));
        if (count > 0) {
            control.head.cmsg_level = SOL_SOCKET;
            control.head.cmsg_type = SCM_RIGHTS;
            control.head.cmsg_len = (socklen_t)CMSG_LEN(sizeof(int) * count);
            memcpy(CMSG_DATA(&control.head), fds, sizeof(int) * count);
            message.msg_control = &control;
            message.msg_controllen = (socklen_t)CMSG_SPACE(sizeof(int) * count);
        }
        sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        for (size_t i = 0; i < count; i++) {
            (void)close(fds[i]);
        }
        count = 0;
        if (sent <= 0) {
            return false;
        }
        from += (size_t)sent;
    }
    return true;
}

bool send_script(int fd, const struct script *script, size_t len)
{
    size_t middle = script->fd_count > 0 ? script->fds_at : len;
    bool open = true;

    if (middle > len) {
        middle = len;
    }
    open = send_part(fd, script, 0, middle, 0);
    return open && send_part(fd, script, middle, len, script->fd_count);
}

/* Reads exactly @len bytes; false at the end, on an error, or after ANSWER_MS. */
static bool read_all(int fd, unsigned char *data, size_t len)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    while (len > 0) {
        ssize_t got = poll(&wait, 1, ANSWER_MS) == 1 ? recv(fd, data, len, 0) : -1;

        if (got <= 0) {
            return false;
        }
        data += got;
        len -= (size_t)got;
    }
    return true;
}

unsigned next_reply(int fd)
{
    unsigned char head[FRAME_HEADER_SIZE];
    static unsigned char body[FRAME_BODY_MAX];
    uint32_t len;

    if (!read_all(fd, head, sizeof(head))) {
        return 0;
    }
    len = head[12] | (uint32_t)head[13] << 8 | (uint32_t)head[14] << 16 | (uint32_t)head[15] << 24;
    if (len > sizeof(body) || !read_all(fd, body, len)) {
        return 0;
    }
    return head[6] | (unsigned)head[7] << 8;
}

static int cut(void)
{
    struct script script = {.bytes = STRBUF_INIT};

    script_good(&script);
    for (size_t len = 0; len <= script.bytes.len; len++) {
        int fd = connected();

        (void)send_script(fd, &script, len);
        (void)close(fd);
    }
    (void)printf("%zu prefixes\n", script.bytes.len + 1);
    strbuf_deinit(&script.bytes);
    return 0;
}

static int states(void)
{
    struct script script = {.bytes = STRBUF_INIT};

    script_good(&script);
    /* After HELLO's reply, after STARTED, and in the middle of each. */
    for (int replies = 0; replies <= 2; replies++) {
        for (int extra = 0; extra < 20; extra += 7) {
            unsigned char some[32];
            int fd = connected();
            bool open = send_script(fd, &script, script.bytes.len);

            for (int i = 0; open && i < replies; i++) {
                open = next_reply(fd) != 0;
            }
            if (open && extra > 0 && replies < 2) {
                (void)read_all(fd, some, (size_t)extra);
            }
            (void)close(fd);
        }
    }
    strbuf_deinit(&script.bytes);
    return 0;
}

static int one_bad(const char *name, const struct script *script)
{
    int fd = connected();
    unsigned reply = 0;
    unsigned last = 0;

    (void)send_script(fd, script, script->bytes.len);
    if (script->half_closed) {
        (void)shutdown(fd, SHUT_WR);
    }
    while ((reply = next_reply(fd)) != 0) {
        last = reply;
        if (reply == CORDON_MSG_STARTED || reply == CORDON_MSG_FAILED) {
            break;
        }
    }
    if (reply == 0) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        char byte;

        /* No answer is only right when the connection was closed. */
        reply = poll(&wait, 1, 0) == 1 && recv(fd, &byte, 1, 0) <= 0 ? CORDON_MSG_BYE : 0;
    }
    (void)printf("%s: %s (last reply %u)\n", name,
                 reply == CORDON_MSG_FAILED    ? "FAILED"
                 : reply == CORDON_MSG_BYE     ? "closed"
                 : reply == CORDON_MSG_STARTED ? "STARTED"
                                               : "NO ANSWER",
                 last);
    (void)close(fd);
    return reply == CORDON_MSG_FAILED || reply == CORDON_MSG_BYE ? 0 : 1;
}

static int bad(void)
{
    const char *name;
    int wrong = 0;

    for (size_t i = 0;; i++) {
        struct script script = {.bytes = STRBUF_INIT};

        if (!script_bad(i, &script, &name)) {
            return wrong;
        }
        wrong |= one_bad(name, &script);
        strbuf_deinit(&script.bytes);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    (void)setvbuf(stdout, NULL, _IONBF, 0);
    if (strcmp(what, "cut") == 0) {
        return cut();
    }
    if (strcmp(what, "states") == 0) {
        return states();
    }
    if (strcmp(what, "flood") == 0) {
        return flood();
    }
    if (argc > 2 && strcmp(what, "crowd") == 0) {
        return crowd((size_t)strtoul(argv[2], NULL, 10));
    }
    if (argc > 2 && strcmp(what, "say") == 0) {
        return say(argv + 2, (size_t)argc - 2);
    }
    if (argc > 3 && strcmp(what, "orphan") == 0) {
        return orphan(strcmp(argv[2], "after") == 0, argv + 3, (size_t)argc - 3);
    }
    return strcmp(what, "bad") == 0 ? bad() : 64;
}

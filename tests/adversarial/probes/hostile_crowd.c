/* SPDX-License-Identifier: Apache-2.0 */
/* Connections and descriptors in numbers, and who is taken for the one that asks. */
#include "hostile_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/frame.h"

#define FDS_MOST 253 /* that the kernel lets one message carry */
#define FLOODS 64    /* connections of one kind of flood, all open at once */
#define ROUNDS 20    /* messages on each */

/* ---- who asks ---- */

static bool greet(int fd)
{
    struct script script = {.bytes = STRBUF_INIT};
    bool sent;

    script_hello(&script);
    sent = send_script(fd, &script, script.bytes.len);
    strbuf_deinit(&script.bytes);
    return sent && next_reply(fd) == CORDON_MSG_WELCOME;
}

static int conversation(int fd, char *const *argv, size_t argc)
{
    struct script script = {.bytes = STRBUF_INIT, .own_streams = true};
    unsigned last = 0;
    unsigned reply;

    script_spawn(&script, argv, argc);
    (void)send_script(fd, &script, script.bytes.len);
    strbuf_deinit(&script.bytes);
    while ((reply = next_reply(fd)) != 0) {
        last = reply;
        if (reply == CORDON_MSG_EXITED || reply == CORDON_MSG_FAILED) {
            break;
        }
    }
    (void)fprintf(stderr, "%s\n",
                  last == CORDON_MSG_EXITED   ? "RAN"
                  : last == CORDON_MSG_FAILED ? "FAILED"
                                              : "closed");
    (void)close(fd);
    return 0;
}

int say(char *const *argv, size_t argc)
{
    int fd = try_connect();

    if (fd < 0) {
        (void)fprintf(stderr, "unreachable: %s\n", strerror(errno));
        return 0;
    }
    (void)greet(fd);
    return conversation(fd, argv, argc);
}

/*
 * Prints its number and ends, @greeted: after HELLO; its child waits for a line and then asks on
 * the same connection.
 */
int orphan(bool greeted, char *const *argv, size_t argc)
{
    int fd = try_connect();
    char line;

    if (fd < 0) {
        perror("connect");
        return 70;
    }
    if (greeted && !greet(fd)) {
        return 70;
    }
    (void)printf("%d\n", (int)getpid());
    if (fork() != 0) {
        _exit(0);
    }
    if (read(0, &line, 1) != 1) {
        return 70;
    }
    if (!greeted) {
        (void)greet(fd);
    }
    return conversation(fd, argv, argc);
}

/* ---- numbers ---- */

static void many_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int crowd(size_t count)
{
    struct script script = {.bytes = STRBUF_INIT};
    size_t held = 0;
    char line;

    many_descriptors();
    script_hello(&script);
    for (size_t i = 0; i < count; i++) {
        int fd = try_connect();

        if (fd < 0) {
            perror("connect");
            return 70;
        }
        if (send_script(fd, &script, script.bytes.len) && next_reply(fd) == CORDON_MSG_WELCOME) {
            held++;
        }
        /* A refused one stays open on this side, too. */
    }
    strbuf_deinit(&script.bytes);
    (void)printf("%zu held\n", held);
    while (read(0, &line, 1) > 0) {
    }
    return 0;
}

/* One message: @len bytes of a good header, @count copies of @passed, and a length that is @lie
 * more than that takes. */
static void pass(int fd, const char *data, size_t len, int passed, size_t count, int lie)
{
    static union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * FDS_MOST) + 64];
    } control;
    struct iovec part = {.iov_len = len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};

    memcpy(&part.iov_base, &data, sizeof(void *));
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = (socklen_t)((int)CMSG_LEN(sizeof(int) * count) + lie);
    for (size_t i = 0; i < count; i++) {
        memcpy(CMSG_DATA(&control.head) + i * sizeof(int), &passed, sizeof(int));
    }
    message.msg_controllen = (socklen_t)CMSG_SPACE(sizeof(int) * count);
    (void)sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

enum flood_kind {
    FLOOD_OF_FILES,    /* with each byte of a header */
    FLOOD_OF_SOCKETS,  /* each connection within itself, for the kernel to untangle */
    FLOOD_AFTER_HELLO, /* unread while the worker is busy, then all at once */
    FLOOD_OF_LIES,     /* lengths that do not fit the data: what the kernel lets through */
    FLOOD_KINDS
};

static void flood_one(int fd, enum flood_kind kind, const struct script *hello)
{
    const char *data = strbuf_text(&hello->bytes);
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (kind == FLOOD_AFTER_HELLO) {
        (void)send_script(fd, hello, hello->bytes.len);
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        static const int lies[] = {-1, 1, 8, -17, 64, 1 << 20};

        switch (kind) {
        case FLOOD_OF_FILES:
        case FLOOD_AFTER_HELLO:
            pass(fd, data + i % FRAME_HEADER_SIZE, 1, file, FDS_MOST, 0);
            break;
        case FLOOD_OF_SOCKETS:
            pass(fd, data + i % FRAME_HEADER_SIZE, 1, fd, FDS_MOST, 0);
            break;
        case FLOOD_OF_LIES:
            pass(fd, data + i % FRAME_HEADER_SIZE, 1, file, 7, lies[i % 6]);
            break;
        case FLOOD_KINDS:
            break;
        }
    }
    (void)close(file);
}

/* True when the service ended the conversation. */
static bool was_dropped(int fd)
{
    unsigned reply;

    while ((reply = next_reply(fd)) != 0) {
        if (reply == CORDON_MSG_FAILED) {
            return true;
        }
    }
    return recv(fd, &reply, 1, MSG_DONTWAIT) == 0 || errno != EAGAIN;
}

int flood(void)
{
    struct script hello = {.bytes = STRBUF_INIT};
    int wrong = 0;

    many_descriptors();
    script_hello(&hello);
    for (enum flood_kind kind = FLOOD_OF_FILES; kind < FLOOD_KINDS; kind++) {
        int fds[FLOODS];
        size_t dropped = 0;

        for (size_t i = 0; i < FLOODS; i++) {
            fds[i] = try_connect();
            if (fds[i] < 0) {
                perror("connect");
                return 70;
            }
            flood_one(fds[i], kind, &hello);
            (void)shutdown(fds[i], SHUT_WR);
        }
        for (size_t i = 0; i < FLOODS; i++) {
            dropped += was_dropped(fds[i]);
            (void)close(fds[i]);
        }
        (void)printf("flood %d: %zu of %d dropped\n", (int)kind, dropped, FLOODS);
        wrong |= dropped != FLOODS;
    }
    strbuf_deinit(&hello.bytes);
    return wrong;
}

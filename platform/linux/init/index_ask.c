/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/index_ask.h"

#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/index/wire.h"
#include "platform/linux/init/alias.h"
#include "platform/linux/pass.h"

#define ANSWER_MS 50000 /* within the time that a set-up may take */

int index_hold(int socket, uint32_t uid, bool ahead, const int fds[HELD_COUNT])
{
    struct index_request request = {
        .magic = INDEX_MAGIC, .want = INDEX_HOLD, .uid = uid, .ahead = ahead};
    struct pass pass = {.count = HELD_COUNT};
    int pair[2];
    bool sent;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return -1;
    }
    memcpy(pass.fds, fds, HELD_COUNT * sizeof(int));
    pass.fds[HELD_LIFE] = pair[1];
    sent = pass_send(socket, &request, sizeof(request), &pass);
    (void)close(pair[1]);
    if (!sent) {
        (void)close(pair[0]);
        return -1;
    }
    return pair[0];
}

int index_receive(int from, struct index_reply *ret_reply)
{
    struct pollfd ready = {.fd = from, .events = POLLIN};
    struct pass pass;

    if (poll(&ready, 1, ANSWER_MS) != 1 ||
        pass_receive(from, ret_reply, sizeof(*ret_reply), MSG_DONTWAIT, &pass) !=
            (ssize_t)sizeof(*ret_reply)) {
        *ret_reply = (struct index_reply){.status = INDEX_FAILED};
        return -1;
    }
    if (pass.count == 1 && ret_reply->magic == INDEX_MAGIC && ret_reply->status == INDEX_OK) {
        return pass.fds[0];
    }
    /* A descriptor that could not be taken is an answer that was cut short. */
    if (ret_reply->magic != INDEX_MAGIC || ret_reply->fds != pass.count) {
        ret_reply->status = INDEX_FAILED;
    }
    pass_close(&pass);
    return -1;
}

static int ask(const struct index_question *question, uint64_t *ret_build_us)
{
    struct index_request request = {.magic = INDEX_MAGIC, .want = INDEX_ASK, .dev = question->dev};
    struct index_reply reply;
    int pair[2];
    int fd = -1;
    bool sent;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return -1;
    }
    sent = pass_send(question->socket, &request, sizeof(request), PASS_ONE(pair[1]));
    /* Ours is closed: should the index end, nobody holds the other end, and we are told. */
    (void)close(pair[1]);
    if (sent) {
        fd = index_receive(pair[0], &reply);
        *ret_build_us = reply.build_us;
    }
    (void)close(pair[0]);
    return fd;
}

/* One name, as each mount shows it. */
static bool name_take(const struct index_question *question, const struct object *object,
                      const char *name)
{
    static struct strbuf path = STRBUF_INIT;
    bool ok = true;

    for (size_t i = 0; ok && i < question->host->count; i++) {
        const struct mount_entry *mount = &question->host->mounts[i];

        if (mount->dev == question->dev && path_is_below(name, mount->root)) {
            path_move(name, mount->root, mount->path, &path);
            ok = !path.failed && question->take(question->context, object, path.data);
        }
    }
    return ok;
}

static enum cordon_err block_take(const struct index_question *question, const void *block,
                                  size_t len)
{
    struct index_cursor cursor;
    struct index_entry entry;

    if (!index_open(block, len, &cursor)) {
        return CORDON_E_UNSUPPORTED;
    }
    while (index_next(&cursor, &entry)) {
        const char *name = entry.names;

        for (uint32_t i = 0; i < entry.name_count; i++) {
            if (!name_take(question, &entry.object, name)) {
                return CORDON_E_NOMEM;
            }
            name += strlen(name) + 1;
        }
    }
    return cursor.left == 0 ? CORDON_OK : CORDON_E_UNSUPPORTED;
}

enum cordon_err index_ask(const struct index_question *question, uint64_t *ret_build_us)
{
    int fd = ask(question, ret_build_us);
    enum cordon_err err = CORDON_E_UNSUPPORTED;
    struct stat st;
    void *block;

    if (fd < 0) {
        return err;
    }
    if (fstat(fd, &st) == 0 && st.st_size > 0 && (uint64_t)st.st_size <= INDEX_BYTES_MAX) {
        block = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (block != MAP_FAILED) {
            err = block_take(question, block, (size_t)st.st_size);
            (void)munmap(block, (size_t)st.st_size);
        }
    }
    (void)close(fd);
    return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Host unix sockets, found by the kernel's table of them: a job may reach none but those it is
 * granted, so what is bound when it starts is masked. */
#include "platform/linux/init/init.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/base/strbuf.h"

#define CONNECTED 3U         /* SS_CONNECTED of <linux/net.h> */
#define TABLE_AT_ONCE 16384U /* of many lines; one has no more than 200 bytes */

static bool socket_is_kept(const struct init *init, const struct stat *st)
{
    const struct order_step *steps = order_steps(init->order);

    for (uint32_t i = 0; i < init->order->step_count; i++) {
        if (steps[i].op == ORDER_SOCKET && steps[i].dev == st->st_dev &&
            steps[i].ino == st->st_ino) {
            return true;
        }
    }
    return false;
}

static enum cordon_err mask_socket_at(struct init *init, const char *path)
{
    enum cordon_err err = CORDON_OK;
    struct stat st;
    int fd = view_open(init, path, true);

    if (fd < 0) {
        return view_is_absent(errno)
                   ? CORDON_OK
                   : fault_os(&init->fault, errno, NULL, "cannot look at %s", path);
    }
    if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) && !socket_is_kept(init, &st)) {
        err = mask_object(init, fd, false);
    }
    (void)close(fd);
    return err;
}

static enum cordon_err mask_socket(struct init *init, const char *path)
{
    static struct strbuf other = STRBUF_INIT;
    enum cordon_err err = mask_socket_at(init, path);

    for (size_t i = 0; err == CORDON_OK && i < init->aliases.count; i++) {
        if (path_is_below(path, init->aliases.items[i].spelled)) {
            path_move(path, init->aliases.items[i].spelled, init->aliases.items[i].real, &other);
            err = other.failed ? fault_set(&init->fault, CORDON_E_NOMEM, NULL, "out of memory")
                               : mask_socket_at(init, other.data);
        }
    }
    return err;
}

/* ---- the table: "Num RefCount Protocol Flags Type St Inode Path", see man 5 proc ---- */

static const char *next_word(const char *at)
{
    at += strcspn(at, " ");
    return at + strspn(at, " ");
}

/*
 * "Inode Path", of a line that has a path. The end of a connection has its listener's name, and
 * comes and goes.
 */
static const char *line_name(const char *line)
{
    const char *at = line;
    unsigned long type;
    unsigned long state;

    for (int words = 0; words < 4; words++) {
        at = next_word(at);
    }
    type = strtoul(at, NULL, 16);
    at = next_word(at);
    state = strtoul(at, NULL, 16);
    at = next_word(at);
    return strstr(at, " /") == NULL || (type != SOCK_DGRAM && state == CONNECTED) ? NULL : at;
}

static const char *name_path(const char *name)
{
    return strstr(name, " /") + 1;
}

/* What is done about each name; an error ends it. */
typedef enum cordon_err name_fn(struct init *init, const char *name);

static enum cordon_err table_fault(struct init *init)
{
    return fault_os(&init->fault, errno, NULL, "cannot read the table of unix sockets");
}

/* Of the lines that end among the first *len bytes of @text; what is left comes to its start. */
static enum cordon_err lines_take(struct init *init, name_fn *act, char *text, size_t *len)
{
    enum cordon_err err = CORDON_OK;
    size_t at = 0;
    char *end;

    while (err == CORDON_OK && (end = memchr(text + at, '\n', *len - at)) != NULL) {
        const char *name;

        *end = '\0';
        name = line_name(text + at);
        if (name != NULL) {
            err = act(init, name);
        }
        at = (size_t)(end + 1 - text);
    }
    *len -= at;
    memmove(text, text + at, *len);
    return err;
}

/* Without a call for memory: see park_look(). */
static enum cordon_err names_each(struct init *init, name_fn *act)
{
    static char text[TABLE_AT_ONCE];
    enum cordon_err err = CORDON_OK;
    size_t len = 0;
    ssize_t got = 1;

    if (lseek(INIT_FD_SOCKETS, 0, SEEK_SET) != 0) {
        return table_fault(init);
    }
    while (err == CORDON_OK && got != 0) {
        got = read(INIT_FD_SOCKETS, text + len, sizeof(text) - len);
        if (got < 0 && errno != EINTR) {
            return table_fault(init);
        }
        len += got > 0 ? (size_t)got : 0;
        err = lines_take(init, act, text, &len);
        if (err == CORDON_OK && len == sizeof(text)) {
            errno = EOVERFLOW;
            return table_fault(init);
        }
    }
    return err;
}

/* ---- masking, and what is new since then ---- */

static enum cordon_err name_note(struct init *init, const char *name)
{
    if ((init->socket_count & (init->socket_count - 1)) == 0) {
        const size_t room = init->socket_count == 0 ? 1 : init->socket_count * 2;
        char **grown = realloc(init->sockets, room * sizeof(*grown));

        if (grown == NULL) {
            return fault_set(&init->fault, CORDON_E_NOMEM, NULL, "out of memory");
        }
        init->sockets = grown;
    }
    init->sockets[init->socket_count] = strdup(name);
    if (init->sockets[init->socket_count] == NULL) {
        return fault_set(&init->fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    init->socket_count++;
    return CORDON_OK;
}

static enum cordon_err name_mask(struct init *init, const char *name)
{
    enum cordon_err err = mask_socket(init, name_path(name));

    return err == CORDON_OK && init->ahead ? name_note(init, name) : err;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum cordon_err sockets_mask(struct init *init)
{
    uint32_t before = init->masked;
    enum cordon_err err = names_each(init, name_mask);

    if (init->socket_count > 0) {
        qsort(init->sockets, init->socket_count, sizeof(*init->sockets), compare);
    }
    /* Sockets are not what a rule denied; they have their own line in the plan. */
    init->masked = before;
    return err;
}

/* Bound since: then it is of no matter only if it cannot be seen from here. */
static enum cordon_err name_must_be_known(struct init *init, const char *name)
{
    struct stat st;
    int fd;
    bool new;

    if (init->socket_count > 0 && bsearch(&name, init->sockets, init->socket_count,
                                          sizeof(*init->sockets), compare) != NULL) {
        return CORDON_OK;
    }
    fd = view_open(init, name_path(name), true);
    new = fd >= 0 ? fstat(fd, &st) != 0 || S_ISSOCK(st.st_mode) : !view_is_absent(errno);
    if (fd >= 0) {
        (void)close(fd);
    }
    return new ? CORDON_E_STATE : CORDON_OK;
}

bool sockets_are_masked(struct init *init)
{
    return names_each(init, name_must_be_known) == CORDON_OK;
}

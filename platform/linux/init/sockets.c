/* SPDX-License-Identifier: Apache-2.0 */
/* Host unix sockets, found by the kernel's table of them: a job may reach none but those it is
 * granted, so what is bound when it starts is masked. */
#include "platform/linux/init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/base/strbuf.h"

#define CONNECTED 3U /* SS_CONNECTED of <linux/net.h> */

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

/* "Num RefCount Protocol Flags Type St Inode Path": man 5 proc. */
static const char *line_path(const char *line)
{
    const char *slash = strchr(line, '/');

    return slash != NULL && slash > line && slash[-1] == ' ' ? slash : NULL;
}

/* The end of a connection has its listener's name, and comes and goes. */
static bool line_is_connection(const char *line)
{
    unsigned type;
    unsigned state;

    return sscanf(line, "%*s %*s %*s %*s %x %x", &type, &state) == 2 && type != SOCK_DGRAM &&
           state == CONNECTED;
}

static uint64_t text_sum(const char *text)
{
    uint64_t sum = 0xcbf29ce484222325U; /* FNV-1a */

    for (; *text != '\0'; text++) {
        sum = (sum ^ (unsigned char)*text) * 0x100000001b3U;
    }
    return sum;
}

/* Calls @each, if there is one, with every name; *ret_sum stands for those one could connect to. */
static enum cordon_err names_read(struct init *init,
                                  enum cordon_err (*each)(struct init *init, const char *path),
                                  uint64_t *ret_sum)
{
    int fd = fcntl(INIT_FD_SOCKETS, F_DUPFD_CLOEXEC, INIT_FD_COUNT);
    FILE *table = fd >= 0 && lseek(fd, 0, SEEK_SET) == 0 ? fdopen(fd, "r") : NULL;
    enum cordon_err err = CORDON_OK;
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    if (table == NULL) {
        return fault_os(&init->fault, errno, NULL, "cannot read the table of unix sockets");
    }
    *ret_sum = 0;
    while (err == CORDON_OK && (len = getline(&line, &size, table)) > 0) {
        const char *path;

        line[len - 1] = line[len - 1] == '\n' ? '\0' : line[len - 1];
        path = line_path(line);
        if (path != NULL && each != NULL) {
            err = each(init, path);
        }
        if (path != NULL && !line_is_connection(line)) {
            *ret_sum += text_sum(path);
        }
    }
    if (err == CORDON_OK && !feof(table)) {
        err = fault_os(&init->fault, errno, NULL, "cannot read the table of unix sockets");
    }
    free(line);
    (void)fclose(table);
    return err;
}

enum cordon_err sockets_mask(struct init *init)
{
    uint32_t before = init->masked;
    enum cordon_err err = names_read(init, mask_socket, &init->sockets);

    /* Sockets are not what a rule denied; they have their own line in the plan. */
    init->masked = before;
    return err;
}

bool sockets_are_same(struct init *init)
{
    uint64_t sum;

    return names_read(init, NULL, &sum) == CORDON_OK && sum == init->sockets;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/init/sys.h"
#include "platform/linux/pass.h"
#include "policy/types.h"

#define STRINGS_MAX (16U * 1024U * 1024U)
#define COMMAND_FDS 4U /* the strings' memfd, then up to three streams */

#define LANDLOCK_ABI_TRUNCATE 3U

static const char *const stream_names[] = {"standard input", "standard output", "standard error"};

/* For good. NULL: no memory. */
static void *room_for(size_t size)
{
    static _Alignas(char *) char most[8192]; /* of commands need no more */

    return size <= sizeof(most) ? most : malloc(size);
}

static bool strings_read(int fd, char *text, size_t len)
{
    size_t done = 0;

    while (done < len) {
        const ssize_t got = pread(fd, text + done, len - done, (off_t)done);

        if (got <= 0 && (got == 0 || errno != EINTR)) {
            return false;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return true;
}

/* Splits the strings into the two vectors that execve() takes. */
static enum cordon_err strings_split(struct init *init, struct command *command, int fd)
{
    const struct channel_command *head = &command->head;
    size_t count = (size_t)head->argc + head->envc;
    char **vector;
    char *text;
    char *end;

    if (head->argc == 0 || head->argc > STRINGS_MAX || head->envc > STRINGS_MAX ||
        head->strings_len > STRINGS_MAX) {
        return fault_set(&init->fault, CORDON_E_INVALID, NULL, "malformed command");
    }
    vector = room_for((count + 2) * sizeof(*vector) + head->strings_len);
    if (vector == NULL) {
        return fault_set(&init->fault, CORDON_E_NOMEM, NULL, "the command is too long");
    }
    text = (char *)(vector + count + 2);
    end = text + head->strings_len;
    if (!strings_read(fd, text, head->strings_len)) {
        return fault_set(&init->fault, CORDON_E_INVALID, NULL, "malformed command");
    }
    for (size_t i = 0; i < count; i++) {
        char *nul = memchr(text, '\0', (size_t)(end - text));

        if (nul == NULL) {
            return fault_set(&init->fault, CORDON_E_INVALID, NULL, "malformed command");
        }
        /* argv, its NULL, the environment, its NULL */
        vector[i < head->argc ? i : i + 1] = text;
        text = nul + 1;
    }
    vector[head->argc] = NULL;
    vector[count + 1] = NULL;
    command->argv = vector;
    command->env = vector + head->argc + 1;
    return CORDON_OK;
}

static void stdio_take(struct command *command, const int *fds, size_t count)
{
    size_t next = 1;

    for (int i = 0; i < 3; i++) {
        bool sent = (command->head.stdio_mask & (1U << i)) != 0;

        command->stdio[i] = sent && next < count ? fds[next++] : -1;
    }
}

/* A terminal of the job's own; the master goes back to the caller. */
static enum cordon_err terminal_open(struct init *init, struct command *command)
{
    struct winsize size = {.ws_row = command->head.rows, .ws_col = command->head.cols};
    struct channel_answer answer = {.magic = CHANNEL_MAGIC, .has_pty = 1};
    int master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    int unlock = 0;
    int slave = -1;

    if (master >= 0 && ioctl(master, TIOCSPTLCK, &unlock) == 0) {
        slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    }
    if (slave < 0 || ioctl(slave, TIOCSWINSZ, &size) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot open a terminal for the job");
    }
    if (!pass_send(INIT_FD_CHANNEL, &answer, sizeof(answer), PASS_ONE(master))) {
        return fault_os(&init->fault, errno, NULL, "cannot hand over the job's terminal");
    }
    (void)close(master);
    command->pty_slave = slave;
    return CORDON_OK;
}

/* The kernel's program kept back what comes after the first @count descriptors. */
static enum cordon_err stream_kept_back(struct init *init, const struct command *command,
                                        size_t count)
{
    size_t next = 1;

    for (int i = 0; i < 3; i++) {
        if ((command->head.stdio_mask & (1U << i)) != 0 && next++ == count) {
            return fault_set(&init->fault, CORDON_E_DENIED, "pass another file",
                             "%s is a file that the policy denies", stream_names[i]);
        }
    }
    return fault_set(&init->fault, CORDON_E_CLOSED, NULL, "no command was sent");
}

enum cordon_err command_receive(struct init *init, struct command *ret_command)
{
    struct pass pass;
    enum cordon_err err;

    if (pass_receive(INIT_FD_CHANNEL, &ret_command->head, sizeof(ret_command->head), 0, &pass) !=
            (ssize_t)sizeof(ret_command->head) ||
        ret_command->head.magic != CHANNEL_MAGIC) {
        return fault_set(&init->fault, CORDON_E_CLOSED, NULL, "no command was sent");
    }
    if (pass.is_cut) {
        return stream_kept_back(init, ret_command, pass.count);
    }
    if (pass.count == 0 || pass.count > COMMAND_FDS) {
        return fault_set(&init->fault, CORDON_E_INVALID, NULL, "malformed command");
    }
    ret_command->pty_slave = -1;
    stdio_take(ret_command, pass.fds, pass.count);
    ret_command->strings = pass.fds[0];
    err = strings_split(init, ret_command, pass.fds[0]);
    if (err == CORDON_OK && ret_command->head.pty != 0) {
        err = terminal_open(init, ret_command);
    }
    return err;
}

/* The host's name of an open file, NUL-terminated; 0: it has none. */
static size_t stream_path(int fd, char *path, size_t room)
{
    char link[64];
    ssize_t len;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, path, room);
    if (len <= 0 || (size_t)len >= room || path[0] != '/') {
        return 0;
    }
    path[len] = '\0';
    return (size_t)len;
}

static bool stream_is_denied(const struct init *init, int fd)
{
    char path[PATH_MAX];
    size_t len = stream_path(fd, path, sizeof(path));

    if (len == 0) {
        return false;
    }
    for (uint32_t set = 0; set < ORDER_SET_COUNT; set++) {
        uint32_t rule = dfa_match(init->table[set], path, len);

        if (rule != DFA_NO_RULE && order_access(init->order, set)[rule] == ACCESS_DENY) {
            return true;
        }
    }
    return false;
}

/*
 * A file handed over for reading comes by a mount of the host, where it may be
 * reopened for writing. Landlock forbids that, since Linux 6.2 truncating as
 * well; without it the stream becomes the same file as the view has it, at the same offset (no
 * longer a shared one).
 */
static enum cordon_err stream_reopen(struct init *init, int fd, const struct stat *st)
{
    char path[PATH_MAX];
    struct stat seen;
    int view = -1;

    if (st->st_nlink == 0) {
        return CORDON_OK; /* a file without a name: nothing is kept by it */
    }
    if (stream_path(fd, path, sizeof(path)) > 0) {
        view = sys_openat2(AT_FDCWD, path, O_RDONLY | O_NOCTTY | O_NONBLOCK,
                           RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
    }
    if (view < 0 || fstat(view, &seen) != 0 || seen.st_dev != st->st_dev ||
        seen.st_ino != st->st_ino || lseek(view, lseek(fd, 0, SEEK_CUR), SEEK_SET) < 0 ||
        fcntl(view, F_SETFL, fcntl(fd, F_GETFL)) != 0 || dup2(view, fd) != fd) {
        if (view >= 0) {
            (void)close(view);
        }
        return fault_set(&init->fault, CORDON_E_DENIED, "pass it through a pipe",
                         "%s is not in the sandbox under its name, and without Landlock it could "
                         "be written to",
                         stream_names[fd]);
    }
    (void)close(view);
    return CORDON_OK;
}

/* What a stream must not be: a way around the view. */
static enum cordon_err stream_check(struct init *init, int fd)
{
    struct stat st;
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || (flags & O_PATH) != 0 || fstat(fd, &st) != 0) {
        return fault_set(&init->fault, CORDON_E_DENIED, "redirect it to a file or a pipe",
                         "%s is not an open stream", stream_names[fd]);
    }
    if (S_ISDIR(st.st_mode)) {
        return fault_set(&init->fault, CORDON_E_DENIED, "redirect it to a file or a pipe",
                         "%s is a directory: it would open the host's tree below it",
                         stream_names[fd]);
    }
    if (S_ISREG(st.st_mode) && stream_is_denied(init, fd)) {
        return fault_set(&init->fault, CORDON_E_DENIED, "pass another file",
                         "%s is a file that the policy denies", stream_names[fd]);
    }
    if (S_ISREG(st.st_mode) && (flags & O_ACCMODE) == O_RDONLY &&
        init->order->landlock_abi < LANDLOCK_ABI_TRUNCATE &&
        (init->order->flags & ORDER_FULL_ACCESS) == 0) {
        return stream_reopen(init, fd, &st);
    }
    return CORDON_OK;
}

static enum cordon_err directory_enter(struct init *init)
{
    const char *path = order_text(init->order, init->order->cwd);
    struct stat st;

    if (path == NULL) {
        return fault_set(&init->fault, CORDON_E_INVALID, NULL, "no working directory");
    }
    if (chdir(path) != 0) {
        return fault_os(&init->fault, errno,
                        "start from a directory that the policy lets the job read",
                        "the working directory %s cannot be entered in the sandbox", path);
    }
    if (stat(".", &st) != 0 || st.st_dev != init->order->cwd_dev ||
        st.st_ino != init->order->cwd_ino) {
        return fault_set(&init->fault, CORDON_E_DENIED,
                         "start from a directory that the policy lets the job read",
                         "the working directory %s is denied or was replaced", path);
    }
    return CORDON_OK;
}

static enum cordon_err stream_connect(struct init *init, const struct command *command, int fd)
{
    const bool terminal = (command->head.pty & (1U << fd)) != 0;
    const int given = terminal ? command->pty_slave : command->stdio[fd];
    const int from = given < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : given;

    if (from < 0) {
        return fault_os(&init->fault, errno, NULL, "cannot open /dev/null");
    }
    if (dup2(from, fd) != fd) {
        return fault_os(&init->fault, errno, NULL, "cannot connect the standard streams");
    }
    if (given < 0) {
        (void)close(from);
    }
    return CORDON_OK;
}

enum cordon_err command_prepare(struct init *init, struct command *command)
{
    for (int i = 0; i < 3; i++) {
        if (stream_connect(init, command, i) != CORDON_OK) {
            return init->fault.err;
        }
    }
    for (int i = 0; i < 3; i++) {
        if (stream_check(init, i) != CORDON_OK) {
            return init->fault.err;
        }
        if (command->stdio[i] >= 0) {
            (void)close(command->stdio[i]);
        }
    }
    if (command->pty_slave >= 0) {
        (void)close(command->pty_slave); /* it lives on as one of the streams */
    }
    return directory_enter(init);
}

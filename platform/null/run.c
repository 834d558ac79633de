/* SPDX-License-Identifier: Apache-2.0 */
/* In tests: the command runs as the caller, without any sandbox. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/host.h"
#include "platform/null/null_child.h"
#include "platform/null/null_job.h"

#define COMMAND_FDS 4U

bool null_may_run(void)
{
    return true;
}

/* NULL: not what a worker sends. */
static char **split(const struct channel_command *command, int fd)
{
    char *text =
        mmap(NULL, (size_t)command->strings_len + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    char **vector = calloc((size_t)command->argc + command->envc + 2, sizeof(*vector));
    const char *end;

    if (text == MAP_FAILED || vector == NULL) {
        return NULL;
    }
    end = text + command->strings_len;
    for (size_t i = 0; i < (size_t)command->argc + command->envc; i++) {
        char *nul = memchr(text, '\0', (size_t)(end - text));

        if (nul == NULL) {
            return NULL;
        }
        vector[i < command->argc ? i : i + 1] = text;
        text = nul + 1;
    }
    return vector;
}

static void place_stdio(const struct channel_command *command, const int *fds, size_t count)
{
    size_t next = 1;

    for (int i = 0; i < 3; i++) {
        int fd = (command->stdio_mask & (1U << i)) != 0 && next < count
                     ? fds[next++]
                     : open("/dev/null", O_RDWR | O_CLOEXEC);

        if (fd >= 0) {
            (void)dup2(fd, i);
        }
    }
}

static bool become(const struct platform_peer *peer)
{
    (void)umask((mode_t)peer->umask);
    if (geteuid() != 0) {
        return true;
    }
    return setgroups(peer->group_count, peer->group_count > 0 ? peer->groups : NULL) == 0 &&
           setresgid(peer->gid, peer->gid, peer->gid) == 0 &&
           setresuid(peer->uid, peer->uid, peer->uid) == 0;
}

static bool receive(int channel, struct channel_command *ret_command, int *fds, size_t *ret_count)
{
    struct host_chunk chunk;

    (void)fcntl(channel, F_SETFL, 0);
    for (;;) {
        enum cordon_err err =
            host_recv(channel, ret_command, sizeof(*ret_command), fds, COMMAND_FDS, &chunk);

        if (err == CORDON_E_AGAIN) {
            (void)usleep(1000);
            continue;
        }
        *ret_count = chunk.fd_count;
        return err == CORDON_OK && chunk.len == sizeof(*ret_command) && chunk.fd_count > 0 &&
               ret_command->magic == CHANNEL_MAGIC && ret_command->argc > 0;
    }
}

static void fail(int status, int code)
{
    ssize_t len = write(status, &code, sizeof(code));

    _exit(len < 0 ? 124 : 125);
}

void null_child(const struct platform_spawn *spawn, int status)
{
    struct channel_command command;
    int fds[COMMAND_FDS];
    size_t count = 0;
    char **vector;
    sigset_t none;

    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (!receive(spawn->fds[IPC_SPAWN_CHANNEL], &command, fds, &count)) {
        fail(status, EPROTO);
    }
    vector = split(&command, fds[0]);
    if (vector == NULL || fchdir(spawn->fds[IPC_SPAWN_CWD]) != 0) {
        fail(status, EINVAL);
    }
    place_stdio(&command, fds, count);
    if (!become(spawn->peer)) {
        fail(status, EPERM);
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    (void)execvpe(vector[0], vector, vector + command.argc + 1);
    fail(status, errno);
    _exit(125);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "client/lib.h"
#include "platform/link.h"
#include "proto/codec.h"

#define STREAM_OUT_UNUSED 65536U /* requests are written at once, not queued */

static void close_fd(void *context, int fd)
{
    (void)context;
    link_close(fd);
}

int cordon_open(unsigned flags, struct cordon **ret_cordon, struct cordon_error *ret_error)
{
    const struct stream_config config = {FRAME_TO_CLIENT, STREAM_OUT_UNUSED, close_fd, NULL};
    struct cordon_fault fault = {0};
    struct cordon *cordon = calloc(1, sizeof(*cordon));

    if (cordon == NULL) {
        (void)fault_set(&fault, CORDON_E_NOMEM, NULL, "out of memory");
        return lib_error(ret_error, CORDON_STATUS_SETUP, &fault);
    }
    if (lib_connect(flags, cordon, &fault) != CORDON_OK) {
        free(cordon);
        return lib_error(ret_error, CORDON_STATUS_SETUP, &fault);
    }
    cordon->last_id = LIB_HELLO_ID;
    stream_init(&cordon->in, &config);
    arena_init(&cordon->arena, MSG_ARENA_MAX);
    *ret_cordon = cordon;
    return 0;
}

void cordon_close(struct cordon *cordon)
{
    if (cordon == NULL) {
        return;
    }
    if (cordon->job != NULL) {
        cordon->job->cordon = NULL;
    }
    link_close(cordon->fd);
    if (cordon->broker > 0) {
        link_reap(cordon->broker);
    }
    stream_deinit(&cordon->in);
    arena_deinit(&cordon->arena);
    free(cordon);
}

static size_t list_len(const char *const *list)
{
    size_t n = 0;

    while (list != NULL && list[n] != NULL) {
        n++;
    }
    return n;
}

/* The wire's lists are shaped as an argv and never written through. */
static struct msg_list as_list(const char *const *items, size_t count)
{
    union {
        const char *const *in;
        char *const *out;
    } list = {.in = items};

    return (struct msg_list){list.out, count};
}

static struct msg_choice choice_of(const struct cordon_spawn_options *options, const char *cwd)
{
    return (struct msg_choice){
        .mode = options->mode,
        .profile = options->profile,
        .overrides = as_list(options->overrides, options->override_count),
        .os = (enum msg_os)options->system,
        .cwd_display = cwd,
        .codex_home = getenv("CODEX_HOME"),
        .tmpdir = getenv("TMPDIR"),
        .xdg_config_home = getenv("XDG_CONFIG_HOME"),
    };
}

/* Descriptors of SPAWN; @ret_null is opened only where a stream needs it. */
static enum cordon_err spawn_fds(const struct cordon_spawn_options *options, int ret_fds[4],
                                 int *ret_null, struct cordon_fault *fault)
{
    enum cordon_err err = CORDON_OK;

    for (int i = 0; err == CORDON_OK && i < 3; i++) {
        bool tty = (options->flags & ((unsigned)CORDON_SPAWN_TTY_STDIN << i)) != 0;

        ret_fds[SPAWN_FD_STDIN + i] = options->stdio[i];
        if (!tty && options->stdio[i] >= 0) {
            err = link_check_stream(options->stdio[i], fault);
        } else {
            err = *ret_null < 0 ? link_open_null(ret_null, fault) : CORDON_OK;
            ret_fds[SPAWN_FD_STDIN + i] = *ret_null;
        }
    }
    return err != CORDON_OK ? err : link_open_folder(options->cwd, &ret_fds[SPAWN_FD_CWD], fault);
}

static void fill_spawn(const struct cordon_spawn_options *options, const char *cwd,
                       struct message *ret)
{
    struct msg_spawn *spawn = &ret->u.spawn;
    const char *const *env = options->env;

    if (env == NULL) {
        union {
            char **in;
            const char *const *out;
        } list = {.in = link_environment()};

        env = list.out;
    }
    memset(ret, 0, sizeof(*ret));
    ret->type = CORDON_MSG_SPAWN;
    spawn->argv = as_list(options->argv, list_len(options->argv));
    spawn->env = as_list(env, list_len(env));
    spawn->choice = choice_of(options, cwd);
    spawn->choice.os = MSG_OS_HOST;
    spawn->log_denials = (options->flags & CORDON_SPAWN_LOG_DENIALS) != 0;
    spawn->json = (options->flags & CORDON_SPAWN_JSON) != 0;
    spawn->timeout_ms = options->timeout_ms;
    spawn->stdin_tty = (options->flags & CORDON_SPAWN_TTY_STDIN) != 0;
    spawn->stdout_tty = (options->flags & CORDON_SPAWN_TTY_STDOUT) != 0;
    spawn->stderr_tty = (options->flags & CORDON_SPAWN_TTY_STDERR) != 0;
    spawn->term_rows = options->rows;
    spawn->term_cols = options->cols;
}

static const char *display_cwd(const struct cordon_spawn_options *options, char *buf, size_t size)
{
    return options->cwd != NULL ? options->cwd : link_folder_name(buf, size);
}

static enum cordon_err send_spawn(struct cordon *cordon, uint32_t id,
                                  const struct cordon_spawn_options *options,
                                  struct cordon_fault *fault)
{
    char cwd[PATH_MAX];
    struct message message;
    int fds[4] = {-1, -1, -1, -1};
    int null_fd = -1;
    enum cordon_err err = spawn_fds(options, fds, &null_fd, fault);

    if (err == CORDON_OK) {
        fill_spawn(options, display_cwd(options, cwd, sizeof(cwd)), &message);
        err = lib_send(cordon, &message, id, &(const struct stream_fds){fds, 4}, fault);
    }
    link_close(null_fd);
    link_close(fds[SPAWN_FD_CWD]);
    return err;
}

int lib_sent(const struct cordon *cordon, enum cordon_err err, const struct cordon_fault *fault,
             struct cordon_error *ret_error)
{
    if (err == CORDON_OK || (err == CORDON_E_CLOSED && !cordon->lost)) {
        return 0;
    }
    return lib_error(ret_error, err == CORDON_E_INVALID ? CORDON_STATUS_USAGE : CORDON_STATUS_SETUP,
                     fault);
}

int lib_check_free(const struct cordon *cordon, struct cordon_error *ret_error)
{
    struct cordon_fault fault = {0};

    if (cordon->job == NULL) {
        return 0;
    }
    (void)fault_set(&fault, CORDON_E_STATE, "free it first", "the connection has a job");
    return lib_error(ret_error, CORDON_STATUS_USAGE, &fault);
}

int lib_request(struct cordon *cordon, const struct message *message,
                struct cordon_error *ret_error)
{
    struct cordon_fault fault = {0};
    const int status = lib_check_free(cordon, ret_error);

    return status != 0
               ? status
               : lib_sent(cordon, lib_send(cordon, message, ++cordon->last_id, NULL, &fault),
                          &fault, ret_error);
}

static int check(const struct cordon *cordon, const struct cordon_spawn_options *options,
                 struct cordon_error *ret_error)
{
    struct cordon_fault fault = {0};

    if (options->size != sizeof(*options)) {
        (void)fault_set(&fault, CORDON_E_INVALID, "rebuild against this version of cordon.h",
                        "options of another version");
        return lib_error(ret_error, CORDON_STATUS_USAGE, &fault);
    }
    return lib_check_free(cordon, ret_error);
}

int cordon_spawn(struct cordon *cordon, const struct cordon_spawn_options *options,
                 struct cordon_job **ret_job, struct cordon_error *ret_error)
{
    struct cordon_fault fault = {0};
    struct cordon_job *job;
    enum cordon_err err;
    int status = check(cordon, options, ret_error);

    if (status != 0) {
        return status;
    }
    job = calloc(1, sizeof(*job));
    if (job == NULL) {
        (void)fault_set(&fault, CORDON_E_NOMEM, NULL, "out of memory");
        return lib_error(ret_error, CORDON_STATUS_SETUP, &fault);
    }
    job->cordon = cordon;
    job->id = ++cordon->last_id;
    job->pty = -1;
    err = send_spawn(cordon, job->id, options, &fault);
    status = lib_sent(cordon, err, &fault, ret_error);
    if (status != 0) {
        free(job);
        return status;
    }
    cordon->job = job;
    *ret_job = job;
    return 0;
}

int cordon_plan(struct cordon *cordon, const struct cordon_spawn_options *options, char **ret_text,
                struct cordon_error *ret_error)
{
    char cwd[PATH_MAX];
    struct cordon_fault fault = {0};
    struct message message = {.type = CORDON_MSG_PLAN};
    int cwd_fd;
    enum cordon_err err;
    int status = check(cordon, options, ret_error);

    if (status != 0) {
        return status;
    }
    message.u.plan.choice = choice_of(options, display_cwd(options, cwd, sizeof(cwd)));
    message.u.plan.json = (options->flags & CORDON_SPAWN_JSON) != 0;
    err = link_open_folder(options->cwd, &cwd_fd, &fault);
    if (err == CORDON_OK) {
        const struct stream_fds fds = {&cwd_fd, 1};

        err = lib_send(cordon, &message, ++cordon->last_id, &fds, &fault);
        link_close(cwd_fd);
    }
    status = lib_sent(cordon, err, &fault, ret_error);
    return status != 0 ? status : lib_text(cordon, CORDON_MSG_PLAN_TEXT, ret_text, NULL, ret_error);
}

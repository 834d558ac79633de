/* SPDX-License-Identifier: Apache-2.0 */
#include "client/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/output.h"
#include "client/relay.h"

static const char *const system_names[] = {"this system", "linux", "macos", "windows"};

static bool has(const struct cli *cli, enum cli_opt opt)
{
    return (cli->seen & CLI_BIT(opt)) != 0;
}

static struct cordon_spawn_options options_of(const struct cli *cli, const struct tty *tty)
{
    struct cordon_spawn_options options = {
        .size = sizeof(options),
        .mode = cli->mode,
        .profile = cli->profile,
        .overrides = cli->overrides,
        .override_count = cli->override_count,
        .cwd = cli->cwd,
        .stdio = {0, 1, 2},
        .timeout_ms = cli->timeout_ms,
        .system = (enum cordon_system)cli->os,
    };
    union {
        char **in;
        const char *const *out;
    } argv = {.in = cli->command};

    options.argv = argv.out;
    options.flags = has(cli, CLI_OPT_LOG_DENIALS) ? CORDON_SPAWN_LOG_DENIALS : 0U;
    options.flags |= has(cli, CLI_OPT_JSON) ? CORDON_SPAWN_JSON : 0U;
    for (int fd = 0; fd < 3; fd++) {
        if (tty->stream[fd]) {
            options.flags |= (unsigned)CORDON_SPAWN_TTY_STDIN << fd;
        }
    }
    if (tty->out >= 0) {
        tty_size(tty, &options.rows, &options.cols);
    }
    return options;
}

static int fail(const struct cli *cli, const struct cordon_error *error)
{
    output_error(error, has(cli, CLI_OPT_JSON));
    return error->status;
}

/* What the command's end means for ours; the one line where it was not its own doing. */
static int finish(const struct cli *cli, const struct cordon_event *end)
{
    struct cordon_error error = {.status = end->status};

    switch (end->end) {
    case CORDON_END_EXITED:
        break;
    case CORDON_END_SIGNALLED:
        if (end->error.text[0] != '\0') {
            output_error(&end->error, has(cli, CLI_OPT_JSON));
        }
        break;
    case CORDON_END_TIMEOUT:
        (void)snprintf(error.text, sizeof(error.text), "%s",
                       end->error.text[0] != '\0' ? end->error.text
                                                  : "the command was ended: its time was up");
        output_error(&error, has(cli, CLI_OPT_JSON));
        break;
    case CORDON_END_FAILED:
        output_error(&end->error, has(cli, CLI_OPT_JSON));
        break;
    case CORDON_END_KILLED:
        (void)strcpy(error.text, "the broker ended the command");
        output_error(&error, has(cli, CLI_OPT_JSON));
        break;
    }
    return end->status;
}

static void tell_missed(const struct cli *cli, struct relay_result *result)
{
    if (has(cli, CLI_OPT_LOG_DENIALS) && result->end.violations > result->told) {
        strbuf_puts(&result->lines, has(cli, CLI_OPT_JSON) ? "" : "cordon: ");
        output_missed(result->end.violations - result->told, has(cli, CLI_OPT_JSON),
                      &result->lines);
    }
}

static int run_job(const struct cli *cli, struct cordon *cordon)
{
    struct cordon_spawn_options options;
    struct relay_result result;
    struct cordon_job *job;
    struct cordon_error error;
    struct tty tty;
    int status;

    tty_find(&tty);
    options = options_of(cli, &tty);
    status = cordon_spawn(cordon, &options, &job, &error);
    if (status != 0) {
        return fail(cli, &error);
    }
    status = relay_run(job, &tty, has(cli, CLI_OPT_JSON), &result, &error);
    if (status != 0) {
        (void)fail(cli, &error);
    } else {
        /* A failure is one line; what would have held does not matter then. */
        if (result.end.end != CORDON_END_FAILED) {
            tell_missed(cli, &result);
            output_lines(&result.lines);
        }
        status = finish(cli, &result.end);
    }
    strbuf_deinit(&result.lines);
    cordon_job_free(job);
    return status;
}

static int print_plan(const struct cli *cli, struct cordon *cordon)
{
    const struct tty none = {.in = -1, .out = -1};
    struct cordon_spawn_options options = options_of(cli, &none);
    struct strbuf out = STRBUF_INIT;
    struct cordon_error error;
    char *text;
    int status = cordon_plan(cordon, &options, &text, &error);

    if (status != 0) {
        return fail(cli, &error);
    }
    strbuf_puts(&out, text);
    free(text);
    status = output_text(&out);
    strbuf_deinit(&out);
    return status;
}

/* A system word other than this host's can only be planned for. */
static bool elsewhere(const struct cli *cli)
{
    return cli->os != CLI_OS_HOST && cli->os != CLI_OS_THIS;
}

int run_sandbox(const struct cli *cli)
{
    struct cordon *cordon;
    struct cordon_error error;
    bool plan = has(cli, CLI_OPT_PRINT_PLAN);
    int status;

    if (elsewhere(cli) && !plan) {
        struct strbuf text = STRBUF_INIT;

        strbuf_printf(&text, "sandbox %s: this host is %s and cannot run it", system_names[cli->os],
                      system_names[CLI_OS_THIS]);
        output_failure(strbuf_text(&text), "use sandbox linux, or --print-plan to see the plan");
        strbuf_deinit(&text);
        return CORDON_STATUS_USAGE;
    }
    status = cordon_open(has(cli, CLI_OPT_EMBEDDED) ? (unsigned)CORDON_OPEN_EMBEDDED : 0U, &cordon,
                         &error);
    if (status != 0) {
        return fail(cli, &error);
    }
    status = plan ? print_plan(cli, cordon) : run_job(cli, cordon);
    cordon_close(cordon);
    return status;
}

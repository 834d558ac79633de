/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client/output.h"
#include "client/run.h"

struct told {
    struct strbuf out;
    bool json;
    bool last;
};

static bool has(const struct cli *cli, enum cli_opt opt)
{
    return (cli->seen & CLI_BIT(opt)) != 0;
}

static void take(struct told *told, const struct cordon_event *event)
{
    if (event->kind == CORDON_EVENT_VIOLATION) {
        output_record(event, told->json, &told->out);
        return;
    }
    if (event->missed > 0) {
        output_missed(event->missed, told->json, &told->out);
    }
    told->last = event->last != 0;
}

/* Whoever reads our output has gone: then there is nobody to tell. */
static int print(struct told *told, int follow)
{
    int status = told->out.len == 0 ? 0 : output_text(&told->out);

    told->out.len = 0;
    return follow != 0 && status != 0 ? CORDON_STATUS_SETUP : status;
}

static int tell(struct cordon *cordon, struct told *told, int follow, struct cordon_error *error)
{
    int status = 0;

    while (status == 0 && !told->last) {
        struct cordon_event event;
        /* What has come is printed before waiting for more. */
        int got = cordon_violations_wait(cordon, told->out.len > 0 ? 0 : -1, &event, error);

        if (got == 0) {
            take(told, &event);
        } else if (got != CORDON_NOTHING_YET) {
            (void)print(told, follow);
            output_error(error, told->json);
            return got;
        }
        if (got != 0 || told->out.len > 65536) {
            status = print(told, follow);
        }
    }
    return status == 0 ? print(told, follow) : status;
}

int run_violations(const struct cli *cli)
{
    struct told told = {.out = STRBUF_INIT, .json = has(cli, CLI_OPT_JSON)};
    int follow = has(cli, CLI_OPT_FOLLOW) ? 1 : 0;
    struct cordon *cordon;
    struct cordon_error error;
    int status = cordon_open(CORDON_OPEN_SERVICE, &cordon, &error);

    if (status != 0) {
        output_error(&error, told.json);
        return status;
    }
    status = cordon_violations(cordon, follow, &error);
    if (status != 0) {
        output_error(&error, told.json);
    } else {
        status = tell(cordon, &told, follow, &error);
    }
    strbuf_deinit(&told.out);
    cordon_close(cordon);
    return status;
}

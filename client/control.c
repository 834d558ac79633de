/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdlib.h>

#include "client/output.h"
#include "client/run.h"

/* What is asked for; the text for standard output, or NULL. */
struct answer {
    char *text;
    int broken; /* the text says what is wrong */
};

static int ask_jobs(struct cordon *cordon, const struct cli *cli, struct answer *answer,
                    struct cordon_error *error)
{
    return cordon_report(cordon, CORDON_REPORT_JOBS, (cli->seen & CLI_BIT(CLI_OPT_JSON)) != 0,
                         &answer->text, error);
}

static int ask_status(struct cordon *cordon, const struct cli *cli, struct answer *answer,
                      struct cordon_error *error)
{
    return cordon_report(cordon, CORDON_REPORT_STATUS, (cli->seen & CLI_BIT(CLI_OPT_JSON)) != 0,
                         &answer->text, error);
}

static int ask_kill(struct cordon *cordon, const struct cli *cli, struct answer *answer,
                    struct cordon_error *error)
{
    (void)answer;
    return cordon_kill(cordon, cli->operand[0], cli->signo != 0 ? cli->signo : SIGTERM, error);
}

static int ask_reload(struct cordon *cordon, const struct cli *cli, struct answer *answer,
                      struct cordon_error *error)
{
    return cordon_reload(cordon, (cli->seen & CLI_BIT(CLI_OPT_JSON)) != 0, &answer->text,
                         &answer->broken, error);
}

static const struct {
    enum cli_verb verb;
    unsigned flags; /* a private broker has no jobs of others, and nothing to reload */
    int (*ask)(struct cordon *cordon, const struct cli *cli, struct answer *answer,
               struct cordon_error *error);
} rows[] = {
    {CLI_PS, CORDON_OPEN_SERVICE, ask_jobs},
    {CLI_KILL, CORDON_OPEN_SERVICE, ask_kill},
    {CLI_STATUS, 0, ask_status},
    {CLI_RELOAD, CORDON_OPEN_SERVICE, ask_reload},
};

static int print(const struct answer *answer, bool json)
{
    struct strbuf out = STRBUF_INIT;
    int status = answer->broken != 0 ? CORDON_STATUS_FAILED : 0;

    if (answer->text == NULL) {
        return status;
    }
    strbuf_puts(&out, answer->text);
    if (answer->broken != 0 && !json) {
        output_lines(&out);
    } else if (output_text(&out) != 0) {
        status = CORDON_STATUS_FAILED;
    }
    strbuf_deinit(&out);
    return status;
}

int run_control(const struct cli *cli)
{
    const bool json = (cli->seen & CLI_BIT(CLI_OPT_JSON)) != 0;
    struct answer answer = {.text = NULL};
    struct cordon *cordon;
    struct cordon_error error;
    size_t i = 0;
    unsigned flags;
    int status;

    while (rows[i].verb != cli->row->verb) {
        i++;
    }
    flags = (cli->seen & CLI_BIT(CLI_OPT_EMBEDDED)) != 0 ? CORDON_OPEN_EMBEDDED : rows[i].flags;
    status = cordon_open(flags, &cordon, &error);
    if (status == 0) {
        status = rows[i].ask(cordon, cli, &answer, &error);
        cordon_close(cordon);
    }
    if (status != 0) {
        output_error(&error, json);
    } else {
        status = print(&answer, json);
    }
    free(answer.text);
    return status;
}

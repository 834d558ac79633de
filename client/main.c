/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <string.h>

#include "client/cli.h"
#include "client/output.h"
#include "client/run.h"
#include "platform/link.h"
#include "platform/siblings.h"

#define ARGUMENTS_MAX ((size_t)32U * 1024U * 1024U)

/* Verbs that read policy are another program, so that this one stays small. */
static int run_elsewhere(char **argv)
{
    char path[PATH_MAX];
    struct cordon_fault fault = {0};

    if (sibling_path("cordon-policy", path, sizeof(path), &fault) == CORDON_OK) {
        (void)link_become(path, argv, &fault);
    }
    output_failure(fault.text, fault.remedy);
    return CORDON_STATUS_SETUP;
}

static int run_text(const struct cli *cli)
{
    struct strbuf out = STRBUF_INIT;
    size_t count;
    const struct cli_verb_row *rows = cli_verbs(&count);
    const struct cli_verb_row *about = NULL;
    int status = 0;

    if (cli->row->verb == CLI_VERSION) {
        strbuf_puts(&out, "cordon " CORDON_VERSION "\n");
    } else if (cli->row->verb == CLI_COMPLETION) {
        if (completion_script(cli->operand[0], &out) != CORDON_OK) {
            output_failure("there is no completion for that shell", "bash, zsh or fish");
            status = CORDON_STATUS_USAGE;
        }
    } else {
        for (size_t i = 0; cli->operand_count > 0 && i < count && about == NULL; i++) {
            const char *sub = cli->operand_count > 1 ? cli->operand[1] : rows[i].sub;

            if (strcmp(rows[i].name, cli->operand[0]) == 0 &&
                (rows[i].sub == NULL || strcmp(rows[i].sub, sub) == 0)) {
                about = &rows[i];
            }
        }
        cli_usage(about, &out);
    }
    if (status == 0) {
        status = output_text(&out);
    }
    strbuf_deinit(&out);
    return status;
}

static int run_verb(const struct cli *cli, char **argv)
{
    if (cli->row->elsewhere) {
        return run_elsewhere(argv);
    }
    switch (cli->row->verb) {
    case CLI_SANDBOX:
        return run_sandbox(cli);
    case CLI_VIOLATIONS:
        return run_violations(cli);
    case CLI_PS:
    case CLI_KILL:
    case CLI_STATUS:
    case CLI_RELOAD:
        return run_control(cli);
    case CLI_WHY:
    case CLI_POLICY_SHOW:
    case CLI_POLICY_CHECK:
    case CLI_POLICY_TEST:
    case CLI_POLICY_KEYGEN:
    case CLI_POLICY_SIGN:
    case CLI_POLICY_VERIFY:
    case CLI_DOCTOR:
    case CLI_COMPLETION:
    case CLI_VERSION:
    case CLI_HELP:
        break;
    }
    return run_text(cli);
}

int main(int argc, char **argv)
{
    struct cordon_fault fault = {0};
    struct arena arena;
    struct cli cli;
    int status;

    argv = link_arguments(argc, argv);
    if (argv == NULL || !link_fill_stdio()) {
        return CORDON_STATUS_SETUP;
    }
    arena_init(&arena, ARGUMENTS_MAX);
    if (cli_parse(argc, argv, &arena, &cli, &fault) == CORDON_OK) {
        status = run_verb(&cli, argv);
    } else {
        output_failure(fault.text, fault.remedy);
        status = CORDON_STATUS_USAGE;
    }
    arena_deinit(&arena);
    return status;
}

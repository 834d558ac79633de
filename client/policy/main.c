/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client/output.h"
#include "client/policy/tool.h"
#include "platform/base/jsonw.h"
#include "platform/link.h"

#define ARENA_MAX ((size_t)512U * 1024U * 1024U)

/*
 * A fault of a file begins with FILE:LINE:COLUMN, which editors and CI read: it
 * gets no word of ours in front.
 */
int tool_fail(struct tool *tool, const struct cordon_fault *fault)
{
    struct jsonw json = JSONW_INIT(&tool->out);
    struct strbuf line = STRBUF_INIT;

    if (tool->json) {
        strbuf_deinit(&tool->out);
        jsonw_object(&json, NULL);
        jsonw_bool(&json, "valid", false);
        jsonw_string(&json, "error", cordon_err_name(fault->err));
        jsonw_string(&json, "text", fault->text);
        jsonw_string(&json, "remedy", fault->remedy[0] != '\0' ? fault->remedy : NULL);
        jsonw_object_end(&json);
        jsonw_newline(&json);
        return 1;
    }
    strbuf_plain(&line, fault->text);
    if (fault->remedy[0] != '\0') {
        strbuf_puts(&line, "; ");
        strbuf_plain(&line, fault->remedy);
    }
    strbuf_puts(&line, "\n");
    output_lines(&line);
    strbuf_deinit(&line);
    return 1;
}

static int run(struct tool *tool)
{
    static int (*const verbs[])(struct tool *) = {
        [CLI_WHY] = verb_why,
        [CLI_POLICY_SHOW] = verb_show,
        [CLI_POLICY_CHECK] = verb_check,
        [CLI_POLICY_TEST] = verb_test,
        [CLI_POLICY_KEYGEN] = verb_keygen,
        [CLI_POLICY_SIGN] = verb_sign,
        [CLI_POLICY_VERIFY] = verb_verify,
        [CLI_DOCTOR] = verb_doctor,
    };
    int status = verbs[tool->cli->row->verb](tool);

    if (output_text(&tool->out) != 0) {
        status = 1;
    }
    return status;
}

static void release(struct tool *tool)
{
    if (tool->is_resolved) {
        tool->platform->resolved_release(&tool->resolved);
    }
    dfa_free(tool->managed_table);
    dfa_free(tool->own_table);
    managed_files_deinit(&tool->managed);
    fetched_deinit(&tool->fetched);
    strbuf_deinit(&tool->out);
    arena_deinit(&tool->arena);
}

int main(int argc, char **argv)
{
    struct cordon_fault fault = {0};
    struct tool tool = {.out = STRBUF_INIT};
    struct cli cli;
    int status = CORDON_STATUS_USAGE;

    host_fill_stdio();
    argv = link_arguments(argc, argv);
    if (argv == NULL) {
        return CORDON_STATUS_SETUP;
    }
    arena_init(&tool.arena, ARENA_MAX);
    if (cli_parse(argc, argv, &tool.arena, &cli, &fault) != CORDON_OK) {
        output_failure(fault.text, fault.remedy);
    } else if (!cli.row->elsewhere) {
        output_failure("this program runs the verbs that read policy", "run cordon");
    } else {
        tool.cli = &cli;
        tool.json = (cli.seen & CLI_BIT(CLI_OPT_JSON)) != 0;
        status = run(&tool);
    }
    release(&tool);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client/cli.h"

static void usage_line(const struct cli_verb_row *row, struct strbuf *out)
{
    strbuf_printf(out, "cordon %s%s%s%s%s%s", row->name, row->sub != NULL ? " " : "",
                  row->sub != NULL ? row->sub : "", row->options != 0 ? " [OPTION...]" : "",
                  row->synopsis[0] != '\0' ? " " : "", row->synopsis);
}

static void option_lines(uint32_t allowed, struct strbuf *out)
{
    size_t count;
    const struct cli_option_row *rows = cli_options(&count);

    for (size_t i = 0; i < count; i++) {
        char left[64] = "";

        if (rows[i].help == NULL || (allowed & CLI_BIT(rows[i].opt)) == 0) {
            continue;
        }
        strncat(left, rows[i].name, 30);
        if (rows[i].value != NULL) {
            strcat(left, " ");
            strncat(left, rows[i].value, 20);
        }
        if (rows[i].letter != 0) {
            strbuf_printf(out, "  -%c, --%-28s %s\n", rows[i].letter, left, rows[i].help);
        } else {
            strbuf_printf(out, "      --%-28s %s\n", left, rows[i].help);
        }
    }
}

void cli_usage(const struct cli_verb_row *row, struct strbuf *out)
{
    size_t count;
    const struct cli_verb_row *rows = cli_verbs(&count);

    if (row != NULL) {
        strbuf_puts(out, "usage: ");
        usage_line(row, out);
        strbuf_printf(out, "\n%s\n", row->help);
        option_lines(row->options, out);
        return;
    }
    strbuf_puts(out, "usage: cordon VERB [OPTION...] [ARG...]\n");
    for (size_t i = 0; i < count; i++) {
        strbuf_puts(out, "\n  ");
        usage_line(&rows[i], out);
        strbuf_printf(out, "\n      %s\n", rows[i].help);
    }
    strbuf_puts(out, "\nOptions:\n");
    option_lines(UINT32_MAX, out);
    strbuf_puts(out, "\nSee cordon(1).\n");
}

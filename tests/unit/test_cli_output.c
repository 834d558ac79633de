/* SPDX-License-Identifier: Apache-2.0 */
#include "client/output.h"
#include "tests/support/check.h"

TEST(control_bytes_never_reach_the_terminal)
{
    struct strbuf out = STRBUF_INIT;

    strbuf_plain(&out, "a\x1b[31m\nb\x9b\x7f\xc3\xa9");
    CHECK_STR(strbuf_text(&out), "a\\x1b[31m\\x0ab\\x9b\\x7f\\xc3\\xa9");
    strbuf_deinit(&out);
}

TEST(what_is_escaped_already_stays)
{
    struct strbuf out = STRBUF_INIT;

    strbuf_plain(&out, "a\\nb");
    CHECK_STR(strbuf_text(&out), "a\\nb");
    strbuf_deinit(&out);
}

static const struct cordon_event denial = {.kind = CORDON_EVENT_VIOLATION,
                                           .operation = "read",
                                           .path = "/home/a/x\ny",
                                           .rule = "deny_read[2]",
                                           .origin = "/etc/cordon/requirements.toml:7",
                                           .command = "c\x1b",
                                           .pid = 4121};

TEST(a_denial_is_one_line)
{
    struct strbuf out = STRBUF_INIT;

    output_violation(&denial, false, &out);
    CHECK_STR(strbuf_text(&out), "cordon: denied read /home/a/x\\ny (deny_read[2], "
                                 "/etc/cordon/requirements.toml:7) by c\\x1b[4121]\n");
    strbuf_deinit(&out);
}

TEST(a_denial_as_json_is_one_line)
{
    struct strbuf out = STRBUF_INIT;

    output_violation(&denial, true, &out);
    CHECK(strchr(strbuf_text(&out), '\n') == strbuf_text(&out) + out.len - 1);
    CHECK(strstr(strbuf_text(&out), "\"pid\":4121") != NULL);
    strbuf_deinit(&out);
}

TEST_MAIN()

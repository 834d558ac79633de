/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/base/jsonw.h"

#include "tests/support/check.h"

TEST(values_of_an_object_are_separated_and_named)
{
    struct strbuf out = STRBUF_INIT;
    struct jsonw json = JSONW_INIT(&out);

    jsonw_object(&json, NULL);
    jsonw_string(&json, "a", "x");
    jsonw_uint(&json, "b", UINT64_MAX);
    jsonw_int(&json, "c", -5);
    jsonw_bool(&json, "d", true);
    jsonw_bool(&json, "e", false);
    jsonw_string(&json, "f", NULL);
    jsonw_object_end(&json);
    CHECK_STR(strbuf_text(&out), "{\"a\":\"x\",\"b\":18446744073709551615,\"c\":-5,\"d\":true,"
                                 "\"e\":false,\"f\":null}");
    strbuf_deinit(&out);
}

TEST(arrays_nest_and_a_level_starts_without_a_comma)
{
    struct strbuf out = STRBUF_INIT;
    struct jsonw json = JSONW_INIT(&out);

    jsonw_array(&json, NULL);
    jsonw_array(&json, NULL);
    jsonw_array_end(&json);
    jsonw_object(&json, NULL);
    jsonw_array(&json, "k");
    jsonw_uint(&json, NULL, 1);
    jsonw_uint(&json, NULL, 2);
    jsonw_array_end(&json);
    jsonw_object_end(&json);
    jsonw_array_end(&json);
    CHECK_STR(strbuf_text(&out), "[[],{\"k\":[1,2]}]");
    strbuf_deinit(&out);
}

TEST(bytes_that_json_or_a_terminal_would_read_are_escaped)
{
    struct strbuf out = STRBUF_INIT;
    struct jsonw json = JSONW_INIT(&out);

    jsonw_string(&json, NULL, "q\"b\\n\nt\t\x7f\xc3\xa4");
    CHECK_STR(strbuf_text(&out), "\"q\\\"b\\\\n\\nt\\u0009\\u007f\\u00c3\\u00a4\"");
    strbuf_deinit(&out);
}

TEST(a_string_may_hold_nul)
{
    struct strbuf out = STRBUF_INIT;
    struct jsonw json = JSONW_INIT(&out);

    jsonw_string_len(&json, NULL, "a\0b", 3);
    CHECK_STR(strbuf_text(&out), "\"a\\u0000b\"");
    strbuf_deinit(&out);
}

TEST(lines_stand_alone)
{
    struct strbuf out = STRBUF_INIT;
    struct jsonw json = JSONW_INIT(&out);

    jsonw_object(&json, NULL);
    jsonw_object_end(&json);
    jsonw_newline(&json);
    jsonw_object(&json, NULL);
    jsonw_object_end(&json);
    jsonw_newline(&json);
    CHECK_STR(strbuf_text(&out), "{}\n{}\n");
    strbuf_deinit(&out);
}

TEST_MAIN()

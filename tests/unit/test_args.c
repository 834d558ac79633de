/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/args.h"
#include "tests/support/check.h"

/* What the documentation of the C library's rules has as examples, and their corners. */
TEST(arguments_are_quoted_so_that_they_come_back)
{
    static const struct {
        const char *arg, *quoted;
    } rows[] = {
        {"plain", "plain"},
        {"", "\"\""},
        {"a b", "\"a b\""},
        {"a\tb", "\"a\tb\""},
        {"C:\\x\\", "C:\\x\\"},
        {"C:\\a b\\", "\"C:\\a b\\\\\""},
        {"a\"b", "\"a\\\"b\""},
        {"a\\\"b", "\"a\\\\\\\"b\""},
        {"\\\\\"", "\"\\\\\\\\\\\"\""},
        {"\"", "\"\\\"\""},
        {"a\\b c", "\"a\\b c\""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct strbuf out = STRBUF_INIT;

        args_quote(&out, rows[i].arg);
        CHECK_STR(strbuf_text(&out), rows[i].quoted);
        strbuf_deinit(&out);
    }
}

/* The C library's reading: backslashes count only in front of a quotation mark. */
static void read_one(const char *text, char *arg)
{
    bool inside = false;

    while (*text != '\0') {
        size_t slashes = strspn(text, "\\");

        text += slashes;
        if (*text == '"') {
            memset(arg, '\\', slashes / 2);
            arg += slashes / 2;
            if (slashes % 2 == 1) {
                *arg++ = '"';
            } else {
                inside = !inside;
            }
            text++;
        } else {
            memset(arg, '\\', slashes);
            arg += slashes;
            if (*text != '\0') {
                CHECK(inside || strchr(" \t", *text) == NULL);
                *arg++ = *text++;
            }
        }
    }
    CHECK(!inside);
    *arg = '\0';
}

TEST(every_short_text_of_what_matters_comes_back)
{
    static const char letters[] = "a\\\" \t";

    for (unsigned number = 0; number < 5U * 5U * 5U * 5U * 5U * 5U; number++) {
        struct strbuf out = STRBUF_INIT;
        char arg[8] = "", back[64];
        unsigned rest = number;

        for (size_t i = 0; i < number % 7; i++, rest /= 5) {
            arg[i] = letters[rest % 5];
        }
        args_quote(&out, arg);
        read_one(strbuf_text(&out), back);
        CHECK_STR(back, arg);
        strbuf_deinit(&out);
    }
}

TEST_MAIN()

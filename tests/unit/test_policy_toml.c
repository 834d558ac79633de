/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/tree.h"
#include "tests/unit/policy_world.h"

static const struct toml_source source = {LAYER_USER, "/x.toml", "/x.toml"};
static struct toml_value tree;

static enum cordon_err parse_bytes(const char *text, size_t len)
{
    world_reset();
    return toml_parse(&source, text, len, &world.arena, &tree, &world.fault);
}

static enum cordon_err parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

static enum cordon_err override(const char *text)
{
    world_reset();
    return override_parse(text, &world.arena, &tree, &world.fault);
}

TEST(entries_keep_the_order_of_the_source)
{
    CHECK(parse("z = 1\na = 2\nm = 3\n") == CORDON_OK);
    CHECK(tree.count == 3);
    CHECK_STR(tree.as.entries[0].key, "z");
    CHECK_STR(tree.as.entries[2].key, "m");
}

TEST(keys_and_values_know_line_and_column)
{
    CHECK(parse("# c\n[t]\nkey = \"v\"\n") == CORDON_OK);
    const struct toml_entry *entry = tree_find(tree_get(&tree, "t"), "key");
    CHECK(entry != NULL && entry->pos.line == 3 && entry->pos.column == 1);
    CHECK(entry->value.pos.line == 3 && entry->value.pos.column == 7);
    CHECK(entry->pos.source == &source);
}

TEST(every_type_is_told_apart)
{
    CHECK(parse("b = true\ni = 1\nf = 1.5\nd = 1979-05-27\ns = \"x\"\na = [1]\nt = {}\n") ==
          CORDON_OK);
    static const enum toml_type types[] = {TOML_BOOL,   TOML_INT,   TOML_FLOAT, TOML_TIME,
                                           TOML_STRING, TOML_ARRAY, TOML_TABLE};
    for (size_t i = 0; i < tree.count; i++) {
        CHECK(tree.as.entries[i].value.type == types[i]);
    }
}

TEST(empty_text_is_an_empty_table)
{
    CHECK(parse_bytes(NULL, 0) == CORDON_OK);
    CHECK(tree.type == TOML_TABLE && tree.count == 0);
}

TEST(byte_order_mark_and_crlf_are_accepted)
{
    CHECK(parse("\xef\xbb\xbf"
                "a = 1\r\nb = 2\r\n") == CORDON_OK);
    CHECK(tree.count == 2);
}

TEST(duplicate_key_is_an_error_with_its_place)
{
    CHECK_FAILS(parse("a = 1\na = 2\n"), CORDON_E_SYNTAX, "/x.toml:2:");
}

TEST(malformed_text_says_where)
{
    CHECK_FAILS(parse("a = 1\nb = [1,\n"), CORDON_E_SYNTAX, "/x.toml:2:");
}

TEST(bad_utf8_is_an_error)
{
    CHECK_FAILS(parse("a = \"\xff\xfe\"\n"), CORDON_E_SYNTAX, "/x.toml:1:");
}

TEST(letters_outside_of_strings_are_an_error_not_a_crash)
{
    CHECK_FAILS(parse("\xc4\xbf = 1\n"), CORDON_E_SYNTAX, "/x.toml:1:1");
    CHECK_FAILS(parse("a = \xc4\xbf\n"), CORDON_E_SYNTAX, "/x.toml:1:5");
    CHECK_FAILS(parse("\xc2\xa0 a = 1\n"), CORDON_E_SYNTAX, "/x.toml:1:1");
    CHECK(parse("a = \"\"\"\\\n  \xc4\xbf\"\"\" # \xc4\xbf\n") == CORDON_OK);
    CHECK_STR(tree_text(&tree, "a", ""), "\xc4\xbf");
}

TEST(nul_is_an_error_raw_and_escaped)
{
    CHECK_FAILS(parse_bytes("a = \"x\0y\"\n", 10), CORDON_E_SYNTAX, "/x.toml:1:7: a control");
    CHECK_FAILS(parse_bytes("\n[\0a.b]\n", 8), CORDON_E_SYNTAX, "/x.toml:2:2: a control");
    CHECK_FAILS(parse("# \x7f\n"), CORDON_E_SYNTAX, "/x.toml:1:3: a control");
    CHECK_FAILS(parse("a = \"x\\u0000y\"\n"), CORDON_E_INVALID, "NUL");
    CHECK_FAILS(parse("\"x\\u0000\" = 1\n"), CORDON_E_INVALID, "NUL");
    CHECK_FAILS(parse("a = [\"\\u0000\"]\n"), CORDON_E_INVALID, "NUL");
}

TEST(text_over_the_cap_is_refused_unread)
{
    static char big[POLICY_FILE_MAX + 1];

    memset(big, '#', sizeof(big));
    CHECK_FAILS(parse_bytes(big, sizeof(big)), CORDON_E_LIMIT, "/x.toml:1:1");
    CHECK(parse_bytes(big, sizeof(big) - 1) == CORDON_OK);
}

TEST(nesting_is_bounded_in_every_notation)
{
    static char text[POLICY_FILE_MAX];
    size_t half = sizeof(text) / 2;

    memset(text, '[', sizeof(text));
    memcpy(text, "a = ", 4);
    CHECK(parse_bytes(text, sizeof(text)) == CORDON_E_SYNTAX);
    for (size_t i = 0; i < half; i++) {
        memcpy(text + 2 * i, "a.", 2);
    }
    memcpy(text + sizeof(text) - 4, "=1\n", 4);
    CHECK_FAILS(parse_bytes(text, sizeof(text) - 1), CORDON_E_LIMIT, "too deeply");
    CHECK_FAILS(parse("[a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a]\n"
                      "b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b = 1\n"),
                CORDON_E_LIMIT, "/x.toml:2:");
    CHECK_FAILS(parse("[a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a]\n"
                      "b = [{b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b = 1}]\n"),
                CORDON_E_LIMIT, "too deeply");
}

TEST(dots_in_strings_and_comments_are_not_nesting)
{
#define DOTS "........................................"
    CHECK(parse("a = \"" DOTS "\"\nb = '" DOTS "' # " DOTS "\n") == CORDON_OK);
    CHECK(parse("a = \"\"\"\n" DOTS "\\\"\n" DOTS "\"\"\"\nb = '''\n" DOTS "'''\n") == CORDON_OK);
    CHECK(parse("a = \"\\\"" DOTS "\"\n") == CORDON_OK);
    CHECK(parse("a = [1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5,"
                "1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5,"
                "1.5, 1.5, 1.5, 1.5]\n") == CORDON_OK);
    CHECK(parse("a = \"unclosed\nb = 1\n") == CORDON_E_SYNTAX);
    CHECK(parse("a = \"unclosed\\") == CORDON_E_SYNTAX);
}

TEST(typed_getters_fall_back_on_other_types)
{
    CHECK(parse("n = -1\nbig = 99999999999\nok = 7\nb = true\ns = \"x\"\n") == CORDON_OK);
    CHECK(tree_uint(&tree, "n", 5) == 5 && tree_uint(&tree, "big", 5) == 5);
    CHECK(tree_uint(&tree, "ok", 5) == 7 && tree_uint(&tree, "s", 5) == 5);
    CHECK(tree_bool(&tree, "b", false) && tree_bool(&tree, "s", true));
    CHECK_STR(tree_text(&tree, "s", "y"), "x");
    CHECK_STR(tree_text(&tree, "b", "y"), "y");
    CHECK(tree_get(NULL, "a") == NULL);
    CHECK(tree_get(tree_get(&tree, "ok"), "a") == NULL);
}

TEST(merge_joins_tables_and_replaces_the_rest)
{
    struct toml_value over;
    struct toml_value merged;

    CHECK(parse("s = \"low\"\nl = [1, 2]\nx = {k = 1}\n[t]\na = 1\nb = 1\n") == CORDON_OK);
    CHECK(toml_parse(&source, "l = [3]\nx = 5\n[t]\nb = 2\nc = 3\n", 30, &world.arena, &over,
                     &world.fault) == CORDON_OK);
    CHECK(tree_merge(&tree, &over, &world.arena, &merged) == CORDON_OK);
    CHECK_STR(tree_text(&merged, "s", ""), "low");
    CHECK(tree_get(&merged, "l")->count == 1);
    CHECK(tree_uint(&merged, "x", 0) == 5);
    const struct toml_value *table = tree_get(&merged, "t");
    CHECK(table->count == 3 && tree_uint(table, "b", 0) == 2 && tree_uint(table, "a", 0) == 1);
    CHECK(tree_uint(tree_get(&tree, "t"), "b", 0) == 1);
}

TEST(override_value_is_toml_or_else_a_string)
{
    CHECK(override("a.b=true") == CORDON_OK);
    CHECK(tree_bool(tree_get(&tree, "a"), "b", false));
    CHECK(override("a=workspace-write") == CORDON_OK);
    CHECK_STR(tree_text(&tree, "a", ""), "workspace-write");
    CHECK(override("a=[\"x\", 'y']") == CORDON_OK);
    CHECK(tree_get(&tree, "a")->count == 2);
    CHECK(override("a={b = 1}") == CORDON_OK);
    CHECK(override("a=") == CORDON_OK);
    CHECK_STR(tree_text(&tree, "a", "x"), "");
}

TEST(override_key_may_quote_segments)
{
    CHECK(override("permissions.dev.filesystem.\"~/.a=b.c\"=\"deny\"") == CORDON_OK);
    const struct toml_value *files =
        tree_get(tree_get(tree_get(&tree, "permissions"), "dev"), "filesystem");
    CHECK_STR(tree_text(files, "~/.a=b.c", ""), "deny");
    CHECK(override("'x' = 1") == CORDON_OK);
    CHECK(tree_uint(&tree, "x", 0) == 1);
}

TEST(override_value_cannot_add_keys)
{
    CHECK(override("a=1\nb=2") == CORDON_OK);
    CHECK(tree.count == 1);
    CHECK_STR(tree_text(&tree, "a", ""), "1\nb=2");
}

TEST(bad_override_names_itself)
{
    CHECK_FAILS(override("sandbox_mode"), CORDON_E_INVALID, "no \"=\"");
    CHECK_FAILS(override("~/x=1"), CORDON_E_INVALID, "not a dotted key");
    CHECK_FAILS(override("=1"), CORDON_E_INVALID, "not a dotted key");
    CHECK_FAILS(override("[a]\nb=1"), CORDON_E_INVALID, "not a dotted key");
    CHECK_FAILS(override("a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1"),
                CORDON_E_LIMIT, "too deeply");
}

TEST(override_is_capped)
{
    static char text[POLICY_FILE_MAX + 2];

    memset(text, 'a', sizeof(text) - 1);
    CHECK_FAILS(override(text), CORDON_E_LIMIT, "-c");
}

TEST_MAIN()

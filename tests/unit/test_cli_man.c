/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "client/cli.h"
#include "policy/fetch_config.h"
#include "tests/support/check.h"

#define PAGE_MAX ((size_t)256U * 1024U)

static char page[PAGE_MAX];

static void load(const char *name)
{
    char path[4096];
    FILE *file;
    size_t len;

    (void)snprintf(path, sizeof(path), "%s/%s", MAN_FOLDER, name);
    file = fopen(path, "r");
    CHECK(file != NULL);
    len = fread(page, 1, sizeof(page) - 1, file);
    page[len] = '\0';
    (void)fclose(file);
    CHECK(len > 0);
}

static bool part_of_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* True if @word stands in the page by itself. */
static bool has(const char *word)
{
    size_t len = strlen(word);

    for (const char *at = strstr(page, word); at != NULL; at = strstr(at + 1, word)) {
        if ((at == page || !part_of_word(at[-1])) && !part_of_word(at[len])) {
            return true;
        }
    }
    (void)fprintf(stderr, "missing: %s\n", word);
    return false;
}

TEST(every_verb_is_in_the_manual)
{
    size_t count;
    const struct cli_verb_row *rows = cli_verbs(&count);

    load("cordon.1");
    for (size_t i = 0; i < count; i++) {
        char words[64];

        (void)snprintf(words, sizeof(words), ".It Ic %s%s%s", rows[i].name,
                       rows[i].sub != NULL ? " " : "", rows[i].sub != NULL ? rows[i].sub : "");
        CHECK(has(words));
    }
}

TEST(every_option_is_in_the_manual)
{
    size_t count;
    const struct cli_option_row *rows = cli_options(&count);

    load("cordon.1");
    for (size_t i = 0; i < count; i++) {
        char words[64];

        if (rows[i].hint != NULL) {
            continue;
        }
        (void)snprintf(words, sizeof(words), "Fl -%s", rows[i].name);
        CHECK(strstr(page, words) != NULL);
        if (rows[i].letter != 0) {
            (void)snprintf(words, sizeof(words), ".It Fl %c , Fl -%s", rows[i].letter,
                           rows[i].name);
            CHECK(has(words));
        }
    }
    for (size_t i = 0; cli_modes[i] != NULL; i++) {
        CHECK(has(cli_modes[i]));
    }
}

TEST(every_exit_status_is_in_the_manual)
{
    static const char *const statuses[] = {".It 2",   ".It 124", ".It 125",
                                           ".It 126", ".It 127", ".It 128+n"};

    load("cordon.1");
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        CHECK(has(statuses[i]));
    }
}

static void check_keys(const struct schema *schema, int depth)
{
    CHECK(depth < 16);
    for (size_t i = 0; i < schema->count; i++) {
        CHECK(has(schema->keys[i].name));
        if (schema->keys[i].inner != NULL) {
            check_keys(schema->keys[i].inner, depth + 1);
        }
    }
    if (schema->each != NULL && schema->each->inner != NULL) {
        check_keys(schema->each->inner, depth + 1);
    }
}

TEST(every_key_of_a_configuration_is_in_the_manual)
{
    load("cordon-config.5");
    check_keys(&schema_config, 0);
}

TEST(every_key_of_the_requirements_is_in_the_manual)
{
    load("cordon-requirements.5");
    check_keys(&schema_requirements, 0);
}

TEST(every_key_of_fetch_toml_is_in_the_manual)
{
    load("cordon-fetch.8");
    check_keys(&schema_fetch, 0);
}

TEST_MAIN()

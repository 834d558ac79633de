/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/parity/table.h"

#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 1024

struct reading {
    struct arena *arena;
    struct table *table;
    struct table_policy *policy; /* NULL: in the world, or before it */
    unsigned line;
};

static const char *append(struct arena *arena, const char *text, const char *line)
{
    return arena_printf(arena, "%s%s\n", text, line);
}

static bool read_section(struct reading *r, const char *line)
{
    size_t len = strlen(line);

    if (strcmp(line, "[world]") == 0) {
        r->policy = NULL;
        return true;
    }
    if (strncmp(line, "[policy ", 8) != 0 || line[len - 1] != ']' ||
        r->table->policy_count == TABLE_POLICIES_MAX) {
        return false;
    }
    r->policy = &r->table->policies[r->table->policy_count++];
    *r->policy = (struct table_policy){
        .name = arena_strndup(r->arena, line + 8, len - 9), .config = "", .require = ""};
    return true;
}

static bool read_ask(struct reading *r, const char *line)
{
    struct table_policy *policy = r->policy;

    if (strlen(line) < 4 || line[2] != ' ' || policy->ask_count == TABLE_ASKS_MAX ||
        strchr("r-", line[0]) == NULL || strchr("w-", line[1]) == NULL) {
        return false;
    }
    policy->asks[policy->ask_count++] = (struct table_ask){arena_strdup(r->arena, line + 3),
                                                           line[0] == 'r', line[1] == 'w', r->line};
    return true;
}

/* What follows @word and a blank; NULL: another word. */
static const char *after(const char *line, const char *word)
{
    size_t len = strlen(word);

    return strncmp(line, word, len) == 0 && line[len] == ' ' ? line + len + 1 : NULL;
}

static bool read_policy(struct reading *r, const char *line)
{
    struct table_policy *policy = r->policy;
    const char *rest;

    if ((rest = after(line, "config")) != NULL) {
        policy->config = append(r->arena, policy->config, rest);
    } else if ((rest = after(line, "require")) != NULL) {
        policy->require = append(r->arena, policy->require, rest);
    } else if ((rest = after(line, "mode")) != NULL) {
        policy->mode = arena_strdup(r->arena, rest);
    } else if ((rest = after(line, "profile")) != NULL) {
        policy->profile = arena_strdup(r->arena, rest);
    } else if ((rest = after(line, "refused")) != NULL) {
        policy->refused = arena_strdup(r->arena, rest);
    } else if ((rest = after(line, "override")) != NULL &&
               policy->override_count < TABLE_OVERRIDES_MAX) {
        policy->overrides[policy->override_count++] = arena_strdup(r->arena, rest);
    } else {
        return read_ask(r, line);
    }
    return true;
}

static bool read_line(struct reading *r, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    if (line[0] == '\0' || line[0] == '#') {
        return true;
    }
    if (line[0] == '[') {
        return read_section(r, line);
    }
    if (r->policy != NULL) {
        return read_policy(r, line);
    }
    r->table->world = append(r->arena, r->table->world, line);
    return true;
}

bool table_read(const char *path, struct arena *arena, struct table *ret_table)
{
    struct reading r = {.arena = arena, .table = ret_table};
    FILE *file = fopen(path, "r");
    char line[LINE_MAX_BYTES];
    bool good = file != NULL;

    ret_table->policy_count = 0;
    ret_table->world = "";
    while (good && fgets(line, sizeof(line), file) != NULL) {
        r.line++;
        good = read_line(&r, line);
    }
    if (!good) {
        (void)fprintf(stderr, "%s:%u: not understood\n", path, r.line);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return good;
}

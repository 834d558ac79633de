/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/corpus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 48
#define PATH_SIZE 512

static const char *const tops[] = {"/home/anna", "/home/ben",  "/srv",      "/var/lib",      "/etc",
                                   "/opt",       "/usr/local", "/mnt/data", "/home/anna/src"};
static const char *const words[] = {
    "config", "secret", "build",  "cache",   "node_modules", "vendor", "key",    "token",
    "server", "client", "backup", "private", "data",         "log",    "report", "archive",
    "mail",   "ssh",    "cert",   "wallet",  "project",      "test",   "lib",    "module"};
static const char *const endings[] = {"pem", "key", "env", "p12", "kdbx", "sqlite", "gpg", "bak"};

#define PICK(dice, list) (list)[dice_roll(dice, (uint32_t)(sizeof(list) / sizeof((list)[0])))]

uint64_t dice_next(struct dice *dice)
{
    uint64_t z = (dice->state += 0x9E3779B97F4A7C15U);

    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
}

uint32_t dice_roll(struct dice *dice, uint32_t sides)
{
    return (uint32_t)(dice_next(dice) % sides);
}

/* "config", "config-317", ".secret_x9" */
static void word(struct dice *dice, char out[WORD_MAX])
{
    const char *dot = dice_roll(dice, 6) == 0 ? "." : "";

    switch (dice_roll(dice, 4)) {
    case 0:
        (void)snprintf(out, WORD_MAX, "%s%s", dot, PICK(dice, words));
        break;
    case 1:
        (void)snprintf(out, WORD_MAX, "%s%s-%u", dot, PICK(dice, words), dice_roll(dice, 5000));
        break;
    case 2:
        (void)snprintf(out, WORD_MAX, "%s%s_%s%u", dot, PICK(dice, words), PICK(dice, words),
                       dice_roll(dice, 100));
        break;
    default:
        (void)snprintf(out, WORD_MAX, "%s%s%c%u.%s", dot, PICK(dice, words),
                       'a' + (char)dice_roll(dice, 26), dice_roll(dice, 10), PICK(dice, endings));
        break;
    }
}

/* A directory of a few words below one of the tops, or below @top. */
static size_t directory(struct dice *dice, const char *top, uint32_t depth, char path[PATH_SIZE])
{
    size_t len = (size_t)snprintf(path, PATH_SIZE, "%s", top != NULL ? top : PICK(dice, tops));

    for (uint32_t i = 0; i < depth; i++) {
        char name[WORD_MAX];

        word(dice, name);
        len += (size_t)snprintf(path + len, PATH_SIZE - len, "/%s", name);
    }
    return len;
}

static void floating(struct dice *dice, bool workspace, char path[PATH_SIZE])
{
    const char *top = workspace ? CORPUS_WORKSPACE_DIR : "";
    char name[WORD_MAX];

    word(dice, name);
    if (dice_roll(dice, 3) == 0) {
        (void)snprintf(path, PATH_SIZE, "%s/**/*.%s%u", top, PICK(dice, endings),
                       dice_roll(dice, 3000));
    } else {
        (void)snprintf(path, PATH_SIZE, "%s/**/%s", top, name);
    }
}

static void anchored(struct dice *dice, char path[PATH_SIZE])
{
    const char *top = dice_roll(dice, 2) == 0 ? CORPUS_WORKSPACE_DIR : NULL;
    const size_t len = directory(dice, top, 1 + dice_roll(dice, 3), path);

    (void)snprintf(path + len, PATH_SIZE - len, "/**/%s*[0-9]", PICK(dice, words));
}

static void rule_make(struct dice *dice, enum corpus_kind kind, struct dfa_rule *rule)
{
    const uint32_t sort = dice_roll(dice, 10);
    char path[PATH_SIZE];
    char *copy;

    if (sort < 6) {
        (void)directory(dice, NULL, 2 + dice_roll(dice, 3), path);
    } else if (sort < 9) {
        floating(dice, kind == CORPUS_WORKSPACE || (kind == CORPUS_MIXED && dice_roll(dice, 2)),
                 path);
    } else {
        anchored(dice, path);
    }
    copy = strdup(path);
    if (copy == NULL) {
        abort();
    }
    rule->pattern = copy;
    rule->len = strlen(copy);
    rule->glob = sort >= 6;
    rule->cls = rule->glob || dice_roll(dice, 4) == 0 ? DFA_OVERRIDING : DFA_EXACT;
    rule->prefer = (uint8_t)dice_roll(dice, 3);
}

struct dfa_rule *corpus_new(size_t count, enum corpus_kind kind, uint64_t seed)
{
    struct dfa_rule *rules = calloc(count, sizeof(*rules));
    struct dice dice = {seed};

    if (rules == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        rule_make(&dice, kind, &rules[i]);
    }
    return rules;
}

void corpus_free(struct dfa_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        union {
            const char *from;
            char *own;
        } text = {rules[i].pattern};

        free(text.own);
    }
    free(rules);
}

size_t corpus_path(struct dice *dice, const struct dfa_rule *rules, size_t count, char *path,
                   size_t size)
{
    char name[WORD_MAX];
    char full[PATH_SIZE];
    size_t len;

    if (dice_roll(dice, 2) == 0) {
        const struct dfa_rule *rule = &rules[dice_roll(dice, (uint32_t)count)];

        /* A path out of a pattern: stars and classes become themselves or a digit. */
        (void)snprintf(full, sizeof(full), "%.*s", (int)rule->len, rule->pattern);
        for (char *at = full; *at != '\0'; at++) {
            *at = *at == '*' || *at == '[' || *at == ']' ? '7' : *at;
        }
        len = strlen(full);
    } else {
        len = directory(dice, dice_roll(dice, 2) ? CORPUS_WORKSPACE_DIR : NULL, dice_roll(dice, 4),
                        full);
    }
    word(dice, name);
    len = (size_t)snprintf(path, size, "%.*s%s%s", (int)len, full, dice_roll(dice, 2) ? "/" : "",
                           name);
    return len < size ? len : size - 1;
}

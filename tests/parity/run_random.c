/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/parity/run_random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/ascii.h"
#include "tests/parity/parity.h"

#define CASES 10000U
#define ASKS 24U /* of one policy */
#define PRINCIPAL "S-1-5-21-7-7-7-5001"

/* Half of them named so that globs and rules meet; some with lists of their own. */
static const char world_lines[] =
    "file C:\\ws\\a\\x.key\nfile C:\\ws\\a\\.env\nfile C:\\ws\\a\\b\\x.key\nopen "
    "C:\\ws\\a\\b\\open.key\n"
    "file C:\\ws\\a\\b\\c\\.env\nfile C:\\ws\\a\\b\\c\\y.txt\nfile C:\\ws\\b\\x.key\nfile "
    "C:\\ws\\b\\y.txt\n"
    "open C:\\ws\\b\\open.txt\nfile C:\\ws\\.env\nfile C:\\ws\\y.txt\nfile C:\\ws\\.git\\config\n"
    "file C:\\ws\\b\\.git\\config\nfile C:\\ws\\b\\.git\\hooks\\h\nfile "
    "C:\\ws\\a\\b\\.git\\config\n"
    "file C:\\Users\\a\\a\\x.key\nfile C:\\Users\\a\\.env\nfile C:\\Users\\a\\b\\c\\y.txt\n"
    "open C:\\Users\\a\\b\\open.txt\nfile D:\\data\\a\\x.key\nfile D:\\data\\a\\b\\y.txt\n"
    "open D:\\data\\a\\open.key\nfile D:\\data\\b\\.env\nfile D:\\mine\\a\\x.key\nfile "
    "D:\\mine\\b\\y.txt\n";

struct random {
    uint64_t state;
};

/* xorshift64*: the same cases for the same seed on every host. */
static uint32_t pick(struct random *random, uint32_t below)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return (uint32_t)((random->state * 0x2545f4914f6cdd1dU) >> 33) % below;
}

static bool chance(struct random *random, uint32_t percent)
{
    return pick(random, 100) < percent;
}

/* ---- policies ---- */

struct run {
    struct random random;
    struct parity parity;
    unsigned cases, policies, refused, allowed, failed;
};

static const char *const tops[] = {"C:\\ws", "C:\\Users\\a", "D:\\data", "D:\\mine", "C:\\ws"};
static const char *const names[] = {"a",     "b",    "c",      "x.key", ".env",
                                    "y.txt", ".git", "config", "new",   "open.key"};
static const char *const globs[] = {"*.key",      "**\\.env", "a\\*",    "**\\*.key",  "*\\b",
                                    "{a,b}\\*.*", "?\\b",     "**\\.g*", "**\\open.*", "[ab]\\x*"};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Mixed case now and then: one place all the same. */
static void add_text(struct random *random, struct strbuf *out, const char *text)
{
    bool shout = chance(random, 10);

    for (; *text != '\0'; text++) {
        const char c = shout ? ascii_upper(*text) : *text;

        strbuf_add(out, &c, 1);
    }
}

static void add_path(struct random *random, struct strbuf *out)
{
    add_text(random, out, tops[pick(random, COUNT(tops))]);
    for (uint32_t depth = pick(random, 4); depth > 0; depth--) {
        strbuf_puts(out, "\\");
        add_text(random, out, names[pick(random, COUNT(names))]);
    }
}

static void add_glob(struct random *random, struct strbuf *out)
{
    add_path(random, out);
    strbuf_puts(out, "\\");
    strbuf_puts(out, globs[pick(random, COUNT(globs))]);
}

/* Grants are for what is there: others are not given, see platform/windows/README.md. */
static void add_there(struct run *run, struct strbuf *out)
{
    const struct disk *tree = &run->parity.world->tree;
    uint32_t index;

    do {
        index = pick(&run->random, (uint32_t)run->parity.world->base_count);
    } while (tree->nodes[index].parent == index || tree->nodes[index].path[3] == 'P' ||
             strncmp(tree->nodes[index].path, "C:\\Windows", 10) == 0);
    add_text(&run->random, out, tree->nodes[index].path);
}

static void add_entry(struct run *run, struct strbuf *out, bool *ret_globs)
{
    static const char *const accesses[] = {"deny", "deny", "read", "write"};
    struct strbuf path = STRBUF_INIT;
    bool glob = chance(&run->random, 25);
    uint32_t access = glob ? 0 : pick(&run->random, 4);

    strbuf_puts(&path, "'");
    if (glob) {
        add_glob(&run->random, &path);
    } else if (access > 1) {
        add_there(run, &path);
    } else {
        add_path(&run->random, &path);
    }
    strbuf_puts(&path, "'");
    /* A key may stand there once. */
    if (strstr(strbuf_text(out), strbuf_text(&path)) == NULL) {
        strbuf_printf(out, "%s = \"%s\"\n", strbuf_text(&path), accesses[access]);
        *ret_globs = *ret_globs || glob;
    }
    strbuf_deinit(&path);
}

static void add_config(struct run *run, struct strbuf *out, bool *ret_globs)
{
    struct random *random = &run->random;

    strbuf_puts(out, "default_permissions = \"p\"\n[permissions.p]\n");
    if (chance(random, 20)) {
        strbuf_puts(out, "protect_metadata = \"nested\"\n");
        *ret_globs = true;
    }
    strbuf_puts(out, "[permissions.p.filesystem]\n\":workspace_roots\" = \"write\"\n");
    if (chance(random, 75)) {
        strbuf_puts(out, "\":root\" = \"read\"\n");
    } else if (chance(random, 50)) {
        strbuf_puts(out, "'C:\\Windows' = \"read\"\n'C:\\Program Files' = \"read\"\n");
    }
    for (uint32_t count = pick(random, 7); count > 0; count--) {
        add_entry(run, out, ret_globs);
    }
}

static void add_denied(struct random *random, struct strbuf *out, const char *key, bool *ret_globs)
{
    strbuf_printf(out, "%s = [", key);
    for (uint32_t count = pick(random, 3); count > 0; count--) {
        bool glob = chance(random, 40);

        strbuf_puts(out, "'");
        if (glob) {
            add_glob(random, out);
        } else {
            add_path(random, out);
        }
        strbuf_puts(out, count == 1 ? "'" : "', ");
        *ret_globs = *ret_globs || glob;
    }
    strbuf_puts(out, "]\n");
}

static void add_requirements(struct random *random, struct strbuf *out, bool *ret_globs)
{
    if (chance(random, 50)) {
        strbuf_puts(out, "[[cordon.rule]]\n");
        add_denied(random, out, "deny_read", ret_globs);
        add_denied(random, out, "deny_write", ret_globs);
    }
}

/* ---- questions ---- */

/* Whether something could come to be at @path: what it would lie in is a directory, or nothing. */
static bool is_possible(const struct run *run, const char *path)
{
    const struct disk *tree = &run->parity.world->tree;
    const struct disk_node *above = NULL;
    char *cut = arena_strdup(tree->arena, path);

    for (char *end = strrchr(cut, '\\'); above == NULL && end > cut + 2; end = strrchr(cut, '\\')) {
        *end = '\0';
        above = disk_find(tree, cut);
    }
    return disk_find(tree, path) != NULL || above == NULL || above->object == PLAN_DIRECTORY;
}

/* What is there; or, where no glob is a snapshot of it, what may come. */
static const char *random_path(struct run *run, bool with_globs)
{
    const struct disk *tree = &run->parity.world->tree;
    struct strbuf text = STRBUF_INIT;
    const char *path;

    if (!with_globs && chance(&run->random, 40)) {
        add_path(&run->random, &text);
        path = arena_strdup(&run->parity.arena, strbuf_text(&text));
        strbuf_deinit(&text);
        if (is_possible(run, path)) {
            return path;
        }
    }
    return tree->nodes[pick(&run->random, (uint32_t)tree->count)].path;
}

static void ask(struct run *run, const struct parity_text *text, bool with_globs)
{
    enum policy_question question = chance(&run->random, 50) ? ASK_READ : ASK_WRITE;
    const char *path = random_path(run, with_globs);
    uint32_t wanted = parity_wanted(&run->parity, path, question);
    uint32_t got = parity_got(&run->parity, path, question);

    run->cases++;
    run->allowed += wanted != 0;
    if (wanted != got) {
        run->failed++;
        (void)fprintf(stderr, "FAIL %s %s: oracle %x, plan %x, mode %s\n%s%s\n",
                      question == ASK_READ ? "read" : "write", path, wanted, got,
                      text->choice.mode == NULL ? "none" : text->choice.mode, text->config,
                      text->require);
    }
}

static void run_policy(struct run *run)
{
    struct strbuf config = STRBUF_INIT;
    struct strbuf require = STRBUF_INIT;
    bool with_globs = false;
    struct parity_text text = {.config = ""};

    add_config(run, &config, &with_globs);
    add_requirements(&run->random, &require, &with_globs);
    text.config = strbuf_text(&config);
    text.require = strbuf_text(&require);
    text.choice.mode = chance(&run->random, 15) ? "danger-full-access" : NULL;
    run->policies++;
    if (!parity_set(&run->parity, &text, PRINCIPAL)) {
        run->failed++;
        (void)fprintf(stderr, "FAIL cannot be done: %s\n%s%s\n", run->parity.fault.text,
                      text.config, text.require);
    } else if (run->parity.plan == NULL) {
        run->refused++;
    } else {
        for (unsigned i = 0; i < ASKS; i++) {
            ask(run, &text, with_globs);
        }
    }
    strbuf_deinit(&config);
    strbuf_deinit(&require);
}

bool run_random(uint64_t seed, win_world_granted *granted)
{
    struct run run = {.random = {seed * 2654435761U + 88172645463325252U}};
    struct arena arena;
    struct win_world world;

    (void)printf("seed %llu\n", (unsigned long long)seed);
    arena_init(&arena, (size_t)2 << 30);
    run.parity.world = &world;
    if (!win_world_init(&world, &arena, world_lines)) {
        return false;
    }
    world.granted = granted;
    while (run.cases < CASES && run.failed < 5) {
        run_policy(&run);
    }
    run.failed += win_world_deinit(&world) ? 0U : 1U;
    (void)printf("%u cases of %u policies (%u refused), %u allowed, %u failed\n", run.cases,
                 run.policies, run.refused, run.allowed, run.failed);
    parity_deinit(&run.parity);
    arena_deinit(&arena);
    /* Neither answer may be rare, nor may most policies be refused. */
    return run.failed == 0 && run.allowed >= CASES / 5 && run.allowed <= CASES * 4 / 5 &&
           run.refused <= run.policies / 2;
}

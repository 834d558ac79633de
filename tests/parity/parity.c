/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/parity/parity.h"

#include <stdio.h>
#include <string.h>

#include "platform/windows/plan_windows.h"

#define ARENA_MAX ((size_t)64 << 20)

void parity_deinit(struct parity *parity)
{
    dfa_free(parity->managed);
    dfa_free(parity->own);
    arena_deinit(&parity->arena);
    parity->managed = NULL;
    parity->own = NULL;
    parity->plan = NULL;
}

static enum cordon_err load(struct parity *parity, const struct parity_text *text)
{
    const struct policy_document documents[] = {
        {LAYER_USER_CODEX, "C:\\Users\\a\\.codex\\config.toml", text->config, strlen(text->config)},
        {LAYER_MANAGED, "C:\\ProgramData\\cordon\\requirements.toml", text->require,
         strlen(text->require)},
    };
    struct policy_input input = {.documents = documents,
                                 .document_count = 2,
                                 .choice = text->choice,
                                 .context = {.os = POLICY_OS_WINDOWS,
                                             .home = "C:\\Users\\a",
                                             .user = "a",
                                             .hostname = "w",
                                             .cwd = "C:\\ws"}};
    enum cordon_err err = policy_load(&input, &parity->arena, &parity->policy, &parity->fault);

    if (err == CORDON_OK) {
        err = policy_compile(&parity->policy->managed, POLICY_OS_WINDOWS, &parity->managed,
                             &parity->fault);
    }
    return err == CORDON_OK ? policy_compile(&parity->policy->own, POLICY_OS_WINDOWS, &parity->own,
                                             &parity->fault)
                            : err;
}

static void print_plan(struct parity *parity, const struct plan_facts *facts,
                       struct plan **ret_plan, enum cordon_err *ret_err, struct strbuf *out)
{
    strbuf_deinit(out);
    *ret_err = plan_windows(parity->policy, facts, &parity->arena, ret_plan, &parity->fault);
    if (*ret_err == CORDON_OK) {
        plan_print(*ret_plan, parity->policy, false, out);
    } else {
        strbuf_puts(out, parity->fault.text);
    }
}

/* The reader of real disks finds on the engine's disk what the tree in memory says. */
static bool looks_alike(struct parity *parity, const char *principal)
{
    struct win_world *world = parity->world;
    struct strbuf told = STRBUF_INIT, seen = STRBUF_INIT;
    struct plan_facts facts;
    struct plan *plan;
    enum cordon_err err;
    bool alike;

    if (win_world_look(world, parity->policy, principal, &parity->arena, &facts) != CORDON_OK) {
        (void)fprintf(stderr, "not looked at: %s\n", world->fault.text);
        return false;
    }
    print_plan(parity, &facts, &plan, &err, &seen);
    print_plan(parity, &world->facts, &plan, &err, &told);
    alike = strcmp(strbuf_text(&told), strbuf_text(&seen)) == 0;
    if (!alike) {
        (void)fprintf(stderr, "told:\n%s\nseen:\n%s\n", strbuf_text(&told), strbuf_text(&seen));
    }
    strbuf_deinit(&told);
    strbuf_deinit(&seen);
    return alike;
}

bool parity_set(struct parity *parity, const struct parity_text *text, const char *principal)
{
    enum cordon_err err;

    parity_deinit(parity);
    arena_init(&parity->arena, ARENA_MAX);
    err = load(parity, text);
    if (err == CORDON_OK &&
        win_world_facts(parity->world, parity->policy, principal, &parity->arena) &&
        looks_alike(parity, principal)) {
        err = plan_windows(parity->policy, &parity->world->facts, &parity->arena, &parity->plan,
                           &parity->fault);
        if (err == CORDON_OK) {
            return win_world_apply(parity->world, parity->plan);
        }
        parity->plan = NULL;
        return err == CORDON_E_UNSUPPORTED || err == CORDON_E_DENIED || err == CORDON_E_INVALID ||
               err == CORDON_E_NOT_FOUND;
    }
    (void)fprintf(stderr, "%s\n%s\n%s; %s\n", text->config, text->require, parity->fault.text,
                  parity->fault.remedy);
    return false;
}

/* "/C:/a" for "C:\a". */
static const char *pattern_of(const struct parity *parity, const char *path)
{
    char *pattern = arena_printf(parity->world->arena, "/%s", path);

    for (char *at = pattern; *at != '\0'; at++) {
        *at = *at == '\\' ? '/' : *at;
    }
    return pattern;
}

static bool allows(const struct parity *parity, const char *path, enum policy_question question)
{
    const char *pattern = pattern_of(parity, path);

    return policy_eval(parity->policy, parity->managed, parity->own, pattern, strlen(pattern),
                       question)
        .allow;
}

uint32_t parity_wanted(const struct parity *parity, const char *path, enum policy_question question)
{
    uint32_t rights = question == ASK_READ ? WIN_WORLD_READ : WIN_WORLD_WRITE;

    return allows(parity, path, question) ? rights & win_world_caller(parity->world, path) : 0;
}

uint32_t parity_got(const struct parity *parity, const char *path, enum policy_question question)
{
    uint32_t rights = question == ASK_READ ? WIN_WORLD_READ : WIN_WORLD_WRITE;

    if (question == ASK_READ && !allows(parity, path, question)) {
        rights |= WIN_WORLD_TAMPER;
    }
    return rights & win_world_job(parity->world, parity->plan, path);
}

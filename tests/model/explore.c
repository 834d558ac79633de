/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/model/explore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 256U
#define STATES_MAX 1000000U /* more: the bounds of the model do not bound it */
#define KINDS_MAX 32U       /* of actions */
#define SLOTS (1U << 22)    /* of the hash table; a power of two, more than twice the states */

struct step {
    unsigned action;
    unsigned fails; /* the call that fails, counted from 1; 0: none */
};

struct node {
    uint32_t parent;
    struct step step;
    uint64_t hash[2]; /* of its description */
};

static struct {
    const struct explore_model *model;
    struct node *nodes;
    size_t count, room;
    uint32_t *slots;              /* index of a node plus 1 */
    unsigned actions, faults_max; /* calls that fail on one way */
    bool done[KINDS_MAX];         /* of each kind something was possible somewhere */
    size_t edges, failed_calls, deepest;
    /* the way that is being gone */
    struct step way[DEPTH_MAX];
    size_t way_len, at;
    /* the step that is being taken */
    bool acting;
    unsigned paused;
    unsigned calls, fails;
    const char *failed;
    char wrong[1024];
    jmp_buf escape;
} run;

bool explore_fails(const char *call)
{
    if (!run.acting || run.paused > 0 || ++run.calls != run.fails) {
        return false;
    }
    run.failed = call;
    return true;
}

void explore_pause(void)
{
    run.paused++;
}

void explore_resume(void)
{
    run.paused--;
}

void explore_wrong(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(run.wrong, sizeof(run.wrong), fmt, args);
    va_end(args);
    longjmp(run.escape, 1);
}

/* FNV-1a, twice: 128 bits, so that two states are not taken for one. */
static void hash_of(const struct strbuf *text, uint64_t ret_hash[2])
{
    ret_hash[0] = 0xcbf29ce484222325ULL;
    ret_hash[1] = 0x9e3779b97f4a7c15ULL;
    for (size_t i = 0; i < text->len; i++) {
        ret_hash[0] = (ret_hash[0] ^ (unsigned char)text->data[i]) * 0x100000001b3ULL;
        ret_hash[1] = (ret_hash[1] ^ (unsigned char)text->data[i]) * 0x00000100000001b3ULL;
        ret_hash[1] ^= ret_hash[1] >> 29;
    }
}

static void *must(void *pointer)
{
    if (pointer == NULL) {
        (void)fprintf(stderr, "out of memory\n");
        exit(70);
    }
    return pointer;
}

/* False: it was there already. */
static bool state_add(uint32_t parent, struct step step, unsigned faults)
{
    static struct strbuf text = STRBUF_INIT;
    struct node node = {.parent = parent, .step = step};
    uint32_t slot;

    text.len = 0;
    run.model->describe(&text);
    strbuf_printf(&text, "f%u", faults); /* what may still fail from here on */
    hash_of(&text, node.hash);
    for (slot = (uint32_t)node.hash[0] & (SLOTS - 1); run.slots[slot] != 0;
         slot = (slot + 1) & (SLOTS - 1)) {
        const struct node *there = &run.nodes[run.slots[slot] - 1];

        if (there->hash[0] == node.hash[0] && there->hash[1] == node.hash[1]) {
            return false;
        }
    }
    if (run.count == run.room) {
        run.room = run.room == 0 ? 1024 : run.room * 2;
        run.nodes = must(realloc(run.nodes, run.room * sizeof(*run.nodes)));
    }
    run.nodes[run.count++] = node;
    run.slots[slot] = (uint32_t)run.count;
    if (run.count > STATES_MAX) {
        explore_wrong("more than %u states: the model is not bounded", STATES_MAX);
    }
    return true;
}

/* Which kind, and its two values. */
static const struct explore_action *kind_of(unsigned action, unsigned *ret_a, unsigned *ret_b)
{
    const struct explore_action *kind = run.model->actions;

    while (action >= kind->a * kind->b) {
        action -= kind->a * kind->b;
        kind++;
    }
    *ret_a = action / kind->b;
    *ret_b = action % kind->b;
    return kind;
}

/* True: done. */
static bool take(struct step step)
{
    unsigned a;
    unsigned b;
    const struct explore_action *kind = kind_of(step.action, &a, &b);
    bool done;

    run.acting = true;
    run.calls = 0;
    run.fails = step.fails;
    run.failed = NULL;
    done = (run.model->is_over == NULL || !run.model->is_over()) && kind->act(a, b);
    run.acting = false;
    run.done[kind - run.model->actions] |= done;
    return done;
}

static void way_to(uint32_t node)
{
    size_t len = 0;

    for (uint32_t i = node; i != 0; i = run.nodes[i].parent) {
        len++;
    }
    if (len + 1 >= DEPTH_MAX) {
        explore_wrong("states are too far away");
    }
    run.way_len = len;
    for (uint32_t i = node; i != 0; i = run.nodes[i].parent) {
        run.way[--len] = run.nodes[i].step;
    }
}

static unsigned faults_on_way(void)
{
    unsigned faults = 0;

    for (size_t i = 0; i < run.way_len; i++) {
        faults += run.way[i].fails != 0;
    }
    return faults;
}

static void replay(void)
{
    run.model->begin();
    for (run.at = 0; run.at < run.way_len; run.at++) {
        if (!take(run.way[run.at])) {
            explore_wrong("the same way does not lead there again");
        }
    }
}

/* One action in one state, with one call failing or none. False: no such step. */
static bool try_step(uint32_t from, struct step step)
{
    bool done;

    replay();
    run.way[run.way_len] = step;
    done = take(step);
    if (step.fails != 0 && run.failed == NULL) {
        done = false;
    }
    if (done) {
        run.edges++;
        run.failed_calls += step.fails != 0;
        run.model->check();
        if (state_add(from, step, faults_on_way() + (step.fails != 0)) &&
            run.way_len + 1 > run.deepest) {
            run.deepest = run.way_len + 1;
        }
    }
    run.model->end();
    return done;
}

static void print_way(void)
{
    for (size_t i = 0; i <= run.at && i <= run.way_len; i++) {
        unsigned a;
        unsigned b;
        const struct explore_action *kind = kind_of(run.way[i].action, &a, &b);

        (void)fprintf(stderr, "  %2zu. %s [%u, %u]", i + 1, kind->name, a, b);
        if (run.way[i].fails != 0) {
            (void)fprintf(stderr, ", its fallible call %u failing", run.way[i].fails);
        }
        (void)fprintf(stderr, "\n");
    }
}

static void visit_all(void)
{
    run.way_len = 0;
    run.model->begin();
    run.model->check();
    (void)state_add(0, (struct step){0, 0}, 0);
    run.model->end();
    for (uint32_t i = 0; i < run.count; i++) {
        unsigned faults;

        way_to(i);
        faults = faults_on_way();
        for (unsigned action = 0; action < run.actions; action++) {
            if (!try_step(i, (struct step){action, 0}) || faults >= run.faults_max) {
                continue;
            }
            for (unsigned fails = 1; try_step(i, (struct step){action, fails}); fails++) {
            }
        }
    }
}

static bool explore(const struct explore_model *model)
{
    volatile bool right = false;

    if (setjmp(run.escape) == 0) {
        visit_all();
        right = true;
    } else {
        (void)fprintf(stderr, "%s: wrong: %s\n", model->name, run.wrong);
        print_way();
    }
    (void)printf("%s: %zu states, %zu steps (%zu with a call that failed), at most %zu deep\n",
                 model->name, run.count, run.edges, run.failed_calls, run.deepest);
    for (size_t i = 0; right && i < model->action_count; i++) {
        if (!run.done[i]) {
            (void)fprintf(stderr, "%s: never possible: %s\n", model->name, model->actions[i].name);
            right = false;
        }
    }
    return right;
}

/* False: usage. */
static bool bounds_take(const struct explore_model *model, int argc, char **argv)
{
    if (argc != 1 && argc != 2 + (int)EXPLORE_BOUNDS) {
        return false;
    }
    for (size_t i = 0; argc > 1 && i < EXPLORE_BOUNDS; i++) {
        *model->bounds[i].value = (unsigned)atoi(argv[1 + i]);
        if (*model->bounds[i].value > model->bounds[i].most) {
            return false;
        }
    }
    run.faults_max = argc > 1 ? (unsigned)atoi(argv[1 + EXPLORE_BOUNDS]) : 1;
    return true;
}

int explore_main(const struct explore_model *model, int argc, char **argv)
{
    bool right;

    memset(&run, 0, sizeof(run));
    run.model = model;
    if (model->action_count > KINDS_MAX || !bounds_take(model, argc, argv)) {
        (void)fprintf(stderr, "usage: %s_model [%s (<= %u) %s (<= %u) FAILING-CALLS]\n",
                      model->name, model->bounds[0].what, model->bounds[0].most,
                      model->bounds[1].what, model->bounds[1].most);
        return 64;
    }
    for (size_t i = 0; i < model->action_count; i++) {
        run.actions += model->actions[i].a * model->actions[i].b;
    }
    run.slots = must(calloc(SLOTS, sizeof(*run.slots)));
    right = explore(model);
    free(run.nodes);
    free(run.slots);
    return right ? 0 : 1;
}

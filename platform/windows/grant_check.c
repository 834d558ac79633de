/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a worker's order becomes the plan that is carried out. The worker may be its caller's
 * puppet: each thing it asks to be *granted* is held against the managed policy; what it asks to
 * be denied can only narrow; the managed denials come first and from our own plan. That a path
 * leads where it says the engine sees by handle (acl.h): so paths are enough here.
 */
#include <stdlib.h>
#include <string.h>

#include "platform/windows/order.h"
#include "platform/windows/path.h"

/* What a managed rule closes, by key, in order: to be searched for what is above a path. */
struct closed {
    const char **keys;
    size_t count;
};

/* An entry as it is compared with others: what it is to do, and where. */
struct place {
    uint32_t what;
    const char *key;
};

struct checking {
    const struct win_order *order;
    const struct win_order_terms *terms;
    struct arena *arena;
    struct cordon_fault *fault;
    struct closed reading, writing; /* for reading and writing; for writing alone, too */
    struct plan_step *steps;        /* of the plan to be; the managed ones first */
    struct place *places;           /* of these, in order */
    size_t step_count, managed_count;
};

static enum cordon_err no_memory(const struct checking *c)
{
    return fault_set(c->fault, CORDON_E_NOMEM, NULL, "spawn order: out of memory");
}

static enum cordon_err forbidden(const struct checking *c, const char *what)
{
    return fault_set(c->fault, CORDON_E_DENIED, "ask for a mode that the managed policy allows",
                     "the managed policy does not allow %s", what);
}

/* ---- what it may ask for ---- */

static enum cordon_err flags_check(const struct checking *c)
{
    const uint32_t flags = c->order->flags;

    if ((flags & WIN_ORDER_FULL_ACCESS) != 0 && !c->terms->managed->managed_allows_full_access) {
        return forbidden(c, "danger-full-access");
    }
    if ((c->terms->managed->managed.count > 0) != (c->terms->managed_plan != NULL)) {
        return fault_set(c->fault, CORDON_E_STATE, NULL, "the managed rules were not planned");
    }
    return CORDON_OK;
}

/* The planner says so by rule; this is for the worker that did not ask it. */
static enum cordon_err embedded_check(const struct checking *c)
{
    const char *what = NULL;

    if (!c->terms->embedded) {
        return CORDON_OK;
    }
    if ((c->order->flags & WIN_ORDER_ROOT_READABLE) == 0) {
        what = "a restricted token cannot keep the job from reading";
    } else if ((c->order->flags & WIN_ORDER_NET_HOST) == 0) {
        what = "a restricted token cannot keep the job from the network";
    } else if (c->order->step_count > 0) {
        what = "a private broker puts no entries on access lists: nobody would take them off if it "
               "were killed";
    }
    return what == NULL
               ? CORDON_OK
               : fault_set(c->fault, CORDON_E_UNSUPPORTED,
                           "start the job through the cordon service, or ask for another profile",
                           "%s", what);
}

/* ---- what managed rules close ---- */

static const char *key_of(const struct checking *c, const char *path)
{
    struct win_path read;

    return path != NULL &&
                   win_path_read(path, strlen(path), NULL, c->arena, &read, c->fault) == CORDON_OK
               ? read.key
               : NULL;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* With the entry's mask goes whether it is of the link itself, and a thing to be made has none. */
static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    const int order = strcmp(x->key, y->key);

    return order != 0 ? order : (x->what > y->what) - (x->what < y->what);
}

static struct place place_of(const struct plan_step *step, const char *key)
{
    return (struct place){(uint32_t)step->op << 1U | ((step->flags & PLAN_STEP_LINK) != 0), key};
}

static bool is_managed(const struct plan_step *step)
{
    return step->set == PLAN_SET_MANAGED &&
           (step->op == PLAN_WINDOWS_MATERIALISE || step->op == PLAN_WINDOWS_DENY ||
            step->op == PLAN_WINDOWS_DENY_WRITE || step->op == PLAN_WINDOWS_PIN);
}

/* Every entry that keeps a managed rule, whatever the worker thinks of it. */
static enum cordon_err managed_add(struct checking *c)
{
    const struct plan *plan = c->terms->managed_plan;
    const size_t count = plan == NULL ? 0 : plan->step_count;
    const size_t most = count + c->order->step_count;

    c->steps = arena_array(c->arena, most, sizeof(*c->steps));
    c->places = arena_array(c->arena, most, sizeof(*c->places));
    c->reading.keys = arena_array(c->arena, count, sizeof(*c->reading.keys));
    c->writing.keys = arena_array(c->arena, count, sizeof(*c->writing.keys));
    if (c->steps == NULL || c->places == NULL || c->reading.keys == NULL ||
        c->writing.keys == NULL) {
        return no_memory(c);
    }
    for (size_t i = 0; i < count; i++) {
        const struct plan_step *step = &plan->steps[i];
        const char *key;

        if (!is_managed(step)) {
            continue;
        }
        key = key_of(c, step->path);
        if (key == NULL) {
            return fault_set(c->fault, CORDON_E_INVALID, NULL,
                             "the path %s of a managed rule cannot be compared",
                             step->path == NULL ? "" : step->path);
        }
        if (step->op == PLAN_WINDOWS_DENY) {
            c->reading.keys[c->reading.count++] = key;
        }
        if (step->op == PLAN_WINDOWS_DENY || step->op == PLAN_WINDOWS_DENY_WRITE) {
            c->writing.keys[c->writing.count++] = key;
        }
        c->places[c->step_count] = place_of(step, key);
        c->steps[c->step_count++] = *step;
    }
    c->managed_count = c->step_count;
    qsort(c->reading.keys, c->reading.count, sizeof(*c->reading.keys), compare_keys);
    qsort(c->writing.keys, c->writing.count, sizeof(*c->writing.keys), compare_keys);
    qsort(c->places, c->managed_count, sizeof(*c->places), compare_places);
    return CORDON_OK;
}

/* Whether @key is one of them or lies below one. @key is written to, and is what it was after. */
static bool is_closed(const struct closed *closed, char *key)
{
    const size_t len = strlen(key);
    bool found = false;

    for (size_t i = 1; !found && i <= len; i++) {
        const char cut = key[i];

        if (cut == '\\' || cut == '\0') {
            const char *wanted = key;

            key[i] = '\0';
            found = bsearch(&wanted, closed->keys, closed->count, sizeof(*closed->keys),
                            compare_keys) != NULL;
            key[i] = cut;
        }
    }
    return found;
}

/* ---- what it asks for ---- */

/* A grant is an entry before what an object inherits: it would open what lies in a closed place. */
static enum cordon_err grant_check(const struct checking *c, const struct plan_step *step,
                                   const char *key)
{
    const bool write = step->op == PLAN_WINDOWS_GRANT_WRITE;
    char *copy;

    if (write && !c->terms->managed->managed_allows_write) {
        return forbidden(c, "writing");
    }
    copy = arena_strdup(c->arena, key);
    if (copy == NULL) {
        return no_memory(c);
    }
    if (is_closed(write ? &c->writing : &c->reading, copy)) {
        return fault_set(c->fault, CORDON_E_DENIED, "take it out of the profile",
                         "%s lies where a managed rule denies %s, and is to be granted", step->path,
                         write ? "writing" : "reading");
    }
    return CORDON_OK;
}

static enum cordon_err own_add(struct checking *c)
{
    const struct win_order *order = c->order;
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < order->step_count; i++) {
        const struct plan_step *step = &order->steps[i];
        const struct place place = place_of(step, order->keys[i]);

        if (step->op == PLAN_WINDOWS_GRANT_READ || step->op == PLAN_WINDOWS_GRANT_WRITE) {
            err = grant_check(c, step, order->keys[i]);
        } else if (bsearch(&place, c->places, c->managed_count, sizeof(place), compare_places) !=
                   NULL) {
            continue; /* it is there, as ourselves */
        }
        c->steps[c->step_count++] = *step;
    }
    return err;
}

/* ---- the whole ---- */

static struct plan_windows_job job_of(const struct checking *c)
{
    const uint32_t flags = c->order->flags;
    const bool full = (flags & WIN_ORDER_FULL_ACCESS) != 0;
    struct plan_windows_job job = {.service = !c->terms->embedded,
                                   .principal = c->terms->principal,
                                   .token = WIN_TOKEN_RESTRICTED,
                                   .packages = (flags & WIN_ORDER_PACKAGES) != 0,
                                   .full_access = full,
                                   .network = (flags & WIN_ORDER_NET_HOST) != 0,
                                   .cwd = c->order->cwd};

    if (full && c->terms->managed->managed.count == 0) {
        job.token = WIN_TOKEN_PLAIN;
    } else if ((flags & WIN_ORDER_ROOT_READABLE) != 0) {
        job.token = WIN_TOKEN_WRITE_RESTRICTED;
    }
    return job;
}

enum cordon_err win_order_plan(const struct win_order *order, const struct win_order_terms *terms,
                               struct arena *arena, struct plan **ret_plan,
                               struct cordon_fault *fault)
{
    struct checking c = {.order = order, .terms = terms, .arena = arena, .fault = fault};
    const struct plan_windows_job job = job_of(&c);
    enum cordon_err err = flags_check(&c);

    err = err == CORDON_OK ? embedded_check(&c) : err;
    if (err == CORDON_OK && job.token == WIN_TOKEN_PLAIN && order->step_count > 0) {
        err = fault_set(fault, CORDON_E_INVALID, NULL,
                        "spawn order: entries for a token that nothing is denied to");
    }
    err = err == CORDON_OK ? managed_add(&c) : err;
    err = err == CORDON_OK ? own_add(&c) : err;
    if (err != CORDON_OK) {
        return err;
    }
    err = plan_windows_of(&job, c.steps, c.step_count, arena, ret_plan);
    return err == CORDON_OK ? CORDON_OK : no_memory(&c);
}

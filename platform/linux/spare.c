/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/spare.h"

#include <signal.h>
#include <stdlib.h>

#include "platform/host.h"
#include "platform/linux/blank.h"
#include "platform/linux/networks.h"
#include "platform/linux/remains.h"

#define SHELVES 8U      /* recipes that spares are made of */
#define SHELVES_EACH 4U /* ... for one user */
#define READY_EACH 2U   /* spares of one recipe */
#define KEEP_MS 60000U  /* a recipe that is not asked for so long is forgotten */
#define SETTLE_MS 1000U /* ... and before that it does not give way to another */
#define STALE_MAX 3U    /* spares in a row that were of no use: then no more are made */

struct shelf {
    struct recipe recipe;
    uint64_t serial;
    struct platform_job *ready[READY_EACH];
    size_t count;
    uint64_t used_ms;
    unsigned stale;
};

static struct {
    struct shelf *shelves[SHELVES];
    uint64_t last_serial;
} spares;

/* ---- giving up ---- */

static void shelf_clear(struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++) {
        (void)linux_signal(shelf->ready[i], SIGKILL);
    }
    while (shelf->count > 0) {
        linux_release(shelf->ready[--shelf->count]);
    }
}

static void shelf_free(struct shelf **slot)
{
    if (*slot != NULL) {
        shelf_clear(*slot);
        recipe_deinit(&(*slot)->recipe);
        free(*slot);
        *slot = NULL;
    }
}

void linux_forget(void)
{
    for (size_t i = 0; i < SHELVES; i++) {
        shelf_free(&spares.shelves[i]);
    }
    blank_forget();
    networks_forget();
}

static void check_mounts(void)
{
    if (linux_mounts_changed()) {
        for (size_t i = 0; i < SHELVES; i++) {
            if (spares.shelves[i] != NULL) {
                shelf_clear(spares.shelves[i]);
            }
        }
    }
}

/* ---- taking ---- */

static struct shelf *shelf_of(const struct recipe *recipe)
{
    for (size_t i = 0; i < SHELVES; i++) {
        struct shelf *shelf = spares.shelves[i];

        if (shelf != NULL && (&shelf->recipe == recipe || recipe_same(&shelf->recipe, recipe))) {
            return shelf;
        }
    }
    return NULL;
}

struct recipe *spare_recipe(const struct asked *asked)
{
    for (size_t i = 0; i < SHELVES; i++) {
        struct shelf *shelf = spares.shelves[i];

        if (shelf != NULL && recipe_answers(&shelf->recipe, asked)) {
            return &shelf->recipe;
        }
    }
    return NULL;
}

struct platform_job *spare_take(const struct recipe *recipe)
{
    struct shelf *shelf = shelf_of(recipe);

    if (shelf == NULL) {
        return NULL;
    }
    check_mounts();
    while (shelf->count > 0) {
        struct platform_job *job = shelf->ready[0];

        shelf->count--;
        for (size_t i = 0; i < shelf->count; i++) {
            shelf->ready[i] = shelf->ready[i + 1];
        }
        if (job_begins(job)) {
            return job;
        }
        shelf->stale++;
        linux_release(job);
    }
    return NULL;
}

/* ---- wanting ---- */

static size_t shelves_of(uint32_t uid)
{
    size_t count = 0;

    for (size_t i = 0; i < SHELVES; i++) {
        count += spares.shelves[i] != NULL && recipe_uid(&spares.shelves[i]->recipe) == uid;
    }
    return count;
}

/*
 * A free one, else that of the recipe that was not asked for the longest; of a user who has all
 * that one may have, only his own. NULL: those are in use.
 */
static struct shelf **slot_for(uint32_t uid, uint64_t now)
{
    const bool only_own = shelves_of(uid) >= SHELVES_EACH;
    struct shelf **oldest = NULL;

    for (size_t i = 0; i < SHELVES; i++) {
        struct shelf **slot = &spares.shelves[i];

        if (*slot == NULL) {
            if (!only_own) {
                return slot;
            }
            continue;
        }
        if ((!only_own || recipe_uid(&(*slot)->recipe) == uid) &&
            (oldest == NULL || (*slot)->used_ms < (*oldest)->used_ms)) {
            oldest = slot;
        }
    }
    return oldest != NULL && now - (*oldest)->used_ms >= SETTLE_MS ? oldest : NULL;
}

/*
 * Another worker may ask for the same with other files: the next one is known by these. What jobs
 * of it open is known already.
 */
static void shelf_want(struct shelf *shelf, struct recipe *recipe, uint64_t now)
{
    if (recipe != &shelf->recipe) {
        const int usual = shelf->recipe.usual;

        shelf->recipe.usual = recipe->usual;
        recipe->usual = usual;
        recipe_deinit(&shelf->recipe);
        shelf->recipe = *recipe;
    }
    shelf->used_ms = now;
}

void spare_want(struct recipe *recipe, bool worked)
{
    const uint64_t now = host_now_ms();
    struct shelf *shelf = recipe->embedded ? NULL : shelf_of(recipe);
    struct shelf **slot = NULL;

    if (shelf != NULL && worked) {
        shelf_want(shelf, recipe, now);
        return;
    }
    if (shelf != NULL && recipe == &shelf->recipe) {
        return;
    }
    if (worked && !recipe->embedded) {
        slot = slot_for(recipe_uid(recipe), now);
    }
    if (slot != NULL) {
        shelf_free(slot);
        *slot = calloc(1, sizeof(**slot));
    }
    if (slot == NULL || *slot == NULL) {
        recipe_deinit(recipe);
        return;
    }
    **slot = (struct shelf){.recipe = *recipe, .serial = ++spares.last_serial, .used_ms = now};
}

void spare_seen(uint64_t serial, bool fresh)
{
    for (size_t i = 0; serial != 0 && i < SHELVES; i++) {
        struct shelf *shelf = spares.shelves[i];

        if (shelf != NULL && shelf->serial == serial) {
            shelf->stale = fresh ? 0 : shelf->stale + 1;
            if (!fresh) {
                shelf_clear(shelf);
            }
        }
    }
}

/* ---- making ---- */

/* The one that was asked for last and has room. */
static struct shelf *shelf_to_fill(void)
{
    struct shelf *best = NULL;

    for (size_t i = 0; i < SHELVES; i++) {
        struct shelf *shelf = spares.shelves[i];

        if (shelf != NULL && shelf->count < READY_EACH && shelf->stale < STALE_MAX &&
            (best == NULL || shelf->used_ms > best->used_ms)) {
            best = shelf;
        }
    }
    return best;
}

static void shelf_fill(struct shelf *shelf)
{
    struct platform_job *job = NULL;
    struct cordon_fault ignored;

    if (recipe_start(&shelf->recipe, NULL, &job, &ignored) != CORDON_OK) {
        shelf->stale = STALE_MAX;
        return;
    }
    job->spare = shelf->serial;
    shelf->ready[shelf->count++] = job;
}

/* 0: never. */
static uint64_t sooner(uint64_t a, uint64_t b)
{
    return b != 0 && (a == 0 || b < a) ? b : a;
}

uint32_t linux_tend(void)
{
    const uint64_t now = host_now_ms();
    struct shelf *shelf;
    uint64_t next = sooner(remains_tend(), networks_tend(now));

    for (size_t i = 0; i < SHELVES; i++) {
        struct shelf **slot = &spares.shelves[i];
        uint64_t end = *slot == NULL ? 0 : (*slot)->used_ms + KEEP_MS;

        if (*slot != NULL && end <= now) {
            shelf_free(slot);
            return PLATFORM_TEND_MORE;
        }
        if (*slot != NULL) {
            next = sooner(next, end - now);
        }
    }
    check_mounts();
    shelf = shelf_to_fill();
    if (shelf != NULL) {
        shelf_fill(shelf);
        return PLATFORM_TEND_MORE;
    }
    return (uint32_t)sooner(next, blank_tend());
}

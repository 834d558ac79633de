/* SPDX-License-Identifier: Apache-2.0 */
/* Which jobs are made ahead of time, and when they are given up; made by a platform of ours. */
#include <stdlib.h>
#include <string.h>

#include "platform/host.h"
#include "platform/linux/blank.h"
#include "platform/linux/networks.h"
#include "platform/linux/remains.h"
#include "platform/linux/spare.h"
#include "tests/support/check.h"

static uint64_t now_ms = 1000;
static size_t alive; /* jobs that were made and not released */
static bool mounts;  /* changed */
static bool dead;    /* every job that is asked */
static enum cordon_err made = CORDON_OK;
static bool remains; /* something that was killed is not gone */
static uint64_t held_until_ms;

uint64_t host_now_ms(void)
{
    return now_ms;
}

bool linux_mounts_changed(void)
{
    bool changed = mounts;

    mounts = false;
    return changed;
}

uint32_t networks_tend(uint64_t now)
{
    return held_until_ms > now ? (uint32_t)(held_until_ms - now) : 0;
}

void networks_forget(void)
{
    held_until_ms = 0;
}

uint32_t remains_tend(void)
{
    return remains ? 100 : 0;
}

/* A recipe of ours is known by its length, and has its user in a table's place. */
bool recipe_same(const struct recipe *a, const struct recipe *b)
{
    return a->len == b->len;
}

/* What is asked for is known by its length as well; each worker has lengths of its own. */
bool recipe_answers(const struct recipe *recipe, const struct asked *asked)
{
    return recipe->asked.len == asked->len;
}

uint32_t recipe_uid(const struct recipe *recipe)
{
    return (uint32_t)recipe->tables[0];
}

static size_t recipes; /* held by the spares */

void recipe_deinit(struct recipe *recipe)
{
    recipes--;
    recipe->len = 0;
}

enum cordon_err recipe_start(const struct recipe *recipe, int *channel,
                             struct platform_job **ret_job, struct cordon_fault *fault)
{
    if (made != CORDON_OK) {
        return fault_set(fault, made, NULL, "no");
    }
    CHECK(channel == NULL);
    *ret_job = calloc(1, sizeof(**ret_job));
    CHECK(*ret_job != NULL);
    (*ret_job)->pid = (int)recipe->len;
    alive++;
    return CORDON_OK;
}

bool job_begins(struct platform_job *job)
{
    (void)job;
    return !dead;
}

void linux_release(struct platform_job *job)
{
    alive--;
    free(job);
}

enum cordon_err linux_signal(struct platform_job *job, int signo)
{
    (void)job;
    (void)signo;
    return CORDON_OK;
}

static bool blank; /* there is one, for another second */

uint32_t blank_tend(void)
{
    return blank ? 1000 : 0;
}

void blank_forget(void)
{
    blank = false;
}

static size_t worker = 100;

static struct recipe recipe_of(size_t id, int uid)
{
    recipes++;
    return (struct recipe){.asked = {.len = worker + id}, .len = id, .tables = {uid, -1}};
}

static bool is_known(size_t id)
{
    const struct recipe *recipe = spare_recipe(&(const struct asked){.len = worker + id});

    CHECK(recipe == NULL || recipe->len == id);
    return recipe != NULL;
}

/* As linux_spawn() does; true: it had been made ahead. */
static bool spawn(size_t id, int uid)
{
    struct recipe fresh;
    struct recipe *recipe = spare_recipe(&(const struct asked){.len = worker + id});
    struct platform_job *job;

    if (recipe == NULL) {
        fresh = recipe_of(id, uid);
        recipe = &fresh;
    }
    job = spare_take(recipe);
    if (job != NULL) {
        CHECK(job->pid == (int)id && job->spare != 0);
        spare_seen(job->spare, true);
        linux_release(job);
    }
    spare_want(recipe, true);
    return job != NULL;
}

/* Until there is nothing to do at once; when to come back. */
static uint32_t tend(void)
{
    uint32_t again = 1;

    for (int i = 0; again == 1; i++) {
        CHECK(i < 100);
        again = linux_tend();
    }
    return again;
}

static void begin(void)
{
    linux_forget();
    made = CORDON_OK;
    mounts = dead = false;
    CHECK(alive == 0 && recipes == 0);
}

TEST(the_second_job_of_a_recipe_was_made_ahead)
{
    begin();
    CHECK(linux_tend() == 0);
    CHECK(!spawn(1, 0));
    CHECK(tend() == 60000);
    CHECK(alive == 2);
    CHECK(spawn(1, 0) && spawn(1, 0) && !spawn(1, 0));
    CHECK(!spawn(2, 0));
    CHECK(tend() == 60000 && alive == 4 && recipes == 2);
}

TEST(who_asks_for_the_same_gets_the_recipe_that_is_there)
{
    begin();
    CHECK(!is_known(1) && !spawn(1, 0) && is_known(1) && !is_known(2));
    CHECK(tend() == 60000 && recipes == 1);
    CHECK(spawn(1, 0) && recipes == 1);
    /* Another worker asks with files of its own, and is known by these from then on. */
    worker = 200;
    CHECK(!is_known(1) && spawn(1, 0) && is_known(1) && recipes == 1);
    worker = 100;
    CHECK(!is_known(1));
    linux_forget();
    worker = 200;
    CHECK(!is_known(1) && recipes == 0);
}

TEST(a_recipe_that_is_kept_stays_when_a_job_of_it_fails)
{
    struct recipe *recipe;

    begin();
    CHECK(!spawn(1, 0) && tend() == 60000);
    now_ms += 59000;
    recipe = spare_recipe(&(const struct asked){.len = worker + 1});
    CHECK(recipe != NULL);
    spare_want(recipe, false);
    CHECK(is_known(1) && recipes == 1 && alive == 2);
    now_ms += 1000;
    CHECK(tend() == 0 && alive == 0 && recipes == 0);
}

TEST(what_nobody_asks_for_is_given_back)
{
    begin();
    CHECK(!spawn(1, 0));
    CHECK(tend() == 60000);
    now_ms += 59000;
    CHECK(tend() == 1000 && alive == 2);
    now_ms += 1000;
    CHECK(tend() == 0 && alive == 0 && recipes == 0);
}

TEST(what_is_held_of_jobs_that_ended_is_let_go_in_time)
{
    begin();
    held_until_ms = now_ms + 100;
    CHECK(tend() == 100);
    CHECK(!spawn(1, 0) && tend() == 100);
    now_ms += 100;
    CHECK(tend() == 59900);
    held_until_ms = now_ms + 100;
    linux_forget();
    CHECK(held_until_ms == 0 && tend() == 0);
}

TEST(there_are_no_more_than_fit)
{
    begin();
    for (size_t id = 1; id <= 6; id++) {
        CHECK(!spawn(id, 7));
    }
    /* Four for one user; those in use do not give way. */
    CHECK(tend() == 60000 && recipes == 4 && alive == 8);
    for (size_t id = 11; id <= 16; id++) {
        CHECK(!spawn(id, 8));
    }
    CHECK(tend() == 60000 && recipes == 8 && alive == 16);
    CHECK(!spawn(21, 9));
    CHECK(tend() == 60000 && recipes == 8);
    /* After a second the oldest does: first a user's own, and nobody's for a user with four. */
    now_ms += 1000;
    CHECK(!spawn(5, 7) && spawn(4, 7));
    CHECK(tend() > 1 && recipes == 8);
    CHECK(spawn(5, 7) && !spawn(1, 7));
    CHECK(spawn(11, 8));
    CHECK(!spawn(21, 9));
    CHECK(tend() > 1 && recipes == 8 && spawn(21, 9));
    linux_forget();
    CHECK(alive == 0 && recipes == 0 && linux_tend() == 0);
}

TEST(a_mount_gives_all_up)
{
    begin();
    CHECK(!spawn(1, 0) && !spawn(2, 0));
    CHECK(tend() == 60000 && alive == 4);
    mounts = true;
    CHECK(!spawn(1, 0));
    CHECK(alive == 0);
    CHECK(tend() == 60000 && alive == 4);
    mounts = true;
    CHECK(linux_tend() == 1 && alive == 1);
}

TEST(what_died_or_was_stale_is_no_use_and_no_more_is_made_after_three)
{
    begin();
    CHECK(!spawn(1, 0));
    CHECK(tend() == 60000 && alive == 2);
    dead = true;
    CHECK(!spawn(1, 0) && alive == 0);
    dead = false;
    CHECK(tend() == 60000 && alive == 2);
    /* One that was good: it counts from the start again. */
    CHECK(spawn(1, 0));
    for (int i = 0; i < 3; i++) {
        struct recipe recipe = recipe_of(1, 0);
        struct platform_job *job;

        CHECK(tend() == 60000 && alive == 2);
        job = spare_take(&recipe);
        CHECK(job != NULL && alive == 2);
        spare_seen(job->spare, false);
        CHECK(alive == 1); /* the others are as old */
        linux_release(job);
        spare_want(&recipe, true);
    }
    CHECK(tend() == 60000 && alive == 0);
}

TEST(what_cannot_be_made_is_not_tried_again_and_again)
{
    begin();
    made = CORDON_E_OS;
    CHECK(!spawn(1, 0));
    CHECK(linux_tend() == 1 && tend() == 60000 && alive == 0);
}

TEST(a_job_that_failed_or_is_embedded_wants_nothing)
{
    struct recipe failed;
    struct recipe embedded;

    begin();
    failed = recipe_of(1, 0);
    embedded = recipe_of(2, 0);
    embedded.embedded = true;
    spare_want(&failed, false);
    spare_want(&embedded, true);
    CHECK(recipes == 0 && linux_tend() == 0);
}

TEST(what_was_killed_and_is_not_gone_is_looked_at_soon)
{
    begin();
    remains = true;
    CHECK(linux_tend() == 100);
    CHECK(!spawn(1, 0));
    CHECK(tend() == 100 && alive == 2);
    now_ms += 59950;
    CHECK(tend() == 50);
    remains = false;
    CHECK(tend() == 50);
    now_ms += 50;
    CHECK(tend() == 0 && alive == 0);
}

TEST(who_waits_for_any_job_is_looked_after_as_well)
{
    begin();
    blank = true;
    CHECK(linux_tend() == 1000);
    CHECK(!spawn(1, 0));
    CHECK(tend() == 1000 && alive == 2);
    linux_forget();
    CHECK(!blank && tend() == 0 && alive == 0);
}

TEST_MAIN()

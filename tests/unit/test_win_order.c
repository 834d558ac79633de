/* SPDX-License-Identifier: Apache-2.0 */
/* A spawn order: what a worker makes is carried out as it was planned, and what one that is its
 * caller's puppet makes is refused wherever it is more than that. */
#include "tests/unit/win_order_world.h"

#define ROOT WIN_ORDER_ROOT_READABLE
#define NET WIN_ORDER_NET_HOST
#define DIR_KIND PLAN_STEP_DIR

static const struct plan_step *find(uint16_t op, const char *path, uint8_t set)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        const struct plan_step *step = &plan->steps[i];

        if (step->op == op && step->set == set && strcmp(step->path, path) == 0) {
            return step;
        }
    }
    return NULL;
}

static size_t count_op(const struct plan *in, uint16_t op)
{
    size_t count = 0;

    for (size_t i = 0; i < in->step_count; i++) {
        count += in->steps[i].op == op;
    }
    return count;
}

static const char *text_of(uint16_t op)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        if (plan->steps[i].op == op) {
            return plan->steps[i].text;
        }
    }
    return "none";
}

static void refused(enum cordon_err err, const char *why)
{
    CHECK(judge() == err);
    CHECK_STR(fault.text, why);
    CHECK(fault.err == err && strchr(fault.text, '\n') == NULL);
}

/* ---- what is carried out ---- */

/* Without managed rules it is the worker's own plan, step by step. */
TEST(an_order_is_carried_out_as_it_was_planned)
{
    static const char *const policies[] = {
        BASE,
        BASE "network\n",
        BASE "own deny /C:/w/b/f\nown deny /C:/w/n/.env\n",
        TREE "full-access\n",
        TREE "system C:\\Windows\ntree dir C:\\Windows\nown read /C:/Windows\nown read /C:/w\n",
        BASE "private C:\\s\n"};

    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        const struct plan *made;

        supervise("");
        order_text(policies[i]);
        made = plan_case_of(&worker, policies[i]);
        CHECK(judge() == CORDON_OK);
        CHECK(plan->step_count == made->step_count);
        for (size_t j = 0; j < made->step_count; j++) {
            const struct plan_step *a = &made->steps[j], *b = &plan->steps[j];

            CHECK(a->op == b->op && a->flags == b->flags && a->value == b->value);
            CHECK((a->path == NULL) == (b->path == NULL) && (a->text == NULL) == (b->text == NULL));
            CHECK(a->path == NULL || strcmp(a->path, b->path) == 0);
            CHECK(a->text == NULL || strcmp(a->text, b->text) == 0);
        }
    }
}

TEST(managed_entries_are_ours_and_come_first)
{
    size_t own = 0, managed = 0;

    supervise(MANAGED);
    order_text(BASE MANAGED "own deny /C:/w/b/f\n");
    CHECK(read_order(block, block_len) == CORDON_OK);
    for (size_t i = 0; i < order.step_count; i++) {
        CHECK(strcmp(order.steps[i].path, "C:\\s") != 0);
    }
    CHECK(judge() == CORDON_OK);
    CHECK(find(PLAN_WINDOWS_DENY, "C:\\s", PLAN_SET_MANAGED) != NULL);
    CHECK(find(PLAN_WINDOWS_DENY_WRITE, "C:\\w\\b", PLAN_SET_MANAGED) != NULL);
    CHECK(find(PLAN_WINDOWS_DENY, "C:\\w\\b\\f", PLAN_SET_OWN) != NULL);
    for (size_t i = 0; i < plan->step_count; i++) {
        own = plan->steps[i].set == PLAN_SET_OWN && own == 0 ? i : own;
        managed = plan->steps[i].set == PLAN_SET_MANAGED ? i : managed;
    }
    CHECK(own > managed);
}

/* An order that leaves out every entry gets those of the managed rules all the same. */
TEST(a_managed_denial_cannot_be_left_out)
{
    const struct plan_step *step;

    supervise(MANAGED);
    by_hand(ROOT | NET, NULL, 0);
    CHECK(judge() == CORDON_OK);
    step = find(PLAN_WINDOWS_DENY, "C:\\s", PLAN_SET_MANAGED);
    CHECK(step != NULL && step->value == PLAN_WINDOWS_MASK_DENY);
    CHECK(find(PLAN_WINDOWS_DENY_WRITE, "C:\\w\\b", PLAN_SET_MANAGED) != NULL);
    CHECK(count_op(plan, PLAN_WINDOWS_PIN) == 1); /* C:\w, above C:\w\b */
}

/* A deny that is to be by a name that is not there is of an object that is made. */
TEST(a_missing_managed_path_is_made)
{
    supervise("managed deny /C:/w/no/.env\n");
    by_hand(ROOT, NULL, 0);
    CHECK(judge() == CORDON_OK);
    CHECK(find(PLAN_WINDOWS_MATERIALISE, "C:\\w\\no\\.env", PLAN_SET_MANAGED) != NULL);
}

TEST(what_a_managed_rule_says_already_is_not_said_twice)
{
    static const struct hand steps[] = {{WIN_ORDER_DENY, DIR_KIND, "C:\\S"},
                                        {WIN_ORDER_DENY_WRITE, DIR_KIND, "C:\\s"},
                                        {WIN_ORDER_PIN, DIR_KIND, "C:\\w"}};

    supervise(MANAGED);
    by_hand(ROOT, steps, 3);
    CHECK(judge() == CORDON_OK);
    CHECK(count_op(plan, PLAN_WINDOWS_DENY) == 1 && count_op(plan, PLAN_WINDOWS_PIN) == 1);
    CHECK(find(PLAN_WINDOWS_DENY_WRITE, "C:\\s", PLAN_SET_OWN) != NULL);
}

/* The mode that managed rules leave is not one without them. */
TEST(full_access_with_managed_rules_has_a_token_that_is_restricted)
{
    supervise(MANAGED);
    order_text(TREE "full-access\n" MANAGED);
    CHECK(judge() == CORDON_OK);
    CHECK_STR(text_of(PLAN_WINDOWS_TOKEN), "write-restricted");
    CHECK_STR(text_of(PLAN_WINDOWS_PRINCIPAL), PRINCIPAL);
    supervise("");
    CHECK(judge() == CORDON_OK);
    CHECK_STR(text_of(PLAN_WINDOWS_TOKEN), "plain");
}

TEST(what_is_not_asked_for_is_not_there)
{
    supervise("");
    by_hand(0, NULL, 0);
    CHECK(judge() == CORDON_OK);
    CHECK_STR(text_of(PLAN_WINDOWS_BACKEND), "service");
    CHECK_STR(text_of(PLAN_WINDOWS_TOKEN), "restricted");
    CHECK(count_op(plan, PLAN_WINDOWS_FILTER) == 4 && count_op(plan, PLAN_WINDOWS_NET_HOST) == 0);
    CHECK(count_op(plan, PLAN_WINDOWS_DESKTOP) == 1 && count_op(plan, PLAN_WINDOWS_RESTRICT) == 3);
}

/* ---- grants ---- */

TEST(a_grant_at_or_below_what_a_managed_rule_denies_is_refused)
{
    static const struct {
        uint16_t op;
        const char *path, *why;
    } rows[] = {
        {WIN_ORDER_GRANT_READ, "C:\\s",
         "C:\\s lies where a managed rule denies reading, and is to be granted"},
        {WIN_ORDER_GRANT_READ, "C:\\s\\in\\deep",
         "C:\\s\\in\\deep lies where a managed rule denies reading, and is to be granted"},
        {WIN_ORDER_GRANT_READ, "C:\\S\\IN",
         "C:\\S\\IN lies where a managed rule denies reading, and is to be granted"},
        {WIN_ORDER_GRANT_WRITE, "C:\\s\\in",
         "C:\\s\\in lies where a managed rule denies writing, and is to be granted"},
        {WIN_ORDER_GRANT_WRITE, "C:\\w\\B\\f",
         "C:\\w\\B\\f lies where a managed rule denies writing, and is to be granted"},
    };

    supervise(MANAGED);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct hand step = {rows[i].op, DIR_KIND, rows[i].path};

        by_hand(ROOT | NET, &step, 1);
        refused(CORDON_E_DENIED, rows[i].why);
    }
}

TEST(a_grant_beside_or_above_it_is_none_of_its_business)
{
    static const struct hand steps[] = {{WIN_ORDER_GRANT_READ, DIR_KIND, "C:\\secrets"},
                                        {WIN_ORDER_GRANT_READ, DIR_KIND, "C:\\w\\b"},
                                        {WIN_ORDER_GRANT_WRITE, DIR_KIND, "C:\\w"},
                                        {WIN_ORDER_GRANT_WRITE, DIR_KIND, "D:\\s"}};

    supervise(MANAGED);
    by_hand(ROOT, steps, 4);
    CHECK(judge() == CORDON_OK);
    CHECK(count_op(plan, PLAN_WINDOWS_GRANT_WRITE) == 2);
}

TEST(a_mode_that_is_not_allowed_is_refused)
{
    static const struct hand step = {WIN_ORDER_GRANT_WRITE, DIR_KIND, "C:\\w"};

    supervise(MANAGED);
    ours.policy.managed_allows_write = false;
    by_hand(ROOT, &step, 1);
    refused(CORDON_E_DENIED, "the managed policy does not allow writing");
    supervise("");
    ours.policy.managed_allows_full_access = false;
    order_text(TREE "full-access\n");
    refused(CORDON_E_DENIED, "the managed policy does not allow danger-full-access");
}

TEST(the_callers_own_token_takes_no_entries)
{
    static const struct hand step = {WIN_ORDER_DENY, DIR_KIND, "C:\\w"};

    supervise("");
    by_hand(WIN_ORDER_FULL_ACCESS | ROOT | NET, &step, 1);
    refused(CORDON_E_INVALID, "spawn order: entries for a token that nothing is denied to");
}

/* ---- embedded mode ---- */

TEST(embedded_mode_takes_what_its_token_holds_and_no_more)
{
    static const struct hand step = {WIN_ORDER_GRANT_WRITE, DIR_KIND, "C:\\w"};

    supervise("");
    terms.embedded = true;
    by_hand(ROOT | NET, NULL, 0);
    CHECK(judge() == CORDON_OK);
    CHECK_STR(text_of(PLAN_WINDOWS_BACKEND), "restricted-token");
    by_hand(NET, NULL, 0);
    refused(CORDON_E_UNSUPPORTED, "a restricted token cannot keep the job from reading");
    by_hand(ROOT, NULL, 0);
    refused(CORDON_E_UNSUPPORTED, "a restricted token cannot keep the job from the network");
    by_hand(ROOT | NET, &step, 1);
    refused(CORDON_E_UNSUPPORTED, "a private broker puts no entries on access lists: nobody would "
                                  "take them off if it were killed");
    CHECK(strstr(fault.remedy, "service") != NULL);
}

TEST(managed_rules_that_were_not_planned_start_nothing)
{
    supervise(MANAGED);
    terms.managed_plan = NULL;
    by_hand(ROOT, NULL, 0);
    refused(CORDON_E_STATE, "the managed rules were not planned");
}

/* ---- its form ---- */

TEST(flags_that_contradict_each_other_are_refused)
{
    static const struct {
        uint32_t flags;
        const char *why;
    } rows[] = {
        {WIN_ORDER_FLAGS + 1U, "spawn order: unknown flags"},
        {0x80000000U | ROOT, "spawn order: unknown flags"},
        {WIN_ORDER_FULL_ACCESS, "spawn order: full access that is less than full"},
        {WIN_ORDER_FULL_ACCESS | ROOT, "spawn order: full access that is less than full"},
        {WIN_ORDER_PACKAGES | ROOT,
         "spawn order: a token that is restricted for reading and is not"},
    };

    supervise("");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        by_hand(rows[i].flags, NULL, 0);
        refused(CORDON_E_INVALID, rows[i].why);
    }
}

TEST(unknown_steps_and_kinds_are_refused)
{
    static const struct {
        struct hand step;
        const char *why;
    } rows[] = {
        {{0, DIR_KIND, "C:\\w"}, "spawn order, step 0: unknown step"},
        {{WIN_ORDER_OP_COUNT, DIR_KIND, "C:\\w"}, "spawn order, step 0: unknown step"},
        {{0xffff, DIR_KIND, "C:\\w"}, "spawn order, step 0: unknown step"},
        {{WIN_ORDER_DENY, 0, "C:\\w"},
         "spawn order, step 0: a kind of object that the step has not"},
        {{WIN_ORDER_DENY, PLAN_STEP_DIR | PLAN_STEP_LINK, "C:\\w"},
         "spawn order, step 0: a kind of object that the step has not"},
        {{WIN_ORDER_DENY, PLAN_STEP_OPEN, "C:\\w"},
         "spawn order, step 0: a kind of object that the step has not"},
        {{WIN_ORDER_GRANT_READ, PLAN_STEP_LINK, "C:\\w"},
         "spawn order, step 0: a kind of object that the step has not"},
        {{WIN_ORDER_MAKE, PLAN_STEP_LINK, "C:\\w"},
         "spawn order, step 0: a kind of object that the step has not"},
        {{WIN_ORDER_PIN, PLAN_STEP_FILE, "C:\\w"},
         "spawn order, step 0: a kind of object that the step has not"},
    };

    supervise("");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        by_hand(ROOT, &rows[i].step, 1);
        refused(CORDON_E_INVALID, rows[i].why);
    }
}

/* One spelling each: what is compared is what is opened. */
TEST(a_path_in_any_other_than_its_normal_form_is_refused)
{
    static const char *const paths[] = {
        "",          "w",         "C:w",      "C:",       "C:\\w\\",      "C:/w",
        "c:\\w",     "C:\\a\\..", "C:\\.\\w", "C:\\\\w",  "\\\\?\\C:\\w", "\\\\.\\C:\\w",
        "C:\\a:b",   "C:\\a.",    "C:\\a ",   "C:\\AUX",  "C:\\PROGRA~1", "\\w",
        "C:\\a\x01", "C:\\\xff",  "HKLM\\k",  "\\??\\C:", "C:\\a*",       "\\\\localhost\\c$\\w",
    };

    supervise("");
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const struct hand step = {WIN_ORDER_DENY, DIR_KIND, paths[i]};

        by_hand(ROOT, &step, 1);
        if (judge() == CORDON_OK) {
            (void)fprintf(stderr, "  %s\n", paths[i]);
        }
        refused(CORDON_E_INVALID,
                "spawn order, step 0: a path that is not absolute and in its normal form");
    }
}

TEST(a_folder_to_start_in_is_a_path_like_the_others)
{
    supervise("");
    by_hand(ROOT, NULL, 0);
    memcpy((char *)block + sizeof(struct win_order_head), "c:\\w", 4);
    refused(CORDON_E_INVALID, "spawn order: a path that is not absolute and in its normal form");
}

TEST(blocks_that_are_cut_or_longer_are_refused)
{
    static const struct hand steps[] = {{WIN_ORDER_DENY, DIR_KIND, "C:\\w\\a"},
                                        {WIN_ORDER_PIN, DIR_KIND, "C:\\w"}};
    char *copy;

    supervise("");
    by_hand(ROOT, steps, 2);
    copy = malloc(block_len + 8);
    CHECK(copy != NULL);
    for (size_t cut = 0; cut < block_len; cut++) {
        /* Both with the size that it had and with the one that it has. */
        memcpy(copy, block, cut);
        CHECK(read_order(copy, cut) == CORDON_E_INVALID);
        if (cut >= sizeof(struct win_order_head)) {
            ((struct win_order_head *)(void *)copy)->size = (uint32_t)cut;
            CHECK(read_order(copy, cut) == CORDON_E_INVALID);
        }
    }
    memcpy(copy, block, block_len);
    copy[block_len] = '\0';
    ((struct win_order_head *)(void *)copy)->size = (uint32_t)block_len + 1;
    CHECK(read_order(copy, block_len + 1) == CORDON_E_INVALID);
    CHECK_STR(fault.text, "spawn order: more than its steps");
    memcpy(copy + 1, block, block_len);
    CHECK(read_order(copy + 1, block_len) == CORDON_E_INVALID);
    CHECK(read_order(block, (size_t)WIN_ORDER_BYTES_MAX + 1) == CORDON_E_INVALID);
    free(copy);
}

TEST(a_head_that_says_what_is_not_there_is_refused)
{
    struct win_order_head *head;

    supervise("");
    by_hand(ROOT, NULL, 0);
    head = block;
    head->magic++;
    refused(CORDON_E_INVALID, "spawn order: bad head");
    by_hand(ROOT, NULL, 0);
    head = block;
    head->step_count = 1;
    CHECK(judge() == CORDON_E_INVALID);
    head->step_count = UINT32_MAX;
    refused(CORDON_E_INVALID, "spawn order: bad head");
    head->step_count = WIN_ORDER_STEPS_MAX + 1;
    refused(CORDON_E_INVALID, "spawn order: bad head");
}

/* Whatever 16 bits of it are overwritten, what is accepted has no more rights than were asked for,
 * and keeps every managed entry. */
TEST(no_damaged_order_loses_a_managed_entry)
{
    static const uint16_t values[] = {0, 1, 2, 3, 4, 5, 6, 7, 0x5c, 0x7fff, 0xffff};
    static const struct hand steps[] = {{WIN_ORDER_GRANT_WRITE, DIR_KIND, "C:\\w"},
                                        {WIN_ORDER_DENY, DIR_KIND, "C:\\w\\a"}};
    unsigned taken = 0;
    char *whole;

    supervise(MANAGED);
    ours.policy.managed_allows_full_access = false;
    by_hand(ROOT, steps, 2);
    whole = malloc(block_len);
    CHECK(whole != NULL);
    memcpy(whole, block, block_len);
    for (size_t at = 0; at + 2 <= block_len; at++) {
        for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
            memcpy(block, whole, block_len);
            memcpy((char *)block + at, &values[v], 2);
            if (judge() != CORDON_OK) {
                continue;
            }
            taken++;
            CHECK(find(PLAN_WINDOWS_DENY, "C:\\s", PLAN_SET_MANAGED) != NULL);
            CHECK(find(PLAN_WINDOWS_DENY_WRITE, "C:\\w\\b", PLAN_SET_MANAGED) != NULL);
            CHECK(strcmp(text_of(PLAN_WINDOWS_TOKEN), "plain") != 0);
        }
    }
    CHECK(taken > 0);
    free(whole);
}

TEST(an_order_of_too_many_steps_is_not_made)
{
    struct plan many;
    struct plan_step *steps = calloc(WIN_ORDER_STEPS_MAX + 2U, sizeof(*steps));
    void *made = NULL;

    CHECK(steps != NULL);
    supervise("");
    many = *plan_case_of(&worker, BASE);
    steps[0] = (struct plan_step){.op = PLAN_WINDOWS_EXEC, .path = "C:\\w"};
    for (size_t i = 1; i < WIN_ORDER_STEPS_MAX + 2U; i++) {
        steps[i] = (struct plan_step){
            .op = PLAN_WINDOWS_PIN, .flags = PLAN_STEP_DIR, .set = PLAN_SET_OWN, .path = "C:\\w"};
    }
    many.steps = steps;
    many.step_count = WIN_ORDER_STEPS_MAX + 2U;
    CHECK(win_order_make(&worker.policy, &many, &made, &block_len, &fault) == CORDON_E_LIMIT);
    many.step_count = 0;
    CHECK(win_order_make(&worker.policy, &many, &made, &block_len, &fault) == CORDON_E_INVALID);
    CHECK(made == NULL);
    free(steps);
}

TEST_MAIN()

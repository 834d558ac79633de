/* SPDX-License-Identifier: Apache-2.0 */
/* A spawn order is refused unless every index in it may be used. */
#include "platform/linux/order.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"

static void *block_make(const struct order_step *steps, size_t count, size_t *ret_len)
{
    struct order_builder builder;
    void *block = NULL;

    order_begin(&builder);
    builder.head.rule_count[ORDER_SET_OWN] = 2;
    builder.head.access[ORDER_SET_OWN] = order_add_text(&builder, "\0\1", 2);
    builder.head.access[ORDER_SET_MANAGED] = order_add_text(&builder, "", 0);
    for (size_t i = 0; i < count; i++) {
        struct order_step step = steps[i];

        if (step.text != 0) {
            step.text = order_add_text(&builder, "/srv/secret", 11);
        }
        order_add_step(&builder, &step);
    }
    CHECK(order_finish(&builder, &block, ret_len, NULL) == CORDON_OK);
    order_builder_deinit(&builder);
    return block;
}

static enum cordon_err check_one(struct order_step step, size_t grants)
{
    const struct order_head *head;
    size_t len;
    void *block = block_make(&step, 1, &len);
    enum cordon_err err = order_check(block, len, grants, &head, NULL);

    free(block);
    return err;
}

TEST(what_was_built_passes_and_reads_back)
{
    const struct order_step steps[] = {
        {.op = ORDER_MASK, .rule = 1, .fd = ORDER_NO_FD, .text = 1},
        {.op = ORDER_GRANT_WRITE, .rule = ORDER_NO_RULE, .fd = 0},
    };
    const struct order_head *head;
    size_t len;
    void *block = block_make(steps, 2, &len);

    CHECK(order_check(block, len, 1, &head, NULL) == CORDON_OK);
    CHECK(head->step_count == 2);
    CHECK_STR(order_text(head, order_steps(head)[0].text), "/srv/secret");
    CHECK(order_access(head, ORDER_SET_OWN)[1] == 1);
    CHECK(order_text(head, 0) == NULL);
    free(block);
}

TEST(object_index_beyond_the_grants_is_refused)
{
    struct order_step step = {.op = ORDER_GRANT_WRITE, .rule = ORDER_NO_RULE, .fd = 3};

    CHECK(check_one(step, 3) == CORDON_E_INVALID);
    CHECK(check_one(step, 4) == CORDON_OK);
}

TEST(rule_index_beyond_its_set_is_refused)
{
    struct order_step step = {.op = ORDER_MASK, .rule = 2, .fd = ORDER_NO_FD, .text = 1};

    CHECK(check_one(step, 0) == CORDON_E_INVALID);
    step.rule = 0;
    step.set = ORDER_SET_MANAGED;
    CHECK(check_one(step, 0) == CORDON_E_INVALID);
    step.set = ORDER_SET_COUNT;
    CHECK(check_one(step, 0) == CORDON_E_INVALID);
}

TEST(unknown_and_incomplete_steps_are_refused)
{
    struct order_step step = {.op = 0, .rule = ORDER_NO_RULE, .fd = ORDER_NO_FD, .text = 1};

    CHECK(check_one(step, 0) == CORDON_E_INVALID);
    step.op = ORDER_OP_COUNT;
    CHECK(check_one(step, 0) == CORDON_E_INVALID);
    step.op = ORDER_LINK; /* has no aux */
    CHECK(check_one(step, 0) == CORDON_E_INVALID);
    step.op = ORDER_SCAN;
    step.text = 0;
    CHECK(check_one(step, 0) == CORDON_E_INVALID);
}

/* Each of thousands of steps may name the same text: the time for it is bounded, too. */
TEST(a_text_longer_than_any_path_is_refused)
{
    static char text[ORDER_TEXT_MAX];

    memset(text, '/', sizeof(text));
    for (size_t len = ORDER_TEXT_MAX - 1; len <= ORDER_TEXT_MAX; len++) {
        struct order_step step = {.op = ORDER_MASK, .rule = ORDER_NO_RULE, .fd = ORDER_NO_FD};
        struct order_builder builder;
        const struct order_head *head;
        void *block = NULL;
        size_t block_len;

        order_begin(&builder);
        for (size_t set = 0; set < ORDER_SET_COUNT; set++) {
            builder.head.access[set] = order_add_text(&builder, "", 0);
        }
        step.text = order_add_text(&builder, text, len);
        order_add_step(&builder, &step);
        CHECK(order_finish(&builder, &block, &block_len, NULL) == CORDON_OK);
        order_builder_deinit(&builder);
        CHECK(order_check(block, block_len, 0, &head, NULL) ==
              (len < ORDER_TEXT_MAX ? CORDON_OK : CORDON_E_INVALID));
        free(block);
    }
}

/* Whatever 32-bit word of the block is overwritten, no accepted block leads outside it. */
TEST(no_damaged_block_leads_outside_itself)
{
    static const uint32_t values[] = {0, 1, 7, 0x7fffffff, 0xffffffff, 0xfffffff8, 400};
    const struct order_step steps[] = {
        {.op = ORDER_MASK, .rule = 1, .fd = ORDER_NO_FD, .text = 1},
        {.op = ORDER_SCAN, .rule = 0, .fd = ORDER_NO_FD, .text = 1},
    };
    size_t len;
    char *block = block_make(steps, 2, &len);
    char *copy = malloc(len);

    CHECK(copy != NULL);
    for (size_t at = 0; at + 4 <= len; at += 4) {
        for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
            const struct order_head *head;

            memcpy(copy, block, len);
            memcpy(copy + at, &values[v], 4);
            if (order_check(copy, len, 0, &head, NULL) != CORDON_OK) {
                continue;
            }
            for (uint32_t i = 0; i < head->step_count; i++) {
                const char *text = order_text(head, order_steps(head)[i].text);

                CHECK(text >= copy && text + strlen(text) < copy + len);
            }
            for (uint32_t i = 0; i < head->rule_count[ORDER_SET_OWN]; i++) {
                CHECK((const char *)&order_access(head, ORDER_SET_OWN)[i] < copy + len);
            }
        }
    }
    free(copy);
    free(block);
}

TEST(truncated_and_misaligned_blocks_are_refused)
{
    const struct order_head *head;
    size_t len;
    char *block = block_make(NULL, 0, &len);
    char *shifted = malloc(len + 8);

    for (size_t cut = 0; cut < len; cut++) {
        CHECK(order_check(block, cut, 0, &head, NULL) == CORDON_E_INVALID);
    }
    CHECK(shifted != NULL);
    memcpy(shifted + 4, block, len);
    CHECK(order_check(shifted + 4, len, 0, &head, NULL) == CORDON_E_INVALID);
    free(shifted);
    free(block);
}

TEST_MAIN()

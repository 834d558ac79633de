/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/order.h"

#include <stdlib.h>
#include <string.h>

#include "policy/types.h"

static bool range_ok(const struct order_head *head, uint32_t offset, uint64_t len)
{
    return offset >= sizeof(*head) && (uint64_t)offset + len <= head->size;
}

static bool text_ok(const struct order_head *head, uint32_t offset)
{
    const char *base = (const char *)head;
    size_t len;

    if (!range_ok(head, offset, 1)) {
        return false;
    }
    /* Many steps may name one text: none of them may have us read the whole block. */
    len = head->size - offset;
    return memchr(base + offset, '\0', len < ORDER_TEXT_MAX ? len : (size_t)ORDER_TEXT_MAX) != NULL;
}

static bool path_ok(const struct order_head *head, uint32_t offset)
{
    return text_ok(head, offset) && ((const char *)head)[offset] == '/';
}

/* What each op must carry. */
static const struct {
    bool object, path, aux;
} op_needs[ORDER_OP_COUNT] = {
    [ORDER_GRANT_READ] = {true, false, false}, [ORDER_GRANT_WRITE] = {true, false, false},
    [ORDER_SOCKET] = {true, false, false},     [ORDER_PROTECT] = {false, true, false},
    [ORDER_MASK] = {false, true, false},       [ORDER_LINK] = {false, true, true},
    [ORDER_SCAN] = {false, true, false},       [ORDER_WATCH] = {false, true, false},
    [ORDER_PIN] = {false, true, false},
};

static const char *step_fault(const struct order_head *head, const struct order_step *step,
                              size_t grant_count)
{
    if (step->op == 0 || step->op >= ORDER_OP_COUNT) {
        return "unknown step";
    }
    if (step->set >= ORDER_SET_COUNT) {
        return "unknown rule set";
    }
    if (step->rule != ORDER_NO_RULE && step->rule >= head->rule_count[step->set]) {
        return "rule index out of range";
    }
    if (op_needs[step->op].object && step->fd >= grant_count && !path_ok(head, step->text)) {
        return "object index out of range";
    }
    if (op_needs[step->op].path && !path_ok(head, step->text)) {
        return "step without an absolute path";
    }
    if (op_needs[step->op].aux && !text_ok(head, step->aux)) {
        return "step without its text";
    }
    return NULL;
}

static const char *head_fault(const struct order_head *head, size_t len)
{
    if (head->magic != ORDER_MAGIC || head->size != len) {
        return "bad head";
    }
    if (head->step_count > ORDER_STEPS_MAX || head->steps % 8 != 0 ||
        !range_ok(head, head->steps, (uint64_t)head->step_count * sizeof(struct order_step))) {
        return "bad step table";
    }
    for (uint32_t set = 0; set < ORDER_SET_COUNT; set++) {
        if (head->rule_count[set] > POLICY_RULES_MAX ||
            !range_ok(head, head->access[set], head->rule_count[set])) {
            return "bad rule table";
        }
    }
    if (head->identity.group_count > ORDER_GROUPS_MAX || head->identity.groups % 4 != 0 ||
        (head->identity.group_count > 0 &&
         !range_ok(head, head->identity.groups, 4ULL * head->identity.group_count))) {
        return "bad group table";
    }
    if (head->cwd != 0 && !path_ok(head, head->cwd)) {
        return "bad working directory";
    }
    return NULL;
}

enum cordon_err order_check(const void *block, size_t len, size_t grant_count,
                            const struct order_head **ret_head, struct cordon_fault *fault)
{
    const struct order_head *head = block;
    const struct order_step *steps;
    const char *wrong;

    if (len < sizeof(*head) || len > ORDER_BYTES_MAX || (uintptr_t)block % 8 != 0) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "spawn order: bad size %zu", len);
    }
    wrong = head_fault(head, len);
    if (wrong != NULL) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "spawn order: %s", wrong);
    }
    steps = order_steps(head);
    for (uint32_t i = 0; i < head->step_count; i++) {
        wrong = step_fault(head, &steps[i], grant_count);
        if (wrong != NULL) {
            return fault_set(fault, CORDON_E_INVALID, NULL, "spawn order, step %u: %s", i, wrong);
        }
    }
    *ret_head = head;
    return CORDON_OK;
}

const struct order_step *order_steps(const struct order_head *head)
{
    return (const struct order_step *)(const void *)((const char *)head + head->steps);
}

const char *order_text(const struct order_head *head, uint32_t offset)
{
    return offset == 0 ? NULL : (const char *)head + offset;
}

bool order_has(const struct order_head *head, enum order_op op)
{
    const struct order_step *steps = order_steps(head);

    for (uint32_t i = 0; i < head->step_count; i++) {
        if (steps[i].op == op) {
            return true;
        }
    }
    return false;
}

bool order_watches(const struct order_head *head)
{
    return order_has(head, ORDER_WATCH);
}

const uint8_t *order_access(const struct order_head *head, uint32_t set)
{
    return (const uint8_t *)head + head->access[set];
}

void order_begin(struct order_builder *builder)
{
    *builder = (struct order_builder){.texts = STRBUF_INIT};
    builder->head.magic = ORDER_MAGIC;
    strbuf_add(&builder->texts, "", 1);
}

void order_builder_deinit(struct order_builder *builder)
{
    strbuf_deinit(&builder->texts);
    free(builder->steps);
    builder->steps = NULL;
}

uint32_t order_add_text(struct order_builder *builder, const void *text, size_t len)
{
    uint32_t offset;

    while (builder->texts.len % 8 != 0 && !builder->texts.failed) {
        strbuf_add(&builder->texts, "", 1);
    }
    if (len > ORDER_BYTES_MAX || builder->texts.len + len > ORDER_BYTES_MAX) {
        builder->failed = true;
        return 0;
    }
    offset = (uint32_t)builder->texts.len;
    strbuf_add(&builder->texts, text, len);
    strbuf_add(&builder->texts, "", 1);
    return offset;
}

void order_add_step(struct order_builder *builder, const struct order_step *step)
{
    if (builder->step_count == builder->step_room) {
        size_t room = builder->step_room == 0 ? 16 : builder->step_room * 2;
        struct order_step *steps = realloc(builder->steps, room * sizeof(*steps));

        if (steps == NULL || room > ORDER_STEPS_MAX * 2U) {
            builder->failed = true;
            if (steps != NULL) {
                builder->steps = steps;
            }
            return;
        }
        builder->steps = steps;
        builder->step_room = room;
    }
    builder->steps[builder->step_count++] = *step;
}

/* Texts were numbered from the start of their area; the area comes last. */
static void order_relocate(struct order_builder *builder, uint32_t base)
{
    struct order_head *head = &builder->head;

    for (size_t i = 0; i < builder->step_count; i++) {
        struct order_step *step = &builder->steps[i];

        step->text += step->text == 0 ? 0 : base;
        step->aux += step->aux == 0 ? 0 : base;
    }
    for (uint32_t set = 0; set < ORDER_SET_COUNT; set++) {
        head->access[set] += base;
    }
    head->identity.groups += head->identity.groups == 0 ? 0 : base;
    head->cwd += head->cwd == 0 ? 0 : base;
}

enum cordon_err order_finish(struct order_builder *builder, void **ret_block, size_t *ret_len,
                             struct cordon_fault *fault)
{
    struct order_head *head = &builder->head;
    size_t steps_len = builder->step_count * sizeof(struct order_step);
    size_t total = sizeof(*head) + steps_len + builder->texts.len;
    char *block;

    if (builder->texts.failed) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "spawn order: out of memory");
    }
    if (builder->failed || total > ORDER_BYTES_MAX || builder->step_count > ORDER_STEPS_MAX) {
        return fault_set(fault, CORDON_E_LIMIT, "use fewer or more general rules",
                         "spawn order: more than %u steps or %u bytes", ORDER_STEPS_MAX,
                         ORDER_BYTES_MAX);
    }
    block = malloc(total);
    if (block == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "spawn order: out of memory");
    }
    head->size = (uint32_t)total;
    head->steps = (uint32_t)sizeof(*head);
    head->step_count = (uint32_t)builder->step_count;
    order_relocate(builder, (uint32_t)(sizeof(*head) + steps_len));
    memcpy(block, head, sizeof(*head));
    if (steps_len > 0) {
        memcpy(block + sizeof(*head), builder->steps, steps_len);
    }
    memcpy(block + sizeof(*head) + steps_len, builder->texts.data, builder->texts.len);
    *ret_block = block;
    *ret_len = total;
    return CORDON_OK;
}

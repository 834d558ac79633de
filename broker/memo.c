/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/memo.h"

#include <stdlib.h>
#include <string.h>

#include "broker/rule_texts.h"
#include "platform/host.h"
#include "platform/ipc.h"

#define ARENA_MAX ((size_t)256U * 1024U * 1024U)

/* ---- the input in one string: equal inputs, and no others, have equal keys ---- */

static void key_number(struct strbuf *key, uint64_t number)
{
    strbuf_add(key, (const char *)&number, sizeof(number));
}

static void key_bytes(struct strbuf *key, const char *text, size_t len)
{
    key_number(key, text == NULL ? UINT64_MAX : len);
    strbuf_add(key, text == NULL ? "" : text, text == NULL ? 0 : len);
}

static void key_text(struct strbuf *key, const char *text)
{
    key_bytes(key, text, text == NULL ? 0 : strlen(text));
}

static void key_make(const struct policy_input *input, struct strbuf *key)
{
    const struct policy_context *context = &input->context;
    const struct policy_choice *choice = &input->choice;

    key_number(key, input->document_count);
    for (size_t i = 0; i < input->document_count; i++) {
        key_number(key, (uint64_t)input->documents[i].layer);
        key_text(key, input->documents[i].path);
        key_bytes(key, input->documents[i].text, input->documents[i].len);
    }
    key_number(key, (uint64_t)context->os);
    key_number(key, context->slash_tmp ? 1 : 0);
    key_number(key, context->group_count);
    for (size_t i = 0; i < context->group_count; i++) {
        key_text(key, context->groups[i]);
    }
    key_text(key, context->home);
    key_text(key, context->user);
    key_text(key, context->hostname);
    key_text(key, context->cwd);
    key_text(key, context->tmpdir);
    key_text(key, choice->mode);
    key_text(key, choice->profile);
    key_number(key, choice->override_count);
    for (size_t i = 0; i < choice->override_count; i++) {
        key_text(key, choice->overrides[i]);
    }
}

/* ---- a copy of the input, which the policy may lead into ---- */

struct copying {
    struct arena *arena;
    bool failed;
};

static const char *copy_bytes(struct copying *copying, const char *text, size_t len)
{
    const char *copy = text == NULL ? NULL : arena_strndup(copying->arena, text, len);

    copying->failed = copying->failed || (text != NULL && copy == NULL);
    return copy;
}

static const char *copy_text(struct copying *copying, const char *text)
{
    return copy_bytes(copying, text, text == NULL ? 0 : strlen(text));
}

static const char **copy_texts(struct copying *copying, const char *const *texts, size_t count)
{
    const char **copies = arena_array(copying->arena, count + 1, sizeof(*copies));

    copying->failed = copying->failed || copies == NULL;
    for (size_t i = 0; !copying->failed && i < count; i++) {
        copies[i] = copy_text(copying, texts[i]);
    }
    return copies;
}

static bool input_copy(const struct policy_input *from, struct arena *arena,
                       struct policy_input *ret_input)
{
    struct copying copying = {arena, false};
    struct policy_document *documents =
        arena_array(arena, from->document_count + 1, sizeof(*documents));

    *ret_input = *from;
    for (size_t i = 0; documents != NULL && i < from->document_count; i++) {
        documents[i] = from->documents[i];
        documents[i].path = copy_text(&copying, from->documents[i].path);
        documents[i].text = copy_bytes(&copying, from->documents[i].text, from->documents[i].len);
    }
    ret_input->documents = documents;
    ret_input->context.groups =
        copy_texts(&copying, (const char *const *)from->context.groups, from->context.group_count);
    ret_input->context.home = copy_text(&copying, from->context.home);
    ret_input->context.user = copy_text(&copying, from->context.user);
    ret_input->context.hostname = copy_text(&copying, from->context.hostname);
    ret_input->context.cwd = copy_text(&copying, from->context.cwd);
    ret_input->context.tmpdir = copy_text(&copying, from->context.tmpdir);
    ret_input->choice.mode = copy_text(&copying, from->choice.mode);
    ret_input->choice.profile = copy_text(&copying, from->choice.profile);
    ret_input->choice.overrides =
        copy_texts(&copying, from->choice.overrides, from->choice.override_count);
    return documents != NULL && !copying.failed;
}

/* ---- the policies ---- */

static void policy_free(struct memo_policy *policy)
{
    if (policy != NULL) {
        planned_free(policy->planned);
        dfa_free(policy->own);
        dfa_free(policy->managed);
        host_close(policy->own_fd);
        host_close(policy->texts_fd);
        strbuf_deinit(&policy->key);
        arena_deinit(&policy->arena);
        free(policy);
    }
}

/* Takes @key over. */
static enum cordon_err policy_new(const struct policy_input *input, struct strbuf *key,
                                  struct memo_policy **ret_policy, struct cordon_fault *fault)
{
    struct memo_policy *policy = calloc(1, sizeof(*policy));
    struct policy_input copy;
    enum cordon_err err;

    if (policy == NULL) {
        strbuf_deinit(key);
        return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    policy->key = *key;
    policy->own_fd = policy->texts_fd = -1;
    arena_init(&policy->arena, ARENA_MAX);
    err = input_copy(input, &policy->arena, &copy)
              ? policy_load(&copy, &policy->arena, &policy->policy, fault)
              : fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
    if (err == CORDON_OK) {
        err = policy_hash(policy->policy, policy->hash);
    }
    if (err != CORDON_OK) {
        policy_free(policy);
        return err;
    }
    *ret_policy = policy;
    return CORDON_OK;
}

/* How the rules are told of. Without it a denial has no rule's name, and holds. */
static void texts_make(struct memo_policy *policy)
{
    struct strbuf texts = STRBUF_INIT;
    struct cordon_fault ignored;

    rule_texts_make(&policy->policy->own, &texts);
    if (!texts.failed && texts.len > 0) {
        (void)!ipc_memfd("cordon-texts", texts.data, texts.len, &policy->texts_fd, &ignored);
    }
    strbuf_deinit(&texts);
}

static enum cordon_err policy_tables(struct memo_policy *policy, struct cordon_fault *fault)
{
    const struct policy *of = policy->policy;
    enum cordon_err err = CORDON_OK;

    if (policy->own == NULL) {
        err = policy_compile(&of->own, of->os, &policy->own, fault);
    }
    if (err == CORDON_OK && policy->managed == NULL) {
        err = policy_compile(&of->managed, of->os, &policy->managed, fault);
    }
    if (err == CORDON_OK && policy->own_fd < 0) {
        err = ipc_memfd("cordon-rules", policy->own, dfa_size(policy->own), &policy->own_fd, fault);
    }
    if (err == CORDON_OK && policy->texts_fd < 0) {
        texts_make(policy);
    }
    return err;
}

/* The one with that key, else the one to be replaced. */
static struct memo_policy **slot_of(struct memo *memo, const struct strbuf *key)
{
    struct memo_policy **oldest = &memo->policies[0];

    for (size_t i = 0; i < MEMO_POLICIES; i++) {
        struct memo_policy **slot = &memo->policies[i];

        if (*slot != NULL && (*slot)->key.len == key->len &&
            memcmp((*slot)->key.data, key->data, key->len) == 0) {
            return slot;
        }
        if (*oldest != NULL && (*slot == NULL || (*slot)->used < (*oldest)->used)) {
            oldest = slot;
        }
    }
    policy_free(*oldest);
    *oldest = NULL;
    return oldest;
}

enum cordon_err memo_policy(struct memo *memo, const struct policy_input *input, bool compiled,
                            struct memo_policy **ret_policy, struct cordon_fault *fault)
{
    struct strbuf key = STRBUF_INIT;
    struct memo_policy **slot;
    enum cordon_err err = CORDON_OK;

    key_make(input, &key);
    if (key.failed) {
        strbuf_deinit(&key);
        return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    slot = slot_of(memo, &key);
    if (*slot != NULL) {
        strbuf_deinit(&key);
    } else {
        err = policy_new(input, &key, slot, fault);
    }
    if (err == CORDON_OK && compiled) {
        err = policy_tables(*slot, fault);
    }
    if (err == CORDON_OK) {
        (*slot)->used = ++memo->clock;
        *ret_policy = *slot;
    }
    return err;
}

void memo_deinit(struct memo *memo)
{
    for (size_t i = 0; i < MEMO_POLICIES; i++) {
        policy_free(memo->policies[i]);
        memo->policies[i] = NULL;
    }
}

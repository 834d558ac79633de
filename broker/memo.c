/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/memo.h"

#include <stdlib.h>
#include <string.h>

#include "broker/rule_texts.h"
#include "platform/host.h"
#include "platform/ipc.h"

#define ARENA_MAX ((size_t)256U * 1024U * 1024U)
#define REHEARSED 32U
#define BESIDE_RULES 24U

/* ---- equal to the byte ---- */

static bool same_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a == NULL || b == NULL ? a == b : a_len == b_len && memcmp(a, b, a_len) == 0;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_texts(const char *const *a, size_t a_count, const char *const *b, size_t b_count)
{
    bool same = a_count == b_count;

    for (size_t i = 0; same && i < a_count; i++) {
        same = same_text(a[i], b[i]);
    }
    return same;
}

static bool same_documents(const struct policy_input *a, const struct policy_input *b)
{
    bool same = a->document_count == b->document_count;

    for (size_t i = 0; same && i < a->document_count; i++) {
        const struct policy_document *x = &a->documents[i];
        const struct policy_document *y = &b->documents[i];

        same = x->layer == y->layer && same_text(x->path, y->path) &&
               same_bytes(x->text, x->len, y->text, y->len);
    }
    return same;
}

static bool same_context(const struct policy_context *a, const struct policy_context *b)
{
    return a->os == b->os && a->slash_tmp == b->slash_tmp && same_text(a->home, b->home) &&
           same_text(a->user, b->user) && same_text(a->hostname, b->hostname) &&
           same_text(a->cwd, b->cwd) && same_text(a->tmpdir, b->tmpdir) &&
           same_texts((const char *const *)a->groups, a->group_count,
                      (const char *const *)b->groups, b->group_count);
}

static bool same_choice(const struct policy_choice *a, const struct policy_choice *b)
{
    return same_text(a->mode, b->mode) && same_text(a->profile, b->profile) &&
           same_texts(a->overrides, a->override_count, b->overrides, b->override_count);
}

static bool same_input(const struct policy_input *a, const struct policy_input *b)
{
    return same_context(&a->context, &b->context) && same_choice(&a->choice, &b->choice) &&
           same_documents(a, b);
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
        host_beside_end(policy->compiling);
        planned_free(policy->planned);
        dfa_free(policy->own);
        dfa_free(policy->managed);
        host_close(policy->own_fd);
        host_close(policy->texts_fd);
        arena_deinit(&policy->arena);
        free(policy);
    }
}

static enum cordon_err policy_new(const struct policy_input *input, struct memo_policy **ret_policy,
                                  struct cordon_fault *fault)
{
    struct memo_policy *policy = calloc(1, sizeof(*policy));
    enum cordon_err err;

    if (policy == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    policy->own_fd = policy->texts_fd = -1;
    arena_init(&policy->arena, ARENA_MAX);
    err = input_copy(input, &policy->arena, &policy->input)
              ? policy_load(&policy->input, &policy->arena, &policy->policy, fault)
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

static void tables_make(void *context)
{
    struct memo_policy *policy = context;
    const struct policy *of = policy->policy;
    struct cordon_fault *fault = &policy->fault;
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
    if (err == CORDON_OK) {
        texts_make(policy);
    }
    policy->compiled = err;
}

/* A few rules take less than a thread does. */
static void tables_begin(struct memo_policy *policy)
{
    const struct policy *of = policy->policy;

    host_beside_end(policy->compiling);
    policy->compiling = NULL;
    policy->compiled = CORDON_OK;
    if (policy->own_fd >= 0) {
        if (policy->texts_fd < 0) {
            texts_make(policy);
        }
        return;
    }
    if (of->own.count + of->managed.count > BESIDE_RULES) {
        policy->compiling = host_beside(tables_make, policy);
    }
    if (policy->compiling == NULL) {
        tables_make(policy);
    }
}

enum cordon_err memo_tables(struct memo_policy *policy, struct cordon_fault *fault)
{
    host_beside_end(policy->compiling);
    policy->compiling = NULL;
    if (policy->compiled != CORDON_OK) {
        *fault = policy->fault;
    }
    return policy->compiled;
}

/* The one of that input, else the one to be replaced. */
static struct memo_policy **slot_of(struct memo *memo, const struct policy_input *input)
{
    struct memo_policy **oldest = &memo->policies[0];

    for (size_t i = 0; i < MEMO_POLICIES; i++) {
        struct memo_policy **slot = &memo->policies[i];

        if (*slot != NULL && same_input(&(*slot)->input, input)) {
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
    struct memo_policy **slot = slot_of(memo, input);
    enum cordon_err err = *slot == NULL ? policy_new(input, slot, fault) : CORDON_OK;

    if (err == CORDON_OK && compiled) {
        tables_begin(*slot);
    }
    if (err == CORDON_OK) {
        (*slot)->used = ++memo->clock;
        *ret_policy = *slot;
    }
    return err;
}

/* Every kind of entry, and as many as somebody has who has many. */
static void rehearsal_text(struct strbuf *out)
{
    strbuf_puts(out, "default_permissions = \"a\"\n[permissions.a]\nextends = \":workspace\"\n"
                     "[permissions.a.filesystem]\n\"/**/.env*\" = \"deny\"\n\"~/d\" = \"read\"\n");
    for (unsigned i = 0; i < REHEARSED; i++) {
        strbuf_printf(out, "\"/a/%u/**/*.{key,pem}\" = \"deny\"\n\"/b/%u/c\" = \"deny\"\n", i, i);
    }
}

enum cordon_err memo_rehearse(void)
{
    struct strbuf text = STRBUF_INIT;
    struct policy_document document = {.layer = LAYER_USER_CODEX, .path = "/a"};
    struct policy_input input = {
        .documents = &document,
        .document_count = 1,
        .context = {.os = POLICY_OS_LINUX, .home = "/home", .hostname = "a", .cwd = "/a"}};
    struct memo memo;
    struct memo_policy *policy;
    struct cordon_fault fault;
    enum cordon_err err;

    rehearsal_text(&text);
    document.text = strbuf_text(&text);
    document.len = text.len;
    memset(&memo, 0, sizeof(memo));
    err = text.failed ? CORDON_E_NOMEM : memo_policy(&memo, &input, true, &policy, &fault);
    if (err == CORDON_OK) {
        err = memo_tables(policy, &fault);
    }
    memo_deinit(&memo);
    strbuf_deinit(&text);
    return err;
}

/* Those that were used last at @when or before. */
static void forget(struct memo *memo, uint64_t when)
{
    for (size_t i = 0; i < MEMO_POLICIES; i++) {
        struct memo_policy **policy = &memo->policies[i];

        if (*policy != NULL && (*policy)->used <= when) {
            policy_free(*policy);
            *policy = NULL;
        }
    }
}

void memo_keep_used(struct memo *memo)
{
    forget(memo, memo->lull);
    memo->lull = memo->clock;
}

void memo_deinit(struct memo *memo)
{
    forget(memo, UINT64_MAX);
}

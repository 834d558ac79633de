/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/denial.h"

#include <string.h>

#include "broker/feed.h"

/* Of one caller's jobs, so that they cannot fill the log; those left out are counted. */
#define AUDIT_WINDOW_MS 10000U
#define AUDIT_RECORDS_MAX 100U

static bool is_audited(const struct policy *managed)
{
    const char *level = managed == NULL ? NULL : managed->audit.level;

    return level == NULL || strcmp(level, "all") == 0;
}

void denials_begin(struct job_denials *denials, struct caller *caller, int texts_fd)
{
    struct managed_rules *rules = &caller->rules;

    if (rules->block == NULL && rules->policy != NULL) {
        rules->block = rule_block_new(&rules->policy->managed);
    }
    denials->managed = rule_block_ref(rules->block);
    denials->audited = is_audited(rules->policy);
    denials->own_fd = texts_fd;
}

void denials_end(struct job_denials *denials)
{
    rule_block_unref(denials->managed);
    host_close_foreign(denials->own_fd);
    if (denials->own != NULL) {
        ipc_unmap(denials->own, denials->own_len);
    }
    *denials = (struct job_denials){.own_fd = -1};
}

static void find_text(struct job_denials *denials, const struct ipc_violation *what,
                      struct rule_text *ret_text)
{
    struct cordon_fault ignored;

    memset(ret_text, 0, sizeof(*ret_text));
    if (what->set == IPC_SET_MANAGED && denials->managed != NULL) {
        (void)rule_texts_find(denials->managed->bytes, denials->managed->len, what->rule, ret_text);
        return;
    }
    if (what->set != IPC_SET_OWN) {
        return;
    }
    if (denials->own_fd >= 0) {
        if (ipc_map(denials->own_fd, RULE_TEXTS_MAX, &denials->own, &denials->own_len, &ignored) !=
            CORDON_OK) {
            denials->own = NULL;
        }
        host_close_foreign(denials->own_fd);
        denials->own_fd = -1;
    }
    if (denials->own != NULL) {
        (void)rule_texts_find(denials->own, denials->own_len, what->rule, ret_text);
    }
}

static void audit(struct caller *caller, const struct audit_event *about,
                  const struct ipc_violation *what, const struct rule_text *text)
{
    struct audit_event event = *about;
    const struct audit_denial denial = {what, text->rule, text->origin, caller->audit_skipped};
    const uint64_t now = host_now_ms();

    if (now >= caller->audit_until_ms) {
        caller->audit_until_ms = now + AUDIT_WINDOW_MS;
        caller->audit_count = 0;
    }
    if (caller->audit_count == AUDIT_RECORDS_MAX || what->operation == IPC_OPERATION_NONE) {
        caller->audit_skipped += what->lost + (what->operation == IPC_OPERATION_NONE ? 0U : 1U);
        return;
    }
    caller->audit_count++;
    caller->audit_skipped = 0;
    event.kind = AUDIT_VIOLATION;
    event.denial = &denial;
    audit_record(&caller->supervisor->audit, &event);
}

void denials_take(struct job_denials *denials, struct caller *caller, struct platform_job *handle,
                  const struct audit_event *about, size_t most)
{
    static struct ipc_violation what;
    struct supervisor *supervisor = caller->supervisor;
    struct rule_text text;
    const struct ring_denial denial = {about->uid, about->job, &what, &text};
    size_t count = 0;

    while (count < most && supervisor->platform->violation(handle, &what) == CORDON_OK) {
        count++;
        find_text(denials, &what, &text);
        denials->count += what.lost + (what.operation == IPC_OPERATION_NONE ? 0U : 1U);
        rings_add(&supervisor->rings, &denial);
        if (denials->audited) {
            audit(caller, about, &what, &text);
        }
    }
    if (count > 0) {
        feed_wake(supervisor, about->uid, about->job, false);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's real code (callers, workers, jobs, quota, undo) for two users who have at most
 * two connections and two jobs together, with hostile workers, and every call that can fail
 * failing. What holds in every state that can be reached:
 *
 *   - a process tree is there only with a charge of its user, from before it is started;
 *   - it is released once, and only when it was reaped, or was killed and did not end in time;
 *   - it is started only for a user who was looked up, and for a connection that his worker has;
 *   - an order is answered once; what was started has one end in the log, and is told of at most
 *     one to a worker that has not lost the connection;
 *   - the broker's own end kills all, and waits for nobody's denials;
 *   - when all is over nothing is held: charges, trees, descriptors, timers.
 */
#include "tests/model/supervisor_model.h"

#include <string.h>

#include "broker/worker_process.h"

static size_t trees(void)
{
    return trees_of(uid_of(0)) + trees_of(uid_of(1));
}

static unsigned set_up(void)
{
    unsigned count = 0;

    for (size_t i = 0; i <= LIVE_MAX; i++) {
        count += model.jobs[i].stage == STAGE_SETUP;
    }
    return count;
}

static void model_begin(void)
{
    static const struct supervisor_options options = {.platform = &model_platform};

    memset(&model, 0, sizeof(model));
    world_begin();
    model.supervisor = (struct supervisor){
        .options = &options,
        .platform = &model_platform,
        .helper_path = "cordond",
        .audit = {.line_fd = -1, .record_fd = -1},
        .managed = {.generation = 1},
        .listen_fd = -1,
        .ahead = {.child = {.pidfd = -1}},
    };
    quota_init(&model.supervisor.quota);
}

/* ---- the state ---- */

/* By the order of a list, so that ids do not matter. */
static unsigned rank_of(const struct caller *caller, uint32_t session)
{
    unsigned rank = 0;

    for (const struct caller_session *s = caller->sessions; s != NULL; s = s->next) {
        if (s->id == session) {
            return rank;
        }
        rank++;
    }
    return 9;
}

static void describe_job(const struct caller *caller, const struct platform_job *job,
                         struct strbuf *out)
{
    strbuf_printf(out, " j%d%d%d", job->stage, job->killed, job->final);
    for (size_t i = 0; i < ORDERS; i++) {
        if (model.orders[i].used && model.orders[i].job == job->job) {
            strbuf_printf(out, "s%u", rank_of(caller, model.orders[i].session));
        }
    }
}

static void model_describe(struct strbuf *out)
{
    for (unsigned user = 0; user < USERS; user++) {
        const struct caller *caller = caller_of(user);

        if (caller == NULL) {
            strbuf_puts(out, "-;");
            continue;
        }
        strbuf_printf(out, "%d%d%d%d%zu", caller->lookup != NULL, caller->known, caller->told,
                      caller->idle != NULL, caller->wait_count);
        if (caller->worker.pidfd >= 0) {
            child_remember(caller->worker.pidfd);
            strbuf_printf(out, "w%d", model.child_killed[child_slot(caller->worker.pidfd)]);
        }
        for (const struct caller_session *s = caller->sessions; s != NULL; s = s->next) {
            strbuf_printf(out, " s%d%d%d", s->delivered, model_hung_up(s->fd),
                          s->charge.quota != NULL);
        }
        for (size_t i = 0; i <= LIVE_MAX; i++) {
            if (model.jobs[i].stage != STAGE_FREE && model.jobs[i].uid == caller->key.uid) {
                describe_job(caller, &model.jobs[i], out);
            }
        }
        strbuf_puts(out, ";");
    }
    for (unsigned n = 0; world_timer(n) != NULL; n++) {
        strbuf_printf(out, "t%llu", (unsigned long long)world_timer(n)->delay_ms);
    }
    for (const struct remains *r = model.supervisor.remains; r != NULL; r = NULL) {
        strbuf_puts(out, "r");
    }
}

static void model_check(void)
{
    for (unsigned user = 0; user < USERS; user++) {
        const uint32_t uid = uid_of(user);
        const struct caller *caller = caller_of(user);

        if (quota_held(&model.supervisor.quota, uid, QUOTA_JOBS) != trees_of(uid)) {
            explore_wrong("user %u is charged for %u jobs and has %zu", uid,
                          quota_held(&model.supervisor.quota, uid, QUOTA_JOBS), trees_of(uid));
        }
        if (caller == NULL && (trees_of(uid) > 0 || model.lookups[user].fn != NULL)) {
            explore_wrong("something of user %u is nobody's", uid);
        }
    }
    if (model.supervisor.tend.waiting != set_up()) {
        explore_wrong("%u jobs are waited for, and %u are being set up",
                      model.supervisor.tend.waiting, set_up());
    }
    if (model.started - model.ended != trees()) {
        explore_wrong("%llu starts and %llu ends in the log, and %zu jobs",
                      (unsigned long long)model.started, (unsigned long long)model.ended, trees());
    }
}

static void model_end(void)
{
    model.stopping = true;
    while (model.supervisor.callers != NULL) {
        caller_free(model.supervisor.callers);
    }
    worker_remains_free(&model.supervisor);
    rings_deinit(&model.supervisor.rings);
    if (trees() > 0 || model.supervisor.quota.users != NULL) {
        explore_wrong("at the end a job or a charge is left");
    }
    if (model.started != model.ended) {
        explore_wrong("at the end a job's end is not in the log");
    }
    world_check_empty();
}

int main(int argc, char **argv)
{
    const struct explore_model whole = {
        .name = "supervisor",
        .actions = model_actions,
        .action_count = model_action_count,
        .begin = model_begin,
        .describe = model_describe,
        .check = model_check,
        .end = model_end,
        .bounds = {{"USERS", &bounds.users, USERS}, {"LIVE", &bounds.live, LIVE_MAX}},
    };

    return explore_main(&whole, argc, argv);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/feed.h"

#include <stdlib.h>
#include <string.h>

#include "broker/job.h"
#include "broker/worker_process.h"

struct feed_wait {
    struct feed_wait *next;
    uint32_t session, request;
    struct ring_query query;
};

static void answer(struct caller *caller, const struct feed_wait *wait)
{
    struct strbuf text = STRBUF_INIT;
    struct ipc_message message;
    enum cordon_err err = CORDON_E_NOMEM;

    memset(&message, 0, sizeof(message));
    message.type = IPC_RECORDS;
    message.session = wait->session;
    message.request = wait->request;
    message.job = wait->query.job;
    rings_read(&caller->supervisor->rings, &wait->query, &text);
    if (!text.failed) {
        err = channel_send_block(&caller->channel, &message, strbuf_text(&text), text.len);
    }
    strbuf_deinit(&text);
    if (err != CORDON_OK) {
        worker_kill(caller);
    }
}

void feed_ask(struct caller *caller, const struct ipc_message *message)
{
    const struct feed_wait asked = {
        .session = message->session,
        .request = message->request,
        .query = {.all = caller->key.uid == 0,
                  .uid = caller->key.uid,
                  .job = message->job,
                  .after = message->u.ask.after},
    };
    struct feed_wait *wait;

    if (caller_find_session(caller, message->session) == NULL) {
        return; /* it has just ended */
    }
    if (message->u.ask.wait == 0 || rings_has(&caller->supervisor->rings, &asked.query) ||
        (message->job != 0 && !job_is_running(caller, message->job))) {
        answer(caller, &asked);
        return;
    }
    wait = caller->wait_count < FEED_WAITS_MAX ? malloc(sizeof(*wait)) : NULL;
    if (wait == NULL) {
        worker_kill(caller);
        return;
    }
    *wait = asked;
    wait->next = caller->waits;
    caller->waits = wait;
    caller->wait_count++;
}

static void drop(struct caller *caller, struct feed_wait **link)
{
    struct feed_wait *wait = *link;

    *link = wait->next;
    caller->wait_count--;
    free(wait);
}

static void wake(struct caller *caller, uint64_t job, bool ended)
{
    struct feed_wait **link = &caller->waits;

    while (*link != NULL) {
        const struct feed_wait *wait = *link;

        if ((wait->query.job == 0 && !ended) || wait->query.job == job) {
            answer(caller, wait);
            drop(caller, link);
        } else {
            link = &(*link)->next;
        }
    }
}

void feed_wake(struct supervisor *supervisor, uint32_t uid, uint64_t job, bool ended)
{
    for (struct caller *caller = supervisor->callers; caller != NULL; caller = caller->next) {
        if (caller->waits != NULL && (caller->key.uid == uid || caller->key.uid == 0)) {
            wake(caller, job, ended);
        }
    }
}

void feed_forget(struct caller *caller, uint32_t id)
{
    struct feed_wait **link = &caller->waits;

    while (*link != NULL) {
        if (id == 0 || (*link)->session == id) {
            drop(caller, link);
        } else {
            link = &(*link)->next;
        }
    }
}

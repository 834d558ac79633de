/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/audit_fields.h"

#include <inttypes.h>
#include <string.h>

#include "broker/names.h"
#include "broker/usage.h"

/* The ids are in cordond(8), and never change. */
static const struct {
    const char *name, *message_id;
} kinds[] = {
    [AUDIT_START] = {"start", "2a31beb074e54fa09ea043db5a288cba"},
    [AUDIT_END] = {"end", "4a87fbf9b12a40d8a3cac34b2a559d73"},
    [AUDIT_REFUSED] = {"refused", "94dcf6dfffa940f5b58fd28fd9efd9fd"},
    [AUDIT_ALARM] = {"alarm", "9fda906eb57c4791a94f738641659a13"},
    [AUDIT_VIOLATION] = {"violation", "dee98747e92b4a62a6839df47df24d1f"},
};

const char *audit_message_id(enum audit_event_kind kind)
{
    return kinds[kind].message_id;
}

static bool is_said(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static void put(struct audit_fields *fields, const char *name, const char *text, uint64_t number)
{
    if (fields->count < AUDIT_FIELDS_MAX) {
        fields->items[fields->count++] = (struct audit_field){name, text, number, false};
    }
}

static void put_text(struct audit_fields *fields, const char *name, const char *text)
{
    if (is_said(text)) {
        put(fields, name, text, 0);
    }
}

static void put_job(struct audit_fields *fields, const struct audit_event *event)
{
    if (event->kind == AUDIT_ALARM) {
        return;
    }
    if (event->job != 0) {
        put(fields, "job", NULL, event->job);
    }
    put(fields, "uid", NULL, event->uid);
    put(fields, "pid", NULL, event->pid < 0 ? 0U : (uint64_t)event->pid);
    put_text(fields, "command", event->command);
    put_text(fields, "policy", event->policy_hash);
}

static void put_usage(struct audit_fields *fields, const struct ipc_usage *usage)
{
    for (int field = 0; field < IPC_USAGE_COUNT; field++) {
        if ((usage->known & (1U << field)) != 0) {
            put(fields, usage_name(field), NULL, usage->value[field]);
        }
    }
}

static void put_end(struct audit_fields *fields, const struct audit_event *event)
{
    if (event->kind == AUDIT_END) {
        put_text(fields, "outcome", event->outcome);
        put(fields, "code", NULL, event->code);
        put(fields, "masked", NULL, event->masked);
        put(fields, "denied", NULL, event->denied);
        put(fields, "duration_ms", NULL, event->duration_ms);
        if (event->usage != NULL) {
            put_usage(fields, event->usage);
        }
        if (event->limit != NULL) {
            put(fields, "limit", event->limit, 0);
            put(fields, "limit_managed", NULL, event->limit_managed);
            fields->items[fields->count - 1].truth = true;
        }
    }
    if (event->fault != NULL && event->fault->err != CORDON_OK) {
        put_text(fields, "error", cordon_err_name(event->fault->err));
        put_text(fields, "text", event->fault->text);
        put_text(fields, "remedy", event->fault->remedy);
    }
}

static void put_denial(struct audit_fields *fields, const struct audit_denial *denial)
{
    const struct ipc_violation *what = denial->what;

    put_text(fields, "operation", denial_operation(what->operation));
    put_text(fields, "path", what->path);
    put_text(fields, "rule", denial->rule);
    put_text(fields, "origin", denial->origin);
    put_text(fields, "mechanism", denial_mechanism(what->mechanism));
    put_text(fields, "by", what->comm);
    put(fields, "by_pid", NULL, what->pid);
    if (denial->unrecorded > 0) {
        put(fields, "unrecorded", NULL, denial->unrecorded);
    }
}

void audit_fields_of(const struct audit_event *event, struct audit_fields *ret_fields)
{
    ret_fields->count = 0;
    put_text(ret_fields, "event", kinds[event->kind].name);
    put_job(ret_fields, event);
    put(ret_fields, "generation", NULL, event->generation);
    put_end(ret_fields, event);
    if (event->denial != NULL) {
        put_denial(ret_fields, event->denial);
    }
}

static void say_fault(const struct cordon_fault *fault, struct strbuf *out)
{
    if (fault != NULL && fault->err != CORDON_OK) {
        strbuf_printf(out, ": %s%s%s", fault->text, fault->remedy[0] == '\0' ? "" : "; ",
                      fault->remedy);
    }
}

static void say_denial(const struct audit_denial *denial, struct strbuf *out)
{
    const struct ipc_violation *what = denial->what;

    strbuf_printf(out, "denied %s %s", denial_operation(what->operation), what->path);
    if (is_said(denial->rule)) {
        strbuf_printf(out, " (%s%s%s)", denial->rule, is_said(denial->origin) ? ", " : "",
                      is_said(denial->origin) ? denial->origin : "");
    }
    strbuf_printf(out, " by %s[%u]", what->comm, what->pid);
}

void audit_message(const struct audit_event *event, struct strbuf *out)
{
    if (event->kind == AUDIT_ALARM) {
        strbuf_printf(out, "managed policy");
        say_fault(event->fault, out);
        return;
    }
    if (event->job != 0) {
        strbuf_printf(out, "job %" PRIu64 " of ", event->job);
    }
    strbuf_printf(out, "user %u: ", event->uid);
    switch (event->kind) {
    case AUDIT_START:
        strbuf_printf(out, "started %s", event->command == NULL ? "" : event->command);
        break;
    case AUDIT_END:
        strbuf_printf(out, "%s %u", event->outcome == NULL ? "ended" : event->outcome, event->code);
        say_fault(event->fault, out);
        break;
    case AUDIT_VIOLATION:
        say_denial(event->denial, out);
        break;
    case AUDIT_REFUSED:
    case AUDIT_ALARM:
        strbuf_puts(out, "refused");
        say_fault(event->fault, out);
        break;
    }
}

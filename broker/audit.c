/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/audit.h"

#include <stdarg.h>
#include <stdio.h>

#include "broker/names.h"
#include "broker/usage.h"
#include "platform/base/jsonw.h"
#include "platform/host.h"
#include "platform/service.h"

#define LINE_MAX_BYTES 1024U
#define STDERR 2

static const char *const kind_names[] = {
    [AUDIT_START] = "start",         [AUDIT_END] = "end",
    [AUDIT_REFUSED] = "refused",     [AUDIT_ALARM] = "alarm",
    [AUDIT_VIOLATION] = "violation",
};

enum cordon_err audit_init(struct audit *audit, const struct audit_options *options,
                           struct cordon_fault *fault)
{
    *audit = (struct audit){.line_fd = options->embedded ? -1 : STDERR, .record_fd = -1};
    audit->journal = !options->embedded && service_managed();
    if (options->file == NULL) {
        return CORDON_OK;
    }
    audit->owned = true;
    return host_open_log(options->file, &audit->record_fd, fault);
}

void audit_deinit(struct audit *audit)
{
    if (audit->owned) {
        host_close(audit->record_fd);
    }
    audit->record_fd = -1;
}

static void put_text(struct jsonw *json, const char *key, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        jsonw_string(json, key, text);
    }
}

static void put_job(struct jsonw *json, const struct audit_event *event)
{
    if (event->kind == AUDIT_ALARM) {
        return;
    }
    if (event->job != 0) {
        jsonw_uint(json, "job", event->job);
    }
    jsonw_uint(json, "uid", event->uid);
    jsonw_int(json, "pid", event->pid);
    put_text(json, "command", event->command);
    put_text(json, "policy", event->policy_hash);
}

static void put_end(struct jsonw *json, const struct audit_event *event)
{
    if (event->kind == AUDIT_END) {
        put_text(json, "outcome", event->outcome);
        jsonw_uint(json, "code", event->code);
        jsonw_uint(json, "masked", event->masked);
        jsonw_uint(json, "denied", event->denied);
        jsonw_uint(json, "duration_ms", event->duration_ms);
        if (event->usage != NULL) {
            usage_put(event->usage, json);
        }
        if (event->limit != NULL) {
            jsonw_string(json, "limit", event->limit);
            jsonw_bool(json, "limit_managed", event->limit_managed);
        }
    }
    if (event->fault != NULL && event->fault->err != CORDON_OK) {
        jsonw_string(json, "error", cordon_err_name(event->fault->err));
        put_text(json, "text", event->fault->text);
        put_text(json, "remedy", event->fault->remedy);
    }
}

static void put_denial(struct jsonw *json, const struct audit_denial *denial)
{
    const struct ipc_violation *what = denial->what;

    jsonw_string(json, "operation", denial_operation(what->operation));
    jsonw_string(json, "path", what->path);
    put_text(json, "rule", denial->rule);
    put_text(json, "origin", denial->origin);
    jsonw_string(json, "mechanism", denial_mechanism(what->mechanism));
    jsonw_string(json, "by", what->comm);
    jsonw_uint(json, "by_pid", what->pid);
    if (denial->unrecorded > 0) {
        jsonw_uint(json, "unrecorded", denial->unrecorded);
    }
}

void audit_record(const struct audit *audit, const struct audit_event *event)
{
    struct strbuf text = STRBUF_INIT;
    struct jsonw json = JSONW_INIT(&text);
    char time[HOST_TIME_MAX];
    const int fd = audit->record_fd >= 0 ? audit->record_fd : audit->line_fd;

    host_time(time);
    jsonw_object(&json, NULL);
    jsonw_string(&json, "time", time);
    jsonw_string(&json, "event", kind_names[event->kind]);
    put_job(&json, event);
    jsonw_uint(&json, "generation", event->generation);
    put_end(&json, event);
    if (event->denial != NULL) {
        put_denial(&json, event->denial);
    }
    jsonw_object_end(&json);
    if (audit->record_fd < 0 && audit->journal) {
        service_log(event->kind == AUDIT_ALARM ? SERVICE_ERROR : SERVICE_INFO, strbuf_text(&text),
                    strbuf_text(&text));
    } else if (fd >= 0) {
        strbuf_puts(&text, "\n");
        host_write(fd, strbuf_text(&text), text.len);
    }
    strbuf_deinit(&text);
}

static void put_line(const struct audit *audit, enum service_priority priority, const char *line)
{
    struct strbuf text = STRBUF_INIT;
    size_t len = 0;

    while (line[len] != '\0') {
        len++;
    }
    strbuf_puts(&text, audit->journal ? "" : "cordond: ");
    strbuf_escape(&text, line, len);
    if (audit->journal) {
        service_log(priority, strbuf_text(&text), NULL);
    } else if (audit->line_fd >= 0) {
        strbuf_puts(&text, "\n");
        host_write(audit->line_fd, strbuf_text(&text), text.len);
    }
    strbuf_deinit(&text);
}

void audit_failure(const struct audit *audit, const char *what, const struct cordon_fault *fault)
{
    char line[2 * LINE_MAX_BYTES];

    (void)snprintf(line, sizeof(line), "%s: %s%s%s", what, fault->text,
                   fault->remedy[0] == '\0' ? "" : "; ", fault->remedy);
    put_line(audit, SERVICE_ERROR, line);
}

void audit_info(const struct audit *audit, const char *fmt, ...)
{
    char line[LINE_MAX_BYTES];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    put_line(audit, SERVICE_INFO, line);
}

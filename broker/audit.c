/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "broker/audit_fields.h"
#include "platform/base/ascii.h"
#include "platform/base/jsonw.h"
#include "platform/host.h"
#include "platform/service.h"

#define LINE_MAX_BYTES 1024U
#define STDERR 2

enum cordon_err audit_init(struct audit *audit, const struct audit_options *options,
                           struct cordon_fault *fault)
{
    *audit =
        (struct audit){.line_fd = options->embedded ? -1 : STDERR, .sink_fd = -1, .record_fd = -1};
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

static bool write_json(int fd, const struct audit_fields *fields)
{
    struct strbuf text = STRBUF_INIT;
    struct jsonw json = JSONW_INIT(&text);
    char time[HOST_TIME_MAX];
    bool done;

    host_time(time);
    jsonw_object(&json, NULL);
    jsonw_string(&json, "time", time);
    for (size_t i = 0; i < fields->count; i++) {
        const struct audit_field *field = &fields->items[i];

        if (field->text != NULL) {
            jsonw_string(&json, field->name, field->text);
        } else if (field->truth) {
            jsonw_bool(&json, field->name, field->number != 0);
        } else {
            jsonw_uint(&json, field->name, field->number);
        }
    }
    jsonw_object_end(&json);
    strbuf_puts(&text, "\n");
    done = !text.failed && host_write(fd, strbuf_text(&text), text.len);
    strbuf_deinit(&text);
    return done;
}

static void put_name(struct strbuf *out, const char *name)
{
    strbuf_puts(out, "CORDON_");
    for (size_t i = 0; name[i] != '\0'; i++) {
        const char c = ascii_upper(name[i]);

        strbuf_add(out, &c, 1);
    }
}

static void put_value(struct strbuf *out, const struct audit_field *field)
{
    if (field->text != NULL) {
        strbuf_escape(out, field->text, strlen(field->text));
    } else if (field->truth) {
        strbuf_puts(out, field->number != 0 ? "true" : "false");
    } else {
        strbuf_printf(out, "%" PRIu64, field->number);
    }
}

/* A record that cannot be kept is a line for whoever reads stderr, which is the journal's too. */
static void log_record(const struct audit_event *event, const struct audit_fields *fields)
{
    struct strbuf message = STRBUF_INIT, line = STRBUF_INIT;
    struct strbuf texts[2 * AUDIT_FIELDS_MAX];
    struct service_field out[AUDIT_FIELDS_MAX + 1];
    const size_t count = fields->count;

    audit_message(event, &message);
    strbuf_escape(&line, strbuf_text(&message), message.len);
    for (size_t i = 0; i < count; i++) {
        struct strbuf *name = &texts[2 * i], *value = &texts[2 * i + 1];

        *name = *value = (struct strbuf)STRBUF_INIT;
        put_name(name, fields->items[i].name);
        put_value(value, &fields->items[i]);
        out[i] = (struct service_field){strbuf_text(name), strbuf_text(value)};
    }
    out[count] = (struct service_field){"MESSAGE_ID", audit_message_id(event->kind)};
    if (service_log(event->kind == AUDIT_ALARM ? SERVICE_ERROR : SERVICE_INFO, strbuf_text(&line),
                    out, count + 1) != CORDON_OK) {
        strbuf_puts(&line, "\n");
        host_write(STDERR, strbuf_text(&line), line.len);
    }
    for (size_t i = 0; i < 2 * count; i++) {
        strbuf_deinit(&texts[i]);
    }
    strbuf_deinit(&message);
    strbuf_deinit(&line);
}

void audit_record(const struct audit *audit, const struct audit_event *event)
{
    struct audit_fields fields;
    bool logged = true;

    audit_fields_of(event, &fields);
    /* What the file does not take is not lost, and alarms are for whoever reads the log. */
    if (audit->sink_fd >= 0 && write_json(audit->sink_fd, &fields) && event->kind != AUDIT_ALARM) {
        logged = false;
    }
    if (audit->journal && logged) {
        log_record(event, &fields);
    }
    if (audit->record_fd >= 0) {
        (void)write_json(audit->record_fd, &fields);
    } else if (!audit->journal && logged && audit->line_fd >= 0) {
        (void)write_json(audit->line_fd, &fields);
    }
}

static void put_line(const struct audit *audit, enum service_priority priority, const char *line)
{
    struct strbuf text = STRBUF_INIT;
    strbuf_puts(&text, audit->journal ? "" : "cordond: ");
    strbuf_escape(&text, line, strlen(line));
    if (audit->journal && service_log(priority, strbuf_text(&text), NULL, 0) == CORDON_OK) {
        strbuf_deinit(&text);
        return;
    }
    if (audit->line_fd >= 0) {
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

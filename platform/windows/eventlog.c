/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/eventlog.h"

#include <string.h>

#define CUT "..."

/* As in cordond(8). */
static const struct {
    const char *message_id;
    enum events_id id;
} kinds[] = {
    {"2a31beb074e54fa09ea043db5a288cba", EVENTS_START},
    {"4a87fbf9b12a40d8a3cac34b2a559d73", EVENTS_END},
    {"94dcf6dfffa940f5b58fd28fd9efd9fd", EVENTS_REFUSED},
    {"9fda906eb57c4791a94f738641659a13", EVENTS_ALARM},
    {"dee98747e92b4a62a6839df47df24d1f", EVENTS_VIOLATION},
};

static enum events_id id_of(const struct service_field *field)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(field->name, "MESSAGE_ID") == 0 &&
            strcmp(field->value, kinds[i].message_id) == 0) {
            return kinds[i].id;
        }
    }
    return EVENTS_LINE;
}

static enum events_type type_of(enum service_priority priority)
{
    switch (priority) {
    case SERVICE_ERROR:
        return EVENTS_TYPE_ERROR;
    case SERVICE_WARNING:
        return EVENTS_TYPE_WARNING;
    case SERVICE_INFO:
        break;
    }
    return EVENTS_TYPE_INFORMATION;
}

/* Up to the last whole letter that leaves room to say that it was cut. */
static void put(struct strbuf *out, const char *text)
{
    const char *percent;
    size_t len;

    for (; *text != '\0'; text += len) {
        percent = strchr(text, '%');
        len = percent == text ? 1 : percent == NULL ? strlen(text) : (size_t)(percent - text);
        if (out->len + (percent == text ? 4 : len) > EVENTS_STRING_MAX) {
            len = percent == text ? 0 : EVENTS_STRING_MAX - out->len;
            while (len > 0 && ((unsigned char)text[len] & 0xc0U) == 0x80U) {
                len--;
            }
            strbuf_add(out, text, len);
            strbuf_puts(out, CUT);
            return;
        }
        if (percent == text) {
            strbuf_puts(out, "\\x25");
        } else {
            strbuf_add(out, text, len);
        }
    }
}

enum cordon_err events_make(enum service_priority priority, const char *line,
                            const struct service_field *fields, size_t count,
                            struct events_event *ret_event)
{
    struct events_event event = {.type = type_of(priority), .id = EVENTS_LINE, .count = 1};
    bool failed;

    for (size_t i = 0; i < EVENTS_STRINGS_MAX; i++) {
        event.strings[i] = (struct strbuf)STRBUF_INIT;
    }
    put(&event.strings[0], line);
    failed = event.strings[0].failed;
    for (size_t i = 0; i < count && event.count < EVENTS_STRINGS_MAX; i++) {
        struct strbuf *string = &event.strings[event.count++];
        const enum events_id id = id_of(&fields[i]);

        event.id = id == EVENTS_LINE ? event.id : id;
        put(string, fields[i].name);
        strbuf_puts(string, "=");
        put(string, fields[i].value);
        failed = failed || string->failed;
    }
    if (failed) {
        events_deinit(&event);
        return CORDON_E_NOMEM;
    }
    *ret_event = event;
    return CORDON_OK;
}

void events_deinit(struct events_event *event)
{
    for (size_t i = 0; i < event->count; i++) {
        strbuf_deinit(&event->strings[i]);
    }
    event->count = 0;
}

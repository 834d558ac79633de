/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes to the event log of Windows. An event is a number, whose message is in events.mc, and
 * strings: the line for people, which is all that the message shows, and behind it each field as
 * NAME=VALUE, by which events can be searched. Pure.
 */
#ifndef CORDON_PLATFORM_WINDOWS_EVENTLOG_H
#define CORDON_PLATFORM_WINDOWS_EVENTLOG_H

#include "platform/base/strbuf.h"
#include "platform/service.h"

#define EVENTS_SOURCE "cordon"
#define EVENTS_STRINGS_MAX (SERVICE_FIELDS_MAX + 1U)
/* ReportEvent takes strings of less than 31,839 units; what is cut says so. */
#define EVENTS_STRING_MAX 30000U

/* Never change: filters and subscriptions of others name them. */
enum events_id {
    EVENTS_START = 1, /* records: by the MESSAGE_ID that the journal has */
    EVENTS_END = 2,
    EVENTS_REFUSED = 3,
    EVENTS_ALARM = 4,
    EVENTS_VIOLATION = 5,
    EVENTS_LINE = 10 /* a line of the service's log */
};

/* EVENTLOG_ERROR_TYPE and so on */
enum events_type { EVENTS_TYPE_ERROR = 1, EVENTS_TYPE_WARNING = 2, EVENTS_TYPE_INFORMATION = 4 };

struct events_event {
    enum events_type type;
    enum events_id id;
    struct strbuf strings[EVENTS_STRINGS_MAX]; /* UTF-8 */
    size_t count;
};

/*
 * The event of what service_log() is called with, for events_deinit(). A percent sign is written
 * as \x25, as other signs of no good are in values: the viewer would take "%1" in a string
 * for a place to put another one.
 * CORDON_E_NOMEM
 */
CORDON_MUST_USE enum cordon_err events_make(enum service_priority priority, const char *line,
                                            const struct service_field *fields, size_t count,
                                            struct events_event *ret_event);
void events_deinit(struct events_event *event);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The call behind eventlog.h. */
#include "platform/windows/eventlog_win32.h"

#include <stdlib.h>

#include "events.h"
#include "platform/windows/eventlog.h"
#include "platform/windows/win32.h"

_Static_assert((unsigned)EVENTS_START == MC_START && (unsigned)EVENTS_END == MC_END &&
                   (unsigned)EVENTS_REFUSED == MC_REFUSED && (unsigned)EVENTS_ALARM == MC_ALARM &&
                   (unsigned)EVENTS_VIOLATION == MC_VIOLATION && (unsigned)EVENTS_LINE == MC_LINE,
               "each event has its message");
_Static_assert(EVENTS_TYPE_ERROR == EVENTLOG_ERROR_TYPE &&
                   EVENTS_TYPE_WARNING == EVENTLOG_WARNING_TYPE &&
                   EVENTS_TYPE_INFORMATION == EVENTLOG_INFORMATION_TYPE,
               "types are winnt.h's");

uint32_t events_report(const struct events_event *event)
{
    static HANDLE source; /* as long as the process */
    WCHAR *wide[EVENTS_STRINGS_MAX] = {NULL};
    const WCHAR *strings[EVENTS_STRINGS_MAX];
    uint32_t code = API_OK;

    if (source == NULL) {
        source = RegisterEventSourceW(NULL, L"" EVENTS_SOURCE);
        code = source == NULL ? GetLastError() : API_OK;
    }
    for (size_t i = 0; i < event->count && code == API_OK; i++) {
        code = win32_wide("", strbuf_text(&event->strings[i]), &wide[i]);
        strings[i] = wide[i];
    }
    if (code == API_OK && !ReportEventW(source, (WORD)event->type, 0, (DWORD)event->id, NULL,
                                        (WORD)event->count, 0, strings, NULL)) {
        code = GetLastError();
    }
    for (size_t i = 0; i < event->count; i++) {
        free(wide[i]);
    }
    return code;
}

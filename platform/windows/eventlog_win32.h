/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_PLATFORM_WINDOWS_EVENTLOG_WIN32_H
#define CORDON_PLATFORM_WINDOWS_EVENTLOG_WIN32_H

#include <stdint.h>

#include "platform/windows/eventlog.h"

/* Into the application log; a Win32 code. Not thread-safe. */
uint32_t events_report(const struct events_event *event);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_PLATFORM_WINDOWS_LOGON_WIN32_H
#define CORDON_PLATFORM_WINDOWS_LOGON_WIN32_H

#include "platform/windows/api.h"

/* Logs a local account on without its password, with @groups (TOKEN_GROUPS) added: a token to act
 * as (network logon). */
uint32_t win32_logon(const char *account, void *groups, api_handle *ret_token);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of SIDs that no account has. Wine lets anybody make them (NtCreateToken); Windows only who
 * has SeCreateTokenPrivilege.
 */
#ifndef CORDON_TESTS_WINE_TOKEN_H
#define CORDON_TESTS_WINE_TOKEN_H

#include <windows.h>

#include "platform/windows/sd.h"

/* A token of these members, the user first, without privileges; restricted if @token says so.
 * @primary: to start processes with; else to act as. NULL: it cannot be made. */
HANDLE token_make(const struct sd_token *token, BOOL primary);

#endif

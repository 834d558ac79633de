/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LsaLogonUser for token_win32.c. A file of its own: <ntsecapi.h> and <winternl.h> cannot be
 * included together.
 */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <ntsecapi.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/api.h"
#include "platform/windows/logon_win32.h"

static void name(LSA_STRING *string, char *text)
{
    string->Buffer = text;
    string->Length = (USHORT)strlen(text);
    string->MaximumLength = (USHORT)(string->Length + 1);
}

/* The message and its two strings are one block. NULL: no memory, or not a name. */
static MSV1_0_S4U_LOGON *make_message(const char *account, ULONG *ret_len)
{
    const size_t units = strlen(account);
    const size_t len = sizeof(MSV1_0_S4U_LOGON) + (units + 1) * sizeof(WCHAR);
    MSV1_0_S4U_LOGON *message = calloc(1, len);
    WCHAR *text = (WCHAR *)(void *)(message + 1);
    int used;

    if (message == NULL) {
        return NULL;
    }
    used =
        MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, account, (int)units, text, (int)units);
    if (used <= 0) {
        free(message);
        return NULL;
    }
    text[used] = L'.'; /* this machine's own accounts */
    message->MessageType = MsV1_0S4ULogon;
    message->UserPrincipalName.Buffer = text;
    message->UserPrincipalName.Length = (USHORT)((size_t)used * sizeof(WCHAR));
    message->UserPrincipalName.MaximumLength = message->UserPrincipalName.Length;
    message->DomainName.Buffer = text + used;
    message->DomainName.Length = sizeof(WCHAR);
    message->DomainName.MaximumLength = sizeof(WCHAR);
    *ret_len = (ULONG)len;
    return message;
}

static NTSTATUS log_on(HANDLE lsa, MSV1_0_S4U_LOGON *message, ULONG len, TOKEN_GROUPS *groups,
                       HANDLE *ret_token)
{
    char origin[] = "cordon", package_name[] = MSV1_0_PACKAGE_NAME;
    TOKEN_SOURCE source = {.SourceName = "cordon"};
    LSA_STRING origin_text, package_text;
    NTSTATUS status, below = 0;
    QUOTA_LIMITS quotas;
    void *profile = NULL;
    ULONG profile_len = 0, package = 0;
    LUID session;

    name(&origin_text, origin);
    name(&package_text, package_name);
    (void)AllocateLocallyUniqueId(&source.SourceIdentifier);
    status = LsaLookupAuthenticationPackage(lsa, &package_text, &package);
    if (status >= 0) {
        status = LsaLogonUser(lsa, &origin_text, Network, package, message, len, groups, &source,
                              &profile, &profile_len, &session, ret_token, &quotas, &below);
    }
    if (profile != NULL) {
        (void)LsaFreeReturnBuffer(profile);
    }
    return status >= 0 || below == 0 ? status : below;
}

uint32_t win32_logon(const char *account, void *groups, api_handle *ret_token)
{
    char process[] = "cordon";
    LSA_OPERATIONAL_MODE mode;
    LSA_STRING process_text;
    MSV1_0_S4U_LOGON *message;
    HANDLE lsa = NULL, token = NULL;
    NTSTATUS status;
    ULONG len = 0;

    message = make_message(account, &len);
    if (message == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    name(&process_text, process);
    status = LsaRegisterLogonProcess(&process_text, &lsa, &mode);
    if (status >= 0) {
        status = log_on(lsa, message, len, groups, &token);
        (void)LsaDeregisterLogonProcess(lsa);
    }
    free(message);
    if (status < 0) {
        return LsaNtStatusToWinError(status);
    }
    if (token == NULL) {
        return ERROR_NO_TOKEN;
    }
    *ret_token = (api_handle)token;
    return API_OK;
}

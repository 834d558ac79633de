/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of account.h with the system behind it. Nothing is decided here. <ntsecapi.h> and
 * <winternl.h> cannot be included together, so this has no win32.h.
 */
#include "platform/windows/account.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <lm.h>
#include <ntsecapi.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/around.h"

#define LISTED                                                                                     \
    L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon\\SpecialAccounts\\UserList"

static PSID native(const struct sid *sid)
{
    return (PSID)(uintptr_t)sid->bytes;
}

/* UTF-8 to UTF-16; free(). NULL: no memory, or no UTF-8. */
static WCHAR *widen(const char *text)
{
    const int len = (int)strlen(text) + 1;
    WCHAR *wide = calloc((size_t)len, sizeof(*wide));

    if (wide != NULL &&
        MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, len, wide, len) == 0) {
        free(wide);
        wide = NULL;
    }
    return wide;
}

static uint32_t a_random(void *self, uint8_t *bytes, size_t len)
{
    return around_win32()->random(self, bytes, len);
}

static uint32_t a_find(void *self, const char *name, struct account_facts *ret_facts)
{
    WCHAR *wide = widen(name);
    USER_INFO_4 *info = NULL;
    struct account_facts facts = {0};
    uint32_t code = wide == NULL ? (uint32_t)ERROR_NOT_ENOUGH_MEMORY
                                 : NetUserGetInfo(NULL, wide, 4, (LPBYTE *)(void *)&info);

    (void)self;
    free(wide);
    if (code != API_OK) {
        return code;
    }
    facts.administrator = info->usri4_priv == USER_PRIV_ADMIN;
    facts.disabled = (info->usri4_flags & UF_ACCOUNTDISABLE) != 0;
    if (info->usri4_comment != NULL) {
        (void)WideCharToMultiByte(CP_UTF8, 0, info->usri4_comment, -1, facts.comment,
                                  sizeof(facts.comment) - 1, NULL, NULL);
    }
    if (info->usri4_user_sid == NULL || !IsValidSid(info->usri4_user_sid) ||
        sid_parse(info->usri4_user_sid, GetLengthSid(info->usri4_user_sid), &facts.sid) !=
            CORDON_OK) {
        code = ERROR_INVALID_SID;
    }
    (void)NetApiBufferFree(info);
    if (code == API_OK) {
        *ret_facts = facts;
    }
    return code;
}

static uint32_t a_make(void *self, const char *name, const char *password, const char *comment)
{
    USER_INFO_1 info = {.usri1_name = widen(name),
                        .usri1_password = widen(password),
                        .usri1_priv = USER_PRIV_USER,
                        .usri1_comment = widen(comment),
                        .usri1_flags = UF_SCRIPT | UF_DONT_EXPIRE_PASSWD | UF_PASSWD_CANT_CHANGE};
    uint32_t code = ERROR_NOT_ENOUGH_MEMORY;

    (void)self;
    if (info.usri1_name != NULL && info.usri1_password != NULL && info.usri1_comment != NULL) {
        code = NetUserAdd(NULL, 1, (LPBYTE)&info, NULL);
    }
    if (info.usri1_password != NULL) {
        SecureZeroMemory(info.usri1_password, wcslen(info.usri1_password) * sizeof(WCHAR));
    }
    free(info.usri1_name);
    free(info.usri1_password);
    free(info.usri1_comment);
    return code;
}

/* A group is asked for by a name, which every language has its own of. */
static uint32_t a_join(void *self, const struct sid *account, const struct sid *group)
{
    LOCALGROUP_MEMBERS_INFO_0 member = {native(account)};
    WCHAR name[256], domain[256];
    DWORD name_len = 256, domain_len = 256;
    SID_NAME_USE use;

    (void)self;
    if (!LookupAccountSidW(NULL, native(group), name, &name_len, domain, &domain_len, &use)) {
        return GetLastError();
    }
    return NetLocalGroupAddMembers(NULL, name, 0, (LPBYTE)&member, 1);
}

static uint32_t a_deny_logons(void *self, const struct sid *account, bool deny)
{
    static WCHAR names[][40] = {L"SeDenyInteractiveLogonRight",
                                L"SeDenyRemoteInteractiveLogonRight", L"SeDenyServiceLogonRight",
                                L"SeDenyBatchLogonRight"};
    LSA_UNICODE_STRING rights[4];
    LSA_OBJECT_ATTRIBUTES attributes = {0};
    LSA_HANDLE policy;
    uint32_t code;
    NTSTATUS status =
        LsaOpenPolicy(NULL, &attributes, POLICY_CREATE_ACCOUNT | POLICY_LOOKUP_NAMES, &policy);

    (void)self;
    if (status < 0) {
        return LsaNtStatusToWinError(status);
    }
    for (size_t i = 0; i < 4; i++) {
        rights[i].Buffer = names[i];
        rights[i].Length = (USHORT)(wcslen(names[i]) * sizeof(WCHAR));
        rights[i].MaximumLength = (USHORT)(rights[i].Length + sizeof(WCHAR));
    }
    status = deny ? LsaAddAccountRights(policy, native(account), rights, 4)
                  : LsaRemoveAccountRights(policy, native(account), TRUE, NULL, 0);
    (void)LsaClose(policy);
    code = status < 0 ? LsaNtStatusToWinError(status) : API_OK;
    return !deny && code == API_FILE_NOT_FOUND ? (uint32_t)API_OK : code; /* it had none */
}

static uint32_t a_hide(void *self, const char *name, bool hidden)
{
    const DWORD none = 0;
    WCHAR *wide = widen(name);
    HKEY key;
    uint32_t code;

    (void)self;
    if (wide == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    code = (uint32_t)RegCreateKeyExW(HKEY_LOCAL_MACHINE, LISTED, 0, NULL, 0,
                                     KEY_SET_VALUE | KEY_WOW64_64KEY, NULL, &key, NULL);
    if (code == API_OK) {
        code = (uint32_t)(hidden ? RegSetValueExW(key, wide, 0, REG_DWORD, (const BYTE *)&none,
                                                  sizeof(none))
                                 : RegDeleteValueW(key, wide));
        code = !hidden && code == API_FILE_NOT_FOUND ? (uint32_t)API_OK : code;
        (void)RegCloseKey(key);
    }
    free(wide);
    return code;
}

static uint32_t a_erase(void *self, const char *name)
{
    WCHAR *wide = widen(name);
    const uint32_t code = wide == NULL ? (uint32_t)ERROR_NOT_ENOUGH_MEMORY : NetUserDel(NULL, wide);

    (void)self;
    free(wide);
    return code;
}

const struct account_api *account_win32(void)
{
    static const struct account_api api = {.random = a_random,
                                           .find = a_find,
                                           .make = a_make,
                                           .join = a_join,
                                           .deny_logons = a_deny_logons,
                                           .hide = a_hide,
                                           .erase = a_erase};

    return &api;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The table of token.h with the system behind it. Nothing is decided here. */
#include "platform/windows/token.h"

#include <stdlib.h>
#include <string.h>

#include "platform/windows/logon_win32.h"
#include "platform/windows/win32.h"

#define LOGON_GROUPS_MAX 8U
#define CHANGE_NOTIFY 23U /* SE_CHANGE_NOTIFY_PRIVILEGE */

static PSID native(const struct sid *sid)
{
    return (PSID)(uintptr_t)sid->bytes;
}

static uint32_t from_native(PSID from, struct sid *ret_sid)
{
    return sid_parse(from, GetLengthSid(from), ret_sid) == CORDON_OK ? API_OK
                                                                     : (uint32_t)ERROR_INVALID_SID;
}

/* What the system tells of a token, as long as it is; free(). */
static uint32_t query(api_handle token, TOKEN_INFORMATION_CLASS what, void **ret_info)
{
    DWORD len = 0;
    void *info;

    (void)GetTokenInformation((HANDLE)token, what, NULL, 0, &len);
    info = malloc(len == 0 ? 1 : len);
    if (info == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    if (!GetTokenInformation((HANDLE)token, what, info, len, &len)) {
        const DWORD code = GetLastError();

        free(info);
        return code == API_OK ? (uint32_t)ERROR_INVALID_FUNCTION : code; /* it did fail */
    }
    *ret_info = info;
    return API_OK;
}

static uint32_t t_unique(void *self, uint64_t *ret_number)
{
    LUID made;

    (void)self;
    if (!AllocateLocallyUniqueId(&made)) {
        return GetLastError();
    }
    *ret_number = (uint64_t)(DWORD)made.HighPart << 32U | made.LowPart;
    return API_OK;
}

static uint32_t t_copy(void *self, api_handle token, api_handle *ret_token)
{
    HANDLE made;

    (void)self;
    if (!DuplicateTokenEx((HANDLE)token, MAXIMUM_ALLOWED, NULL, SecurityImpersonation, TokenPrimary,
                          &made)) {
        return GetLastError();
    }
    *ret_token = (api_handle)made;
    return API_OK;
}

static uint32_t t_logon(void *self, const char *account, const struct token_group *groups,
                        size_t count, api_handle *ret_token)
{
    struct {
        DWORD count;
        SID_AND_ATTRIBUTES list[LOGON_GROUPS_MAX];
    } added = {.count = (DWORD)count};
    api_handle logged_on = 0;
    uint32_t code;

    if (count > LOGON_GROUPS_MAX) {
        return ERROR_INVALID_PARAMETER;
    }
    for (size_t i = 0; i < count; i++) {
        added.list[i] = (SID_AND_ATTRIBUTES){native(&groups[i].sid), groups[i].attributes};
    }
    code = win32_logon(account, &added, &logged_on);
    if (code == API_OK) {
        /* A network logon gives a token to act as, which no process can have. */
        code = t_copy(self, logged_on, ret_token);
        (void)CloseHandle((HANDLE)logged_on);
    }
    return code;
}

static uint32_t t_restrict(void *self, api_handle token, const struct token_limits *limits,
                           api_handle *ret_token)
{
    SID_AND_ATTRIBUTES sids[TOKEN_SIDS_MAX];
    HANDLE made;

    (void)self;
    for (size_t i = 0; i < limits->count; i++) {
        sids[i] = (SID_AND_ATTRIBUTES){native(&limits->sids[i]), 0};
    }
    if (!CreateRestrictedToken((HANDLE)token,
                               DISABLE_MAX_PRIVILEGE |
                                   (limits->write_only ? 0x8U /* WRITE_RESTRICTED */ : 0) |
                                   (limits->no_administrators ? 0x4U /* LUA_TOKEN */ : 0),
                               0, NULL, 0, NULL, (DWORD)limits->count, sids, &made)) {
        return GetLastError();
    }
    *ret_token = (api_handle)made;
    return API_OK;
}

static uint32_t t_set_default(void *self, api_handle token, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len);
    TOKEN_DEFAULT_DACL list = {NULL};
    BOOL present, defaulted;
    uint32_t code = API_OK;

    (void)self;
    if (copy == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    memcpy(copy, bytes, len);
    if (!GetSecurityDescriptorDacl(copy, &present, &list.DefaultDacl, &defaulted) ||
        !SetTokenInformation((HANDLE)token, TokenDefaultDacl, &list, sizeof(list))) {
        code = GetLastError();
    }
    free(copy);
    return code;
}

static uint32_t t_set_level(void *self, api_handle token, uint32_t level)
{
    SID sid = {SID_REVISION, 1, {SECURITY_MANDATORY_LABEL_AUTHORITY}, {level}};
    TOKEN_MANDATORY_LABEL label = {{&sid, SE_GROUP_INTEGRITY}};

    (void)self;
    return SetTokenInformation((HANDLE)token, TokenIntegrityLevel, &label,
                               sizeof(label) + GetLengthSid(&sid))
               ? API_OK
               : GetLastError();
}

static uint32_t t_level(void *self, api_handle token, uint32_t *ret_level)
{
    void *info;
    const uint32_t code = query(token, TokenIntegrityLevel, &info);

    (void)self;
    if (code == API_OK) {
        PSID sid = ((TOKEN_MANDATORY_LABEL *)info)->Label.Sid;

        *ret_level = *GetSidSubAuthority(sid, (DWORD)*GetSidSubAuthorityCount(sid) - 1);
        free(info);
    }
    return code;
}

static uint32_t t_logon_sid(void *self, api_handle token, struct sid *ret_sid)
{
    void *info;
    uint32_t code = query(token, TokenGroups, &info);

    (void)self;
    if (code == API_OK) {
        const TOKEN_GROUPS *groups = info;

        code = ERROR_NOT_FOUND;
        for (DWORD i = 0; i < groups->GroupCount; i++) {
            if ((groups->Groups[i].Attributes & SE_GROUP_LOGON_ID) == SE_GROUP_LOGON_ID) {
                code = from_native(groups->Groups[i].Sid, ret_sid);
            }
        }
        free(info);
    }
    return code;
}

static uint32_t t_group(void *self, api_handle token, const struct sid *sid,
                        uint32_t *ret_attributes)
{
    void *info;
    const uint32_t code = query(token, TokenGroups, &info);

    (void)self;
    if (code == API_OK) {
        const TOKEN_GROUPS *groups = info;

        *ret_attributes = 0;
        for (DWORD i = 0; i < groups->GroupCount; i++) {
            if (EqualSid(groups->Groups[i].Sid, native(sid))) {
                *ret_attributes |= groups->Groups[i].Attributes;
            }
        }
        free(info);
    }
    return code;
}

static uint32_t t_restricting(void *self, api_handle token, struct sid ret_sids[TOKEN_SIDS_MAX],
                              size_t *ret_count)
{
    void *info;
    uint32_t code = query(token, TokenRestrictedSids, &info);

    (void)self;
    if (code == API_OK) {
        const TOKEN_GROUPS *groups = info;

        code = groups->GroupCount > TOKEN_SIDS_MAX ? (uint32_t)API_INSUFFICIENT_BUFFER : API_OK;
        for (DWORD i = 0; code == API_OK && i < groups->GroupCount; i++) {
            code = from_native(groups->Groups[i].Sid, &ret_sids[i]);
        }
        *ret_count = groups->GroupCount;
        free(info);
    }
    return code;
}

static uint32_t t_privileges(void *self, api_handle token, uint32_t *ret_count)
{
    void *info;
    const uint32_t code = query(token, TokenPrivileges, &info);

    (void)self;
    if (code == API_OK) {
        const TOKEN_PRIVILEGES *held = info;

        *ret_count = 0;
        for (DWORD i = 0; i < held->PrivilegeCount; i++) {
            const LUID *which = &held->Privileges[i].Luid;

            *ret_count += which->HighPart != 0 || which->LowPart != CHANGE_NOTIFY ? 1U : 0U;
        }
        free(info);
    }
    return code;
}

static uint32_t t_close(void *self, api_handle token)
{
    (void)self;
    return CloseHandle((HANDLE)token) ? API_OK : GetLastError();
}

const struct token_api *token_win32(void)
{
    static const struct token_api api = {.unique = t_unique,
                                         .logon = t_logon,
                                         .copy = t_copy,
                                         .restrict_to = t_restrict,
                                         .set_default = t_set_default,
                                         .set_level = t_set_level,
                                         .level = t_level,
                                         .logon_sid = t_logon_sid,
                                         .group = t_group,
                                         .restricting = t_restricting,
                                         .privileges = t_privileges,
                                         .close = t_close};

    return &api;
}

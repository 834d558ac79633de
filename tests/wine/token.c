/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/wine/token.h"

#include <stdio.h>
#include <winternl.h>

#define GROUPS_MAX 8U /* without the primary one */

NTSTATUS NTAPI NtCreateToken(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, TOKEN_TYPE, LUID *,
                             LARGE_INTEGER *, TOKEN_USER *, TOKEN_GROUPS *, TOKEN_PRIVILEGES *,
                             TOKEN_OWNER *, TOKEN_PRIMARY_GROUP *, TOKEN_DEFAULT_DACL *,
                             TOKEN_SOURCE *);

static SID *native(const struct sid *sid)
{
    return (SID *)(uintptr_t)sid->bytes;
}

struct groups {
    DWORD count;
    SID_AND_ATTRIBUTES list[GROUPS_MAX + 1U];
};

static void fill_groups(const struct sd_token *token, struct groups *groups)
{
    for (size_t i = 1; i < token->member_count && groups->count < GROUPS_MAX; i++) {
        groups->list[groups->count++] = (SID_AND_ATTRIBUTES){
            native(&token->members[i].sid),
            token->members[i].deny_only
                ? SE_GROUP_USE_FOR_DENY_ONLY
                : SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED};
    }
}

/* With the user for denials alone, or restricting SIDs: by the system's own means. */
static HANDLE restrict_token(HANDLE whole, const struct sd_token *token)
{
    SID_AND_ATTRIBUTES only[1] = {{native(&token->members[0].sid), 0}};
    SID_AND_ATTRIBUTES restricting[GROUPS_MAX];
    HANDLE made = NULL;

    for (size_t i = 0; i < token->restricting_count; i++) {
        restricting[i] = (SID_AND_ATTRIBUTES){native(&token->restricting[i]), 0};
    }
    if (!CreateRestrictedToken(whole, token->write_restricted ? 0x8U /* WRITE_RESTRICTED */ : 0,
                               token->members[0].deny_only ? 1 : 0, only, 0, NULL,
                               (DWORD)token->restricting_count,
                               token->restricting_count > 0 ? restricting : NULL, &made)) {
        made = NULL;
    }
    (void)CloseHandle(whole);
    return made;
}

HANDLE token_make(const struct sd_token *token, BOOL primary)
{
    SECURITY_QUALITY_OF_SERVICE quality = {sizeof(quality), SecurityImpersonation, 0, 0};
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes),
                                    .SecurityQualityOfService = primary ? NULL : &quality};
    TOKEN_USER user = {{native(&token->members[0].sid), 0}};
    TOKEN_OWNER owner = {native(&token->members[0].sid)};
    /* The primary group has to be one of the groups: one that no list names. */
    struct sid nobody;
    TOKEN_PRIMARY_GROUP group = {native(&nobody)};
    TOKEN_PRIVILEGES none = {0};
    TOKEN_SOURCE source = {"cordon", {0, 0}};
    LUID session = {999, 0};
    LARGE_INTEGER never = {.QuadPart = -1};
    struct groups groups = {0};
    _Alignas(ACL) BYTE list[64 + SID_BYTES_MAX];
    TOKEN_DEFAULT_DACL dacl = {(ACL *)list};
    HANDLE made = NULL;

    if (sid_from_text("S-1-0-0", &nobody) != CORDON_OK) {
        return NULL;
    }
    fill_groups(token, &groups);
    groups.list[groups.count++] = (SID_AND_ATTRIBUTES){native(&nobody), SE_GROUP_ENABLED};
    if (!InitializeAcl((ACL *)list, sizeof(list), ACL_REVISION) ||
        !AddAccessAllowedAce((ACL *)list, ACL_REVISION, GENERIC_ALL, user.User.Sid) ||
        NtCreateToken(&made, TOKEN_ALL_ACCESS, &attributes,
                      primary ? TokenPrimary : TokenImpersonation, &session, &never, &user,
                      (TOKEN_GROUPS *)(void *)&groups, &none, &owner, &group, &dacl, &source) < 0) {
        return NULL;
    }
    return token->restricting != NULL || token->members[0].deny_only ? restrict_token(made, token)
                                                                     : made;
}

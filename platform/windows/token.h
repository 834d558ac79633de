/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token a job runs with. For the service: the sandbox account is logged on with the job's
 * principal among its groups, and what comes of that is restricted; else the caller's own token is
 * restricted. What the system made is read back: a token that is more than was asked for is no
 * token.
 *
 * The Win32 calls are a table, as in api.h: each returns an error code, 0 for success.
 */
#ifndef CORDON_PLATFORM_WINDOWS_TOKEN_H
#define CORDON_PLATFORM_WINDOWS_TOKEN_H

#include "platform/windows/api.h"

#define TOKEN_SIDS_MAX 16U

/* Attributes of a group (winnt.h). */
#define TOKEN_GROUP_ENABLED 0x00000004U
#define TOKEN_GROUP_USUAL 0x00000007U /* mandatory, enabled, and so by default */
#define TOKEN_GROUP_LOGON 0xc0000000U

/* S-1-16-X: the integrity of what users start as a rule. */
#define TOKEN_LEVEL_MEDIUM 0x2000U

struct token_group {
    struct sid sid;
    uint32_t attributes;
};

/* What CreateRestrictedToken is given, DISABLE_MAX_PRIVILEGE beside. */
struct token_limits {
    bool write_only;        /* WRITE_RESTRICTED: the SIDs count for writing alone */
    bool no_administrators; /* LUA_TOKEN: the groups of administrators count for denials alone */
    struct sid sids[TOKEN_SIDS_MAX];
    size_t count;
};

struct token_api {
    void *self;
    /* A number that nobody was given since the system started (AllocateLocallyUniqueId). */
    uint32_t (*unique)(void *self, uint64_t *ret_number);
    /* Logs a local account on without its password (LsaLogonUser, MSV1_0_S4U_LOGON), with @groups
     * added to its own (needs SeTcbPrivilege): a primary token. */
    uint32_t (*logon)(void *self, const char *account, const struct token_group *groups,
                      size_t count, api_handle *ret_token);
    /* A primary token of its own that is the same (DuplicateTokenEx). */
    uint32_t (*copy)(void *self, api_handle token, api_handle *ret_token);
    uint32_t (*restrict_to)(void *self, api_handle token, const struct token_limits *limits,
                            api_handle *ret_token);
    /* The list that objects get which the token's processes make without saying one; @bytes is a
     * self-relative descriptor with it. */
    uint32_t (*set_default)(void *self, api_handle token, const uint8_t *bytes, size_t len);
    uint32_t (*set_level)(void *self, api_handle token, uint32_t level);

    /* What is asked of a token. */
    uint32_t (*level)(void *self, api_handle token, uint32_t *ret_level);
    /* The SID of its logon session. */
    uint32_t (*logon_sid)(void *self, api_handle token, struct sid *ret_sid);
    /* Attributes of @sid among its groups; 0: it is none of them. */
    uint32_t (*group)(void *self, api_handle token, const struct sid *sid,
                      uint32_t *ret_attributes);
    /* API_INSUFFICIENT_BUFFER: more than TOKEN_SIDS_MAX. */
    uint32_t (*restricting)(void *self, api_handle token, struct sid ret_sids[TOKEN_SIDS_MAX],
                            size_t *ret_count);
    /* How many privileges it has beyond SeChangeNotifyPrivilege, enabled or not. */
    uint32_t (*privileges)(void *self, api_handle token, uint32_t *ret_count);
    uint32_t (*close)(void *self, api_handle token);
};

const struct token_api *token_win32(void);

enum token_kind {
    TOKEN_OWN, /* the caller's, as it is */
    TOKEN_WRITE_RESTRICTED,
    TOKEN_RESTRICTED /* for reading, too */
};

struct token_order {
    enum token_kind kind;
    const char
        *account; /* to be logged on by the service; NULL: the caller's token is restricted */
    /* His primary token, open to be copied, asked, given defaults and to a process; where @account
     * is said, not looked at. */
    api_handle caller;
    struct sid principal;                   /* not of TOKEN_OWN */
    struct sid restricting[TOKEN_SIDS_MAX]; /* len 0: the logon session */
    size_t restricting_count;
};

struct token {
    api_handle handle; /* primary; owned. 0: none */
    struct sid logon;  /* of its session: what the job's desktop is opened to; of TOKEN_OWN none */
};

/*
 * CORDON_E_STATE: what the system made is not what was asked for: a restricting SID that is missing
 * or another, the principal not among the groups, an administrator, a privilege, an integrity above
 * medium. CORDON_E_OS, CORDON_E_DENIED: a call failed. On an error nothing is open.
 */
CORDON_MUST_USE enum cordon_err token_prepare(const struct token_api *api,
                                              const struct token_order *order,
                                              struct token *ret_token, struct cordon_fault *fault);

/* Twice is allowed. */
void token_close(const struct token_api *api, struct token *token);

#endif

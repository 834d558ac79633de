/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The account that the service's jobs run as. It has a password, since there must be one; nobody
 * keeps it: the service logs the account on without (token.h), and nobody else is to.
 *
 * The Win32 calls are a table, as in api.h: each returns an error code, 0 for success.
 */
#ifndef CORDON_PLATFORM_WINDOWS_ACCOUNT_H
#define CORDON_PLATFORM_WINDOWS_ACCOUNT_H

#include "platform/windows/api.h"

#define ACCOUNT_NAME "cordon-job"
/* What tells it from somebody else's of that name. */
#define ACCOUNT_COMMENT "Jobs of cordon run as this account. Made by its service."
#define ACCOUNT_COMMENT_MAX 256U
#define ACCOUNT_PASSWORD_MAX 80U

enum account_code {
    ACCOUNT_IS_MEMBER = 1378, /* ERROR_MEMBER_IN_ALIAS */
    ACCOUNT_NOT_FOUND = 2221  /* NERR_UserNotFound */
};

struct account_facts {
    struct sid sid;
    bool administrator, disabled;
    char comment[ACCOUNT_COMMENT_MAX];
};

/* Accounts and groups are this machine's own. */
struct account_api {
    void *self;
    uint32_t (*random)(void *self, uint8_t *bytes, size_t len);
    uint32_t (*find)(void *self, const char *name, struct account_facts *ret_facts);
    /* A plain user whose password does not expire (NetUserAdd). */
    uint32_t (*make)(void *self, const char *name, const char *password, const char *comment);
    /* ACCOUNT_IS_MEMBER: it was in the group before. */
    uint32_t (*join)(void *self, const struct sid *account, const struct sid *group);
    /* It may not be logged on at the machine, by remote desktop, for a service or a batch
     * (LsaAddAccountRights); or all its rights are taken from it. */
    uint32_t (*deny_logons)(void *self, const struct sid *account, bool deny);
    /* Not shown where users log on. */
    uint32_t (*hide)(void *self, const char *name, bool hidden);
    uint32_t (*erase)(void *self, const char *name);
};

const struct account_api *account_win32(void);

/*
 * The account @name is there, and is what it should be. One that was made by a call that then fails
 * is gone again.
 *
 * CORDON_E_DENIED  there is one of that name that is not ours, disabled, or an administrator's
 */
CORDON_MUST_USE enum cordon_err account_ensure(const struct account_api *api, const char *name,
                                               struct sid *ret_sid, struct cordon_fault *fault);

/* The same where it is there already; nothing is made or changed. CORDON_E_NOT_FOUND: it is not. */
CORDON_MUST_USE enum cordon_err account_look(const struct account_api *api, const char *name,
                                             struct sid *ret_sid, struct cordon_fault *fault);

/* It is gone, with what was said of it elsewhere; CORDON_OK also if there was none. One that is not
 * ours is left: CORDON_E_DENIED. */
CORDON_MUST_USE enum cordon_err account_remove(const struct account_api *api, const char *name,
                                               struct cordon_fault *fault);

#endif

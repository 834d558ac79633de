/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/account.h"

#include <stdio.h>
#include <string.h>

#define PASSWORD_BYTES 32U

static bool is_ours(const struct account_facts *facts)
{
    return strcmp(facts->comment, ACCOUNT_COMMENT) == 0;
}

static enum cordon_err find(const struct account_api *api, const char *name,
                            struct account_facts *facts, bool *ret_there,
                            struct cordon_fault *fault)
{
    const uint32_t code = api->find(api->self, name, facts);

    *ret_there = code == API_OK;
    if (code != API_OK && code != ACCOUNT_NOT_FOUND) {
        return api_fault(fault, code, NULL, "asking for the account %s", name);
    }
    if (*ret_there && !is_ours(facts)) {
        return fault_set(fault, CORDON_E_DENIED, "rename or delete that account",
                         "there is an account %s that cordon did not make", name);
    }
    return CORDON_OK;
}

/* What was in it is not to be found in memory later; the compiler may not leave that out. */
static void wipe(void *bytes, size_t len)
{
    volatile uint8_t *at = bytes;

    while (len > 0) {
        at[--len] = 0;
    }
}

/* Nobody is told the password. Its last letters are for policies about kinds of letters. */
static enum cordon_err make(const struct account_api *api, const char *name,
                            struct cordon_fault *fault)
{
    char password[ACCOUNT_PASSWORD_MAX];
    uint8_t bytes[PASSWORD_BYTES];
    size_t len = 0;
    uint32_t code = api->random(api->self, bytes, sizeof(bytes));

    if (code == API_OK) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            len += (size_t)snprintf(password + len, sizeof(password) - len, "%02x", bytes[i]);
        }
        (void)snprintf(password + len, sizeof(password) - len, "-Aa1");
        code = api->make(api->self, name, password, ACCOUNT_COMMENT);
    }
    wipe(bytes, sizeof(bytes));
    wipe(password, sizeof(password));
    return code == API_OK ? CORDON_OK : api_fault(fault, code, NULL, "making the account %s", name);
}

/* What a crash may have left undone is done again: none of it does harm twice. */
static enum cordon_err complete(const struct account_api *api, const char *name,
                                const struct account_facts *facts, struct cordon_fault *fault)
{
    const struct sid users = sid_nt(32, 545);
    uint32_t code = api->deny_logons(api->self, &facts->sid, true);

    if (code == API_OK) {
        code = api->join(api->self, &facts->sid, &users);
        code = code == ACCOUNT_IS_MEMBER ? (uint32_t)API_OK : code;
    }
    if (code == API_OK) {
        code = api->hide(api->self, name, true);
    }
    return code == API_OK ? CORDON_OK
                          : api_fault(fault, code, NULL, "setting the account %s up", name);
}

static enum cordon_err check(const struct account_facts *facts, const char *name,
                             struct cordon_fault *fault)
{
    if (facts->administrator || facts->disabled) {
        return fault_set(fault, CORDON_E_DENIED, "delete it: it is made anew",
                         "the account %s is %s", name,
                         facts->administrator ? "an administrator's" : "disabled");
    }
    return facts->sid.len != 0
               ? CORDON_OK
               : fault_set(fault, CORDON_E_STATE, NULL, "the account %s has no SID", name);
}

static void unmake(const struct account_api *api, const char *name,
                   const struct account_facts *facts)
{
    (void)api->hide(api->self, name, false);
    if (facts->sid.len != 0) {
        (void)api->deny_logons(api->self, &facts->sid, false);
    }
    (void)api->erase(api->self, name);
}

enum cordon_err account_ensure(const struct account_api *api, const char *name, struct sid *ret_sid,
                               struct cordon_fault *fault)
{
    struct account_facts facts = {0};
    bool there, made = false;
    enum cordon_err err = find(api, name, &facts, &there, fault);

    if (err == CORDON_OK && !there) {
        err = make(api, name, fault);
        made = err == CORDON_OK;
        if (made) {
            err = find(api, name, &facts, &there, fault);
        }
        if (err == CORDON_OK && !there) {
            err = fault_set(fault, CORDON_E_STATE, NULL, "the account %s was made and is not there",
                            name);
        }
    }
    err = err == CORDON_OK ? check(&facts, name, fault) : err;
    err = err == CORDON_OK ? complete(api, name, &facts, fault) : err;
    if (err != CORDON_OK) {
        if (made) {
            unmake(api, name, &facts);
        }
        return err;
    }
    *ret_sid = facts.sid;
    return CORDON_OK;
}

enum cordon_err account_look(const struct account_api *api, const char *name, struct sid *ret_sid,
                             struct cordon_fault *fault)
{
    struct account_facts facts = {0};
    bool there;
    enum cordon_err err = find(api, name, &facts, &there, fault);

    if (err == CORDON_OK && !there) {
        return fault_set(fault, CORDON_E_NOT_FOUND, "install the service, which makes it",
                         "there is no account %s", name);
    }
    err = err == CORDON_OK ? check(&facts, name, fault) : err;
    if (err == CORDON_OK) {
        *ret_sid = facts.sid;
    }
    return err;
}

enum cordon_err account_remove(const struct account_api *api, const char *name,
                               struct cordon_fault *fault)
{
    struct account_facts facts = {0};
    bool there;
    uint32_t code;
    enum cordon_err err = find(api, name, &facts, &there, fault);

    if (err != CORDON_OK || !there) {
        return err;
    }
    /* The account last: without it nobody knows any more whose the rest was. */
    code = api->hide(api->self, name, false);
    code = code == API_OK ? api->deny_logons(api->self, &facts.sid, false) : code;
    code = code == API_OK ? api->erase(api->self, name) : code;
    return code == API_OK ? CORDON_OK
                          : api_fault(fault, code, NULL, "removing the account %s", name);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What cordond-test installs here: as the real one, but that Wine keeps no lists of folders, which
 * are not looked at then; that entries are keys'; that it has no accounts, for which a key of the
 * registry stands; and that its control manager does not know two of the settings.
 */
#include "platform/windows/place_win32.h"
#include "platform/windows/win32.h"
#include "tests/wine/install.h"
#include "tests/wine/keys.h"

#define UNKNOWN_LEVEL 124U /* ERROR_INVALID_LEVEL */

static uint32_t set_service(void *self, const struct scm_entry *entry, enum scm_setting setting)
{
    const uint32_t code = install_win32()->set_service(self, entry, setting);

    if (setting != SCM_SID && setting != SCM_PRIVILEGES) {
        return code;
    }
    /* Once Wine can do it, this is to go. */
    return code == UNKNOWN_LEVEL ? (uint32_t)API_OK : (uint32_t)ERROR_INVALID_FUNCTION;
}

/* ---- an account ---- */

static uint32_t a_random(void *self, uint8_t *bytes, size_t len)
{
    (void)self;
    memset(bytes, 1, len);
    return API_OK;
}

static uint32_t a_find(void *self, const char *name, struct account_facts *ret_facts)
{
    struct account_facts facts = {.sid = sid_nt(21, 1000)};
    DWORD len = sizeof(facts.comment);
    const uint32_t code = (uint32_t)RegGetValueA(HKEY_LOCAL_MACHINE, INSTALL_ACCOUNT, name,
                                                 RRF_RT_REG_SZ, NULL, facts.comment, &len);

    (void)self;
    if (code == API_OK) {
        *ret_facts = facts;
    }
    return code == API_FILE_NOT_FOUND ? (uint32_t)ACCOUNT_NOT_FOUND : code;
}

static uint32_t a_make(void *self, const char *name, const char *password, const char *comment)
{
    (void)self;
    (void)password;
    return (uint32_t)RegSetKeyValueA(HKEY_LOCAL_MACHINE, INSTALL_ACCOUNT, name, REG_SZ, comment,
                                     (DWORD)strlen(comment) + 1);
}

static uint32_t a_join(void *self, const struct sid *account, const struct sid *group)
{
    (void)self;
    (void)account;
    (void)group;
    return API_OK;
}

static uint32_t a_deny_logons(void *self, const struct sid *account, bool deny)
{
    (void)self;
    (void)account;
    (void)deny;
    return API_OK;
}

static uint32_t a_erase(void *self, const char *name)
{
    (void)self;
    (void)name;
    return (uint32_t)RegDeleteKeyA(HKEY_LOCAL_MACHINE, INSTALL_ACCOUNT);
}

/* ---- all of it ---- */

bool install_parts(struct install *ret_what)
{
    static struct install_api api;
    static struct account_api account;
    static struct state_config state;
    static char program[API_NAME_MAX];
    WCHAR self[MAX_PATH];
    DWORD len;

    api = *install_win32();
    api.set_service = set_service;
    account = *account_win32(); /* hide() is real */
    account.random = a_random;
    account.find = a_find;
    account.make = a_make;
    account.join = a_join;
    account.deny_logons = a_deny_logons;
    account.erase = a_erase;
    /* Whatever its name is: an installer gives it that of the real one. */
    len = GetModuleFileNameW(NULL, self, MAX_PATH);
    if (len == 0 || len == MAX_PATH || !place_state(&state) ||
        win32_narrow(self, len, program, sizeof(program)) != API_OK) {
        return false;
    }
    state.unchecked = true;
    state.root_object = API_KEY;
    state.root_count = 0;
    *ret_what = (struct install){.api = &api,
                                 .account = &account,
                                 .state = &state,
                                 .folder = place_folder(),
                                 .programs = {program, NULL}};
    return ret_what->folder != NULL;
}

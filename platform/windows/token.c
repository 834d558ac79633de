/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/token.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "platform/windows/sd.h"

/* One token on its way. */
struct making {
    const struct token_api *api;
    const struct token_order *order;
    struct cordon_fault *fault;
    struct token_limits limits;
    api_handle base; /* owned where it was logged on */
    struct token made;
};

static enum cordon_err failed(const struct making *m, uint32_t code, const char *what)
{
    return api_fault(m->fault, code, NULL, "%s", what);
}

static enum cordon_err refuse(const struct making *m, const char *what)
{
    return fault_set(m->fault, CORDON_E_STATE, NULL,
                     "the job's token is not what was asked for: %s", what);
}

/* ---- where it comes from ---- */

/* Whoever adds groups at a logon gives the session its SID, too: nobody else does then. */
static enum cordon_err name_session(struct making *m)
{
    char text[SID_TEXT_MAX];
    uint64_t number = 0;
    const uint32_t code = m->api->unique(m->api->self, &number);

    if (code != API_OK) {
        return failed(m, code, "numbering the job's logon session");
    }
    (void)snprintf(text, sizeof(text), "S-1-5-5-%" PRIu32 "-%" PRIu32, (uint32_t)(number >> 32U),
                   (uint32_t)number);
    return sid_from_text(text, &m->made.logon);
}

static enum cordon_err log_on(struct making *m)
{
    struct token_group groups[2];
    uint32_t code;
    enum cordon_err err = name_session(m);

    if (err != CORDON_OK) {
        return err;
    }
    groups[0] = (struct token_group){m->order->principal, TOKEN_GROUP_USUAL};
    groups[1] = (struct token_group){m->made.logon, TOKEN_GROUP_USUAL | TOKEN_GROUP_LOGON};
    code = m->api->logon(m->api->self, m->order->account, groups, 2, &m->base);
    return code == API_OK ? CORDON_OK
                          : api_fault(m->fault, code,
                                      "the service runs as LocalSystem; cordon doctor says whether "
                                      "its account is there",
                                      "logging the account %s on", m->order->account);
}

static enum cordon_err use_callers(struct making *m)
{
    const uint32_t code = m->api->logon_sid(m->api->self, m->order->caller, &m->made.logon);

    m->base = m->order->caller;
    return code == API_OK ? CORDON_OK : failed(m, code, "asking for the caller's logon session");
}

/* ---- what is made of it ---- */

static enum cordon_err restrict_base(struct making *m)
{
    const struct token_order *order = m->order;
    uint32_t code;

    m->limits.write_only = order->kind == TOKEN_WRITE_RESTRICTED;
    m->limits.no_administrators = order->account == NULL;
    for (size_t i = 0; i < order->restricting_count; i++) {
        m->limits.sids[m->limits.count++] =
            order->restricting[i].len == 0 ? m->made.logon : order->restricting[i];
    }
    code = m->api->restrict_to(m->api->self, m->base, &m->limits, &m->made.handle);
    return code == API_OK ? CORDON_OK : failed(m, code, "restricting the job's token");
}

/* What the job's processes make is open to the job itself: the list that comes with the account
 * names it, and it restricts nothing. */
static enum cordon_err open_own_objects(const struct making *m)
{
    const struct sd_ace entries[] = {{SD_ALLOWED, 0, SD_GENERIC_ALL, m->made.logon},
                                     {SD_ALLOWED, 0, SD_GENERIC_ALL, sid_system()}};
    struct sd *sd = malloc(sizeof(*sd));
    uint8_t bytes[512];
    size_t len = 0;
    uint32_t code = API_OK;
    enum cordon_err err = sd == NULL ? CORDON_E_NOMEM : CORDON_OK;

    if (sd != NULL) {
        sd_init(sd, SD_DACL_LIST);
        for (size_t i = 0; err == CORDON_OK && i < 2; i++) {
            err = sd_append(sd, &entries[i]);
        }
        err = err == CORDON_OK ? sd_write(sd, bytes, sizeof(bytes), &len) : err;
    }
    free(sd);
    if (err != CORDON_OK) {
        return fault_set(m->fault, err, NULL, "no room for the list of the job's own objects");
    }
    code = m->api->set_default(m->api->self, m->made.handle, bytes, len);
    return code == API_OK ? CORDON_OK : failed(m, code, "opening the job's own objects to it");
}

/* An elevated caller's would be above what he is for most purposes. */
static enum cordon_err lower(const struct making *m)
{
    uint32_t level = 0;
    uint32_t code = m->api->level(m->api->self, m->made.handle, &level);

    if (code == API_OK && level > TOKEN_LEVEL_MEDIUM) {
        code = m->api->set_level(m->api->self, m->made.handle, TOKEN_LEVEL_MEDIUM);
        if (code == API_OK) {
            code = m->api->level(m->api->self, m->made.handle, &level);
        }
    }
    if (code != API_OK) {
        return failed(m, code, "lowering the integrity of the job's token");
    }
    return level <= TOKEN_LEVEL_MEDIUM ? CORDON_OK : refuse(m, "its integrity is above medium");
}

/* ---- what it turned out to be ---- */

static bool has_sid(const struct sid *sids, size_t count, const struct sid *sid)
{
    for (size_t i = 0; i < count; i++) {
        if (sid_equal(&sids[i], sid)) {
            return true;
        }
    }
    return false;
}

static enum cordon_err check_restricting(const struct making *m)
{
    struct sid found[TOKEN_SIDS_MAX];
    size_t count = 0;
    const uint32_t code = m->api->restricting(m->api->self, m->made.handle, found, &count);

    if (code != API_OK) {
        return failed(m, code, "asking what restricts the job's token");
    }
    for (size_t i = 0; i < m->limits.count; i++) {
        if (!has_sid(found, count, &m->limits.sids[i])) {
            return refuse(m, "a restricting SID is missing");
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!has_sid(m->limits.sids, m->limits.count, &found[i])) {
            return refuse(m, "a restricting SID was added");
        }
    }
    return CORDON_OK;
}

/* Whether @sid counts as one of its groups. */
static enum cordon_err ask_group(const struct making *m, const struct sid *sid, bool *ret_is)
{
    uint32_t attributes = 0;
    const uint32_t code = m->api->group(m->api->self, m->made.handle, sid, &attributes);

    *ret_is = (attributes & TOKEN_GROUP_ENABLED) != 0;
    return code == API_OK ? CORDON_OK : failed(m, code, "asking for the groups of the job's token");
}

static enum cordon_err check_groups(const struct making *m)
{
    const struct sid administrators = sid_administrators();
    const bool logged_on = m->order->account != NULL;
    bool is = false;
    enum cordon_err err = ask_group(m, &administrators, &is);

    if (err == CORDON_OK && is) {
        err = refuse(m, "it is an administrator's");
    }
    /* Without these a denial would not count, and the desktop not be open. */
    if (err == CORDON_OK && logged_on) {
        err = ask_group(m, &m->order->principal, &is);
        err = err == CORDON_OK && !is ? refuse(m, "the principal is not among its groups") : err;
    }
    if (err == CORDON_OK && logged_on) {
        err = ask_group(m, &m->made.logon, &is);
        err = err == CORDON_OK && !is ? refuse(m, "it has another logon session") : err;
    }
    return err;
}

static enum cordon_err check_privileges(const struct making *m)
{
    uint32_t count = 0;
    const uint32_t code = m->api->privileges(m->api->self, m->made.handle, &count);

    if (code != API_OK) {
        return failed(m, code, "asking for the privileges of the job's token");
    }
    return count == 0 ? CORDON_OK : refuse(m, "it has privileges");
}

/* ---- the whole ---- */

static enum cordon_err make_restricted(struct making *m)
{
    static enum cordon_err (*const steps[])(const struct making *) = {
        open_own_objects, lower, check_restricting, check_groups, check_privileges};
    enum cordon_err err = m->order->account != NULL ? log_on(m) : use_callers(m);

    if (err == CORDON_OK) {
        err = restrict_base(m);
    }
    for (size_t i = 0; err == CORDON_OK && i < sizeof(steps) / sizeof(steps[0]); i++) {
        err = steps[i](m);
    }
    if (m->order->account != NULL && m->base != 0) {
        (void)m->api->close(m->api->self, m->base);
    }
    return err;
}

static enum cordon_err make_own(struct making *m)
{
    const uint32_t code = m->api->copy(m->api->self, m->order->caller, &m->made.handle);

    return code == API_OK ? CORDON_OK : failed(m, code, "copying the caller's token");
}

enum cordon_err token_prepare(const struct token_api *api, const struct token_order *order,
                              struct token *ret_token, struct cordon_fault *fault)
{
    struct making m = {.api = api, .order = order, .fault = fault};
    enum cordon_err err;

    if (order->kind != TOKEN_OWN && (order->principal.len == 0 || order->restricting_count == 0 ||
                                     order->restricting_count > TOKEN_SIDS_MAX)) {
        return fault_set(fault, CORDON_E_INVALID, NULL,
                         "a job's token needs a principal and SIDs that restrict it");
    }
    err = order->kind == TOKEN_OWN ? make_own(&m) : make_restricted(&m);
    if (err != CORDON_OK) {
        token_close(api, &m.made);
        return err;
    }
    *ret_token = m.made;
    return CORDON_OK;
}

void token_close(const struct token_api *api, struct token *token)
{
    if (token->handle != 0) {
        (void)api->close(api->self, token->handle);
    }
    *token = (struct token){0};
}

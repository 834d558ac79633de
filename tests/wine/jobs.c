/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/wine/jobs.h"

#include <string.h>

#include "tests/wine/keys.h"
#include "tests/wine/token.h"

static struct launch_limits last;

static uint32_t remember_limits(void *self, api_handle job, const struct launch_limits *wanted)
{
    last = *wanted;
    return launch_win32()->job_limit(self, job, wanted);
}

static uint32_t tell_limits(void *self, api_handle job, struct launch_limits *ret_limits)
{
    (void)self;
    (void)job;
    *ret_limits = last;
    return API_OK;
}

const struct launch_api *wine_launch(void)
{
    static struct launch_api api;

    api = *launch_win32();
    api.job_limit = remember_limits;
    api.job_limits = tell_limits;
    return &api;
}

/* ---- tokens ---- */

static uint32_t log_on(void *self, const char *account, const struct token_group *groups,
                       size_t count, api_handle *ret_token)
{
    struct sd_member members[4] = {{.deny_only = false}, {sid_everyone(), false}};
    const struct sd_token made = {.members = members, .member_count = 2 + count};
    HANDLE token;

    (void)self;
    if (strcmp(account, "cordon-job") != 0 || count != 2 ||
        sid_from_text(KEYS_DOMAIN "-900", &members[0].sid) != CORDON_OK) {
        return ERROR_INVALID_PARAMETER;
    }
    for (size_t i = 0; i < count; i++) {
        members[2 + i].sid = groups[i].sid;
    }
    token = token_make(&made, TRUE);
    *ret_token = (api_handle)token;
    return token == NULL ? GetLastError() : API_OK;
}

static struct token_limits asked;

static uint32_t remember(void *self, api_handle token, const struct token_limits *limits,
                         api_handle *ret_token)
{
    asked = *limits;
    return token_win32()->restrict_to(self, token, limits, ret_token);
}

static uint32_t tell(void *self, api_handle token, struct sid ret_sids[TOKEN_SIDS_MAX],
                     size_t *ret_count)
{
    (void)self;
    (void)token;
    memcpy(ret_sids, asked.sids, sizeof(asked.sids));
    *ret_count = asked.count;
    return API_OK;
}

static uint32_t level = 0x3000;

static uint32_t remember_level(void *self, api_handle token, uint32_t wanted)
{
    level = wanted;
    return token_win32()->set_level(self, token, wanted);
}

static uint32_t tell_level(void *self, api_handle token, uint32_t *ret_level)
{
    (void)self;
    (void)token;
    *ret_level = level;
    return API_OK;
}

const struct token_api *wine_tokens(enum wine_pretence pretence)
{
    static struct token_api tokens;

    tokens = *token_win32();
    tokens.logon = log_on;
    if (pretence != WINE_NOTHING) {
        tokens.set_level = remember_level;
        tokens.level = tell_level;
    }
    if (pretence == WINE_ALL) {
        tokens.restrict_to = remember;
        tokens.restricting = tell;
    }
    return &tokens;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The system of fake_job.h: tokens. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/sd.h"
#include "tests/support/fake_job_parts.h"

static const char *text_of(const struct sid *sid)
{
    static char texts[4][SID_TEXT_MAX];
    static size_t next;

    next = (next + 1) % 4;
    sid_text(sid, texts[next]);
    return texts[next];
}

struct fake_token *fake_job_token(struct fake_job *fake, api_handle handle)
{
    if (handle < FAKE_TOKEN_FIRST || handle >= FAKE_TOKEN_FIRST + fake->world->token_count) {
        abort();
    }
    return &fake->world->tokens[handle - FAKE_TOKEN_FIRST];
}

static api_handle keep_token(struct fake_job *fake, api_handle handle)
{
    fake->tokens[handle - FAKE_TOKEN_FIRST] = FAKE_JOB_TOKEN_OPEN;
    return handle;
}

static uint32_t t_unique(void *self, uint64_t *ret_number)
{
    CALL("unique");
    *ret_number = 0x700000063;
    DONE;
}

static uint32_t t_logon(void *self, const char *account, const struct token_group *groups,
                        size_t count, api_handle *ret_token)
{
    char sids[400] = FAKE_JOB_ACCOUNT " WD BU";
    CALL("logon %s %s=0x%" PRIx32 " %s=0x%" PRIx32, account, text_of(&groups[0].sid),
         groups[0].attributes, text_of(&groups[1].sid), groups[1].attributes);
    fake->group_count = 0;
    for (size_t i = 0; i < count && !fake->drops_groups; i++) {
        fake->groups[fake->group_count++] = groups[i];
        (void)snprintf(sids + strlen(sids), sizeof(sids) - strlen(sids), " %s",
                       text_of(&groups[i].sid));
    }
    *ret_token = keep_token(fake, fake_token(fake->world, sids));
    DONE;
}

static api_handle copy_of(struct fake_job *fake, api_handle token)
{
    const api_handle made = fake_token(fake->world, FAKE_JOB_ACCOUNT);
    struct fake_token *to = fake_job_token(fake, made);

    *to = *fake_job_token(fake, token);
    to->token.members = to->members;
    return keep_token(fake, made);
}

static uint32_t t_copy(void *self, api_handle token, api_handle *ret_token)
{
    CALL("copy-token");
    *ret_token = copy_of(fake, token);
    DONE;
}

static uint32_t t_restrict(void *self, api_handle token, const struct token_limits *limits,
                           api_handle *ret_token)
{
    char sids[400] = "";
    struct fake_token *made;

    for (size_t i = 0; i < limits->count; i++) {
        (void)snprintf(sids + strlen(sids), sizeof(sids) - strlen(sids), " %s",
                       text_of(&limits->sids[i]));
    }
    {
        CALL("restrict%s%s%s", limits->write_only ? " write-only" : "",
             limits->no_administrators ? " no-administrators" : "", sids);
        fake->limits = *limits;
        *ret_token = copy_of(fake, token);
        made = fake_job_token(fake, *ret_token);
        made->token.restricting = fake->limits.sids;
        made->token.restricting_count = limits->count;
        made->token.write_restricted = limits->write_only;
        DONE;
    }
}

static uint32_t t_set_default(void *self, api_handle token, const uint8_t *bytes, size_t len)
{
    struct fake_job *fake = self;
    uint32_t code;

    (void)fake_job_token(fake, token);
    return fake_job_begin_listed(fake, &code, "default-list", bytes, len)
               ? api_tap_end(fake->tap, API_OK)
               : code;
}

static uint32_t t_set_level(void *self, api_handle token, uint32_t level)
{
    CALL("set-level 0x%" PRIx32, level);
    (void)token;
    fake->level = fake->keeps_level ? fake->level : level;
    DONE;
}

static uint32_t t_level(void *self, api_handle token, uint32_t *ret_level)
{
    CALL("level");
    (void)fake_job_token(fake, token);
    *ret_level = fake->level;
    DONE;
}

static uint32_t t_logon_sid(void *self, api_handle token, struct sid *ret_sid)
{
    CALL("logon-sid");
    (void)fake_job_token(fake, token);
    *ret_sid = fake->session;
    DONE;
}

static uint32_t t_group(void *self, api_handle token, const struct sid *sid,
                        uint32_t *ret_attributes)
{
    const struct sid administrators = sid_administrators();
    CALL("group %s", text_of(sid));
    (void)fake_job_token(fake, token);
    *ret_attributes = 0;
    for (size_t i = 0; i < fake->group_count; i++) {
        if (sid_equal(&fake->groups[i].sid, sid)) {
            *ret_attributes = fake->groups[i].attributes;
        }
    }
    if (fake->is_administrator && sid_equal(sid, &administrators)) {
        *ret_attributes = TOKEN_GROUP_USUAL;
    }
    DONE;
}

static uint32_t t_restricting(void *self, api_handle token, struct sid ret_sids[TOKEN_SIDS_MAX],
                              size_t *ret_count)
{
    CALL("restricting");
    (void)fake_job_token(fake, token);
    *ret_count = fake->limits.count - (fake->drops_restricting ? 1U : 0U);
    memcpy(ret_sids, fake->limits.sids, *ret_count * sizeof(*ret_sids));
    if (fake->adds_restricting) {
        ret_sids[(*ret_count)++] = sid_everyone();
    }
    DONE;
}

static uint32_t t_privileges(void *self, api_handle token, uint32_t *ret_count)
{
    CALL("privileges");
    (void)fake_job_token(fake, token);
    *ret_count = fake->privileges;
    DONE;
}

/* Places behind the last one that is open are used again, so that many launches fit. */
static uint32_t t_close(void *self, api_handle token)
{
    struct fake_job *fake = self;
    struct fake *world = fake->world;

    (void)fake_job_token(fake, token);
    if (fake->tokens[token - FAKE_TOKEN_FIRST] != FAKE_JOB_TOKEN_OPEN) {
        abort();
    }
    fake->tokens[token - FAKE_TOKEN_FIRST] = FAKE_JOB_TOKEN_CLOSED;
    while (world->token_count > 0 &&
           fake->tokens[world->token_count - 1] == FAKE_JOB_TOKEN_CLOSED) {
        fake->tokens[--world->token_count] = FAKE_JOB_TOKEN_NONE;
        memset(&world->tokens[world->token_count], 0, sizeof(world->tokens[0]));
    }
    api_tap_inside++;
    strbuf_puts(&fake->tap->trace, "close token\n");
    api_tap_inside--;
    return API_OK;
}

void fake_job_tokens(struct fake_job *fake)
{
    fake->token = (struct token_api){.self = fake,
                                     .unique = t_unique,
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
}

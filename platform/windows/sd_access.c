/* SPDX-License-Identifier: Apache-2.0 */
/* The algorithm of [MS-DTYP] 2.5.3.2, without privileges, conditions and object types. */
#include "platform/windows/sd.h"

#define GENERIC (SD_GENERIC_READ | SD_GENERIC_WRITE | SD_GENERIC_EXECUTE | SD_GENERIC_ALL)
/* What a write-restricted token asks its restricting SIDs for whatever GENERIC_WRITE means. */
#define ALWAYS_WRITING (SD_DELETE | SD_WRITE_DAC | SD_WRITE_OWNER | SD_SYSTEM_SECURITY)

/* Whose SIDs a pass over the list goes by. */
struct identity {
    const struct sd_token *token;
    bool restricting; /* by those of the second pass alone; they always count */
    bool owner;       /* the token is the owner's: in both passes, or in none */
};

uint32_t sd_map(const struct sd_mapping *mapping, uint32_t mask)
{
    uint32_t mapped = mask & ~GENERIC;

    mapped |= (mask & SD_GENERIC_READ) != 0 ? mapping->read : 0;
    mapped |= (mask & SD_GENERIC_WRITE) != 0 ? mapping->write : 0;
    mapped |= (mask & SD_GENERIC_EXECUTE) != 0 ? mapping->execute : 0;
    mapped |= (mask & SD_GENERIC_ALL) != 0 ? mapping->all : 0;
    return mapped;
}

static bool holds(const struct identity *who, const struct sid *sid, bool denial)
{
    const struct sd_token *token = who->token;

    for (size_t i = 0; who->restricting && i < token->restricting_count; i++) {
        if (sid_equal(&token->restricting[i], sid)) {
            return true;
        }
    }
    for (size_t i = 0; !who->restricting && i < token->member_count; i++) {
        if (sid_equal(&token->members[i].sid, sid) && (denial || !token->members[i].deny_only)) {
            return true;
        }
    }
    return false;
}

/* The owner may always read and replace the list, unless an entry says what owners may. */
static uint32_t implicit(const struct sd *sd, const struct identity *who)
{
    const struct sid rights = sid_owner_rights();
    struct sd_ace ace;

    if (!who->owner) {
        return 0;
    }
    for (uint32_t at = 0; sd_next(sd, &at, &ace);) {
        if ((ace.flags & SD_INHERIT_ONLY) == 0 && sid_equal(&ace.sid, &rights)) {
            return 0;
        }
    }
    return SD_READ_CONTROL | SD_WRITE_DAC;
}

/* An owner's rights are those of a token that has him among its members and, where it is
 * restricted, among those who restrict it. */
static bool is_owner(const struct sd *sd, const struct sd_token *token)
{
    const struct identity first = {.token = token};
    const struct identity second = {.token = token, .restricting = true};

    return holds(&first, &sd->owner, false) &&
           (token->restricting == NULL || holds(&second, &sd->owner, false));
}

static uint32_t pass(const struct sd *sd, const struct sd_token *token, bool restricting,
                     const struct sd_mapping *mapping)
{
    const struct sid rights = sid_owner_rights();
    struct identity who = {.token = token, .restricting = restricting};
    uint32_t granted, denied = 0;
    struct sd_ace ace;

    who.owner = is_owner(sd, token);
    granted = implicit(sd, &who);
    for (uint32_t at = 0; sd_next(sd, &at, &ace);) {
        const bool denial = ace.type == SD_DENIED;
        const uint32_t mask = sd_map(mapping, ace.mask);

        if ((ace.flags & SD_INHERIT_ONLY) != 0 ||
            (!holds(&who, &ace.sid, denial) && !(who.owner && sid_equal(&ace.sid, &rights)))) {
            continue;
        }
        if (denial) {
            denied |= mask & ~granted;
        } else if (sd_grants(ace.type)) {
            granted |= mask & ~denied;
        }
    }
    /* The audit list is a matter of a privilege, whatever an entry says. */
    return granted & ~SD_SYSTEM_SECURITY;
}

/* The rights for which a write-restricted token needs its restricting SIDs. */
static uint32_t writing(const struct sd_mapping *mapping)
{
    return (mapping->write & ~(mapping->read | mapping->execute)) | ALWAYS_WRITING;
}

uint32_t sd_granted(const struct sd *sd, const struct sd_token *token,
                    const struct sd_mapping *mapping)
{
    uint32_t granted, second;

    if (sd->dacl != SD_DACL_LIST) {
        return mapping->all;
    }
    granted = pass(sd, token, false, mapping);
    if (token->restricting == NULL) {
        return granted;
    }
    second = pass(sd, token, true, mapping);
    if (token->write_restricted) {
        second |= ~writing(mapping);
    }
    return granted & second;
}

bool sd_access_check(const struct sd *sd, const struct sd_token *token,
                     const struct sd_mapping *mapping, uint32_t desired)
{
    const uint32_t wanted = sd_map(mapping, desired & ~SD_MAXIMUM_ALLOWED);
    uint32_t granted;

    if (sd->dacl != SD_DACL_LIST) {
        return (wanted & SD_SYSTEM_SECURITY) == 0;
    }
    granted = sd_granted(sd, token, mapping);
    return (wanted & ~granted) == 0 && granted != 0;
}

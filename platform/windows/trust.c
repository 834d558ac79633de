/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/trust.h"

#include <string.h>

#define OWNING (SD_DELETE | SD_WRITE_DAC | SD_WRITE_OWNER)

/* Rights that let somebody change what is believed. Of a file FILE_WRITE_ATTRIBUTES too: it is
 * enough to make a reparse point of it. */
static const uint32_t forbidden[][3] = {
    [TRUST_FILE] = {[TRUST_SOURCE] = OWNING | 0x2U | 0x4U | 0x10U | 0x100U,
                    [TRUST_HOLDER] = OWNING | 0x2U | 0x4U | 0x10U | 0x40U | 0x100U,
                    [TRUST_ABOVE] = OWNING | 0x40U},
    [TRUST_KEY] = {[TRUST_SOURCE] = OWNING | 0x2U | 0x4U | 0x20U,
                   [TRUST_HOLDER] = OWNING | 0x2U | 0x4U | 0x20U,
                   [TRUST_ABOVE] = OWNING | 0x20U},
};

static const char *const remedies[] = {
    [TRUST_FILE] = "let only SYSTEM and Administrators own and change it: icacls PATH /setowner "
                   "*S-1-5-32-544, then /inheritance:r /grant:r *S-1-5-18:F *S-1-5-32-544:F",
    [TRUST_KEY] =
        "let only SYSTEM and Administrators own and change the key (regedit, Permissions)",
};

static bool is_trusted(const struct sid *sid)
{
    static const char installer[] =
        "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";
    const struct sid system = sid_system();
    const struct sid administrators = sid_administrators();
    char text[SID_TEXT_MAX];

    if (sid_equal(sid, &system) || sid_equal(sid, &administrators)) {
        return true;
    }
    sid_text(sid, text);
    return strcmp(text, installer) == 0;
}

/* Those that stand for the owner, who is looked at himself. */
static bool is_owner(const struct sid *sid)
{
    const struct sid creator = sid_creator_owner();
    const struct sid rights = sid_owner_rights();

    return sid_equal(sid, &creator) || sid_equal(sid, &rights);
}

static enum cordon_err refuse(const struct trust_object *object, struct cordon_fault *fault,
                              const char *what)
{
    return fault_set(fault, CORDON_E_DENIED, remedies[object->kind], "%s %s", object->name, what);
}

static enum cordon_err check_owner(const struct trust_object *object, struct cordon_fault *fault)
{
    char text[SID_TEXT_MAX];

    if (is_trusted(&object->sd->owner)) {
        return CORDON_OK;
    }
    sid_text(&object->sd->owner, text);
    return fault_set(fault, CORDON_E_DENIED, remedies[object->kind], "%s is owned by %s",
                     object->name, text[0] == '\0' ? "nobody that is named" : text);
}

/*
 * Denials are no help: what one group is denied another may be granted. Entries that are only
 * passed on count where they arrive, since each object is looked at itself.
 */
static enum cordon_err check_entry(const struct trust_object *object, const struct sd_ace *ace,
                                   size_t number, struct cordon_fault *fault)
{
    const struct sd_mapping *mapping =
        object->kind == TRUST_FILE ? &sd_mapping_file : &sd_mapping_key;
    uint32_t rights = sd_map(mapping, ace->mask) & forbidden[object->kind][object->role];
    char text[SID_TEXT_MAX];

    if (ace->sid.len == 0) {
        return fault_set(fault, CORDON_E_DENIED, remedies[object->kind],
                         "entry %zu of the access list of %s is of an unknown type (0x%x)", number,
                         object->name, ace->type);
    }
    if (!sd_grants(ace->type) || (ace->flags & SD_INHERIT_ONLY) != 0 || is_trusted(&ace->sid) ||
        is_owner(&ace->sid) || rights == 0) {
        return CORDON_OK;
    }
    sid_text(&ace->sid, text);
    return fault_set(fault, CORDON_E_DENIED, remedies[object->kind],
                     "%s may be changed by others: entry %zu of its access list allows %s 0x%x",
                     object->name, number, text, rights);
}

static enum cordon_err check(const struct trust_object *object, struct cordon_fault *fault)
{
    struct sd_ace ace;
    size_t number = 1;
    enum cordon_err err;

    if (object->link) {
        return refuse(object, fault, "is a link");
    }
    err = check_owner(object, fault);
    if (err == CORDON_OK && object->sd->dacl != SD_DACL_LIST) {
        err = refuse(object, fault, "has no access list: everyone may change it");
    }
    for (uint32_t at = 0; err == CORDON_OK && sd_next(object->sd, &at, &ace); number++) {
        err = check_entry(object, &ace, number, fault);
    }
    return err;
}

enum cordon_err trust_check(const struct trust_object *objects, size_t count,
                            struct cordon_fault *fault)
{
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < count; i++) {
        err = check(&objects[i], fault);
    }
    return err;
}

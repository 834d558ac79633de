/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/acl.h"

#include <stdlib.h>
#include <string.h>

#include "platform/windows/upcase.h"

/* Rights of one kind of object (winnt.h). */
#define FILE_LIST 0x1U
#define FILE_LOOK 0x80U /* FILE_READ_ATTRIBUTES */
#define KEY_LOOK 0x1U   /* KEY_QUERY_VALUE */
#define KEY_LIST 0x8U   /* KEY_ENUMERATE_SUB_KEYS */

uint32_t acl_access(enum acl_use use, enum api_object object)
{
    static const uint32_t rights[][2] = {
        [ACL_LOOK] = {[API_FILE] = FILE_LOOK, [API_KEY] = KEY_LOOK},
        [ACL_EDIT] = {[API_FILE] = SD_WRITE_DAC | FILE_LOOK, [API_KEY] = SD_WRITE_DAC | KEY_LOOK},
        [ACL_LIST] = {[API_FILE] = FILE_LIST | FILE_LOOK, [API_KEY] = KEY_LIST | KEY_LOOK},
        /* A key with others in it is not erased, so they are counted. */
        [ACL_ERASE] =
            {[API_FILE] = SD_DELETE | FILE_LOOK, [API_KEY] = SD_DELETE | KEY_LIST | KEY_LOOK},
    };

    return SD_READ_CONTROL | rights[use][object];
}

const struct sd_mapping *acl_mapping(enum api_object object)
{
    return object == API_KEY ? &sd_mapping_key : &sd_mapping_file;
}

/* ---- opening ---- */

/* Whether a path is all that there is of a volume: "C:\", "\\server\share\". */
static bool is_root(enum api_object object, const char *path)
{
    const size_t len = strlen(path);
    unsigned separators = 0;

    if (object == API_KEY) {
        return strchr(path, '\\') == NULL;
    }
    if (len <= 3 && len >= 2 && path[1] == ':') {
        return true;
    }
    for (size_t i = 2; path[0] == '\\' && path[1] == '\\' && i + 1 < len; i++) {
        separators += path[i] == '\\' ? 1U : 0U;
    }
    return path[0] == '\\' && separators <= 1;
}

/* The next character of what is left of a text, in upper case; a byte that begins none is itself,
 * and no character. */
static uint32_t next_folded(const char **text, size_t *len)
{
    uint32_t value;
    size_t step = win_utf8(*text, *len, &value);

    value = step == 0 ? 0x80000000U | (unsigned char)**text : win_upcase(value);
    step = step == 0 ? 1 : step;
    *text += step;
    *len -= step;
    return value;
}

bool acl_same_path(const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b);

    /* Some letters take more bytes in upper case. */
    while (a_len > 0 && b_len > 0) {
        if (next_folded(&a, &a_len) != next_folded(&b, &b_len)) {
            return false;
        }
    }
    return a_len == b_len;
}

uint32_t acl_act_begin(const struct acl *acl, const struct acl_target *target, bool *ret_acts)
{
    return api_act(acl->api, target->managed ? 0 : acl->caller, ret_acts);
}

void acl_act_end(const struct acl *acl, bool acts)
{
    api_act_end(acl->api, acts);
}

static enum cordon_err open_as(struct acl *acl, const struct acl_target *target,
                               api_handle *ret_handle, struct cordon_fault *fault)
{
    const struct api_open how = {
        .object = target->object,
        .name = target->path,
        .access = acl_access(ACL_EDIT, target->object),
    };
    bool acts;
    uint32_t code = acl_act_begin(acl, target, &acts);

    if (code != API_OK) {
        return api_fault(fault, code, NULL, "acting as the caller");
    }
    code = acl->api->open(acl->api->self, &how, ret_handle);
    acl_act_end(acl, acts);
    return code == API_OK
               ? CORDON_OK
               : api_fault(fault, code, "only who may change an object's access list can deny it",
                           "opening %s", target->path);
}

static bool is_place(const struct acl *acl, const struct acl_target *target, const char *found)
{
    if (target->resolved != NULL) {
        return acl_same_path(found, target->resolved);
    }
    if (acl_same_path(found, target->path)) {
        return true;
    }
    for (size_t i = 0; target->type == SD_DENIED && i < acl->place_count; i++) {
        if (acl_same_path(found, acl->places[i])) {
            return true;
        }
    }
    return false;
}

static enum cordon_err refuse_root(const struct acl_target *target, struct cordon_fault *fault)
{
    return fault_set(fault, CORDON_E_DENIED, "name folders below it", "%s is the root of a volume",
                     target->path);
}

static enum cordon_err check_place(struct acl *acl, const struct acl_target *target,
                                   const struct acl_object *object, struct cordon_fault *fault)
{
    /* Both strings are short as a rule; what does not fit was not the path that was looked at. */
    char *found = (char *)acl->bytes;
    const uint32_t code =
        acl->api->path(acl->api->self, target->object, object->handle, found, sizeof(acl->bytes));

    if (code != API_OK) {
        return api_fault(fault, code, NULL, "asking where %s lies", target->path);
    }
    if (is_root(target->object, found)) {
        return refuse_root(target, fault);
    }
    if (object->info.reparse && !target->link) {
        return fault_set(fault, CORDON_E_DENIED, "try again",
                         "%s became a link since it was looked at", target->path);
    }
    if (!is_place(acl, target, found)) {
        return fault_set(fault, CORDON_E_DENIED, "try again",
                         "%s lies elsewhere than when it was looked at: %s", target->path, found);
    }
    return CORDON_OK;
}

static enum cordon_err check_object(struct acl *acl, const struct acl_target *target,
                                    const struct acl_object *object, struct cordon_fault *fault)
{
    if (acl->before.dacl != SD_DACL_LIST) {
        return fault_set(fault, CORDON_E_UNSUPPORTED, "give it one: icacls PATH /reset",
                         "%s has no access list: everyone may do everything", target->path);
    }
    /* A name that a job made for a file elsewhere must not open that file to it. */
    if (target->type == SD_ALLOWED && object->info.links > 1 && !object->info.container) {
        return fault_set(fault, CORDON_E_DENIED, "grant its folder, or copy the file",
                         "%s has %u names: a grant would be one for all of them", target->path,
                         (unsigned)object->info.links);
    }
    return CORDON_OK;
}

enum cordon_err acl_read(struct acl *acl, api_handle handle, const char *path, struct sd *ret_sd,
                         struct cordon_fault *fault)
{
    size_t len;
    const uint32_t code =
        acl->api->get_security(acl->api->self, handle, acl->bytes, sizeof(acl->bytes), &len);

    if (code != API_OK) {
        return api_fault(fault, code, NULL, "reading the access list of %s", path);
    }
    if (sd_parse(acl->bytes, len, ret_sd) != CORDON_OK) {
        return fault_set(fault, CORDON_E_SYNTAX, NULL, "the access list of %s is malformed", path);
    }
    return CORDON_OK;
}

/*
 * What a job made is owned by its principal, who may always replace the list. It becomes the
 * caller's, with the caller's own right to do that; nobody gives it back when the denial goes.
 */
static enum cordon_err take_over(struct acl *acl, const struct acl_target *target,
                                 const struct acl_object *object, struct cordon_fault *fault)
{
    const struct sid admins = sid_administrators();
    const struct api *api = acl->api;
    const struct api_open how = {.object = target->object,
                                 .parent = object->handle,
                                 .name = "",
                                 .access = SD_WRITE_OWNER | SD_READ_CONTROL};
    api_handle handle = 0;
    bool acts;
    uint32_t code = acl_act_begin(acl, target, &acts);
    enum cordon_err err;

    if (code != API_OK) {
        return api_fault(fault, code, NULL, "acting as the caller");
    }
    code = api->open(api->self, &how, &handle);
    if (code == API_OK) {
        code = api->set_owner(api->self, target->object, handle,
                              acts && acl->owner.len != 0 ? &acl->owner : &admins);
    }
    acl_act_end(acl, acts);
    if (handle != 0) {
        (void)api->close(api->self, handle);
    }
    if (code != API_OK) {
        return api_fault(fault, code, "give it another owner: icacls PATH /setowner",
                         "taking %s over from the job's principal, which could take a denial back",
                         target->path);
    }
    err = acl_read(acl, object->handle, target->path, &acl->before, fault);
    if (err == CORDON_OK && sid_equal(&acl->before.owner, &acl->principal)) {
        return fault_set(fault, CORDON_E_STATE, NULL, "the owner of %s did not change",
                         target->path);
    }
    return err;
}

/* A link is denied itself: nothing lies below it. A key has keys in it and no other objects. */
static uint8_t flags_for(const struct acl_target *target, const struct api_info *info)
{
    if (!info->container || info->reparse || target->alone) {
        return 0;
    }
    return target->object == API_KEY ? SD_CONTAINER_INHERIT : SD_TREE;
}

/* Whether adding would do nothing, found out on a copy. */
static bool stands_already(struct acl *acl, const struct sd_ace *ace)
{
    bool added = true;

    sd_copy(&acl->after, &acl->before);
    return sd_add(&acl->after, ace, &added) == CORDON_OK && !added;
}

enum cordon_err acl_open(struct acl *acl, const struct acl_target *target,
                         struct acl_object *ret_object, struct cordon_fault *fault)
{
    struct acl_object object = {0};
    enum cordon_err err;
    uint32_t code;

    err = is_root(target->object, target->path) ? refuse_root(target, fault)
                                                : open_as(acl, target, &object.handle, fault);
    if (err != CORDON_OK) {
        return err;
    }
    code = acl->api->info(acl->api->self, target->object, object.handle, &object.info);
    err = code == API_OK ? check_place(acl, target, &object, fault)
                         : api_fault(fault, code, NULL, "looking at %s", target->path);
    if (err == CORDON_OK) {
        err = acl_read(acl, object.handle, target->path, &acl->before, fault);
    }
    if (err == CORDON_OK) {
        err = check_object(acl, target, &object, fault);
    }
    if (err == CORDON_OK && target->type == SD_DENIED &&
        sid_equal(&acl->before.owner, &acl->principal)) {
        err = take_over(acl, target, &object, fault);
    }
    if (err != CORDON_OK) {
        acl_close(acl, &object);
        return err;
    }
    object.ace.type = target->type;
    object.ace.flags = flags_for(target, &object.info);
    object.ace.mask = target->mask;
    object.ace.sid = acl->principal;
    object.present = stands_already(acl, &object.ace);
    *ret_object = object;
    return CORDON_OK;
}

void acl_close(struct acl *acl, struct acl_object *object)
{
    if (object->handle != 0) {
        (void)acl->api->close(acl->api->self, object->handle);
        object->handle = 0;
    }
}

/* ---- changing ---- */

/* The next explicit entry from byte *@at on; its bytes and their count. */
static const uint8_t *next_explicit(const struct sd *sd, uint32_t *at, uint32_t *ret_len)
{
    struct sd_ace ace;

    for (uint32_t from = *at; sd_next(sd, at, &ace); from = *at) {
        if ((ace.flags & SD_INHERITED) == 0) {
            *ret_len = *at - from;
            return sd->aces + from;
        }
    }
    return NULL;
}

/*
 * Every explicit entry must be as it was meant to be. Inherited ones are the system's: it makes
 * them anew from the parent when a list is set, which differs where an object was moved here.
 */
static bool same_explicit(const struct sd *a, const struct sd *b)
{
    uint32_t at_a = 0, at_b = 0, len_a = 0, len_b = 0;
    const uint8_t *one, *two;

    do {
        one = next_explicit(a, &at_a, &len_a);
        two = next_explicit(b, &at_b, &len_b);
        if ((one == NULL) != (two == NULL) ||
            (one != NULL && (len_a != len_b || memcmp(one, two, len_a) != 0))) {
            return false;
        }
    } while (one != NULL);
    return a->dacl == b->dacl;
}

/* Writes @acl->after and reads the list back into @acl->before. */
static enum cordon_err write_list(struct acl *acl, const struct acl_target *target,
                                  const struct acl_object *object, struct cordon_fault *fault)
{
    const char *path = target->path;
    enum cordon_err err;
    uint32_t code;
    size_t len;

    err = sd_write(&acl->after, acl->bytes, sizeof(acl->bytes), &len);
    if (err != CORDON_OK) {
        return fault_set(fault, err, NULL, "the access list of %s is too long", path);
    }
    code = acl->api->set_security(acl->api->self, target->object, object->handle, acl->bytes, len,
                                  (object->ace.flags & SD_TREE) != 0);
    if (code != API_OK) {
        return api_fault(fault, code, NULL, "changing the access list of %s", path);
    }
    err = acl_read(acl, object->handle, path, &acl->before, fault);
    if (err == CORDON_OK && !same_explicit(&acl->before, &acl->after)) {
        return fault_set(fault, CORDON_E_STATE, "use a file system that keeps access lists (NTFS)",
                         "the access list of %s did not stick: what was set is not what is there",
                         path);
    }
    return err;
}

/* With the list in @acl->before, and in @acl->bytes as it was read. */
static enum cordon_err check_effect(struct acl *acl, const struct acl_target *target,
                                    struct cordon_fault *fault)
{
    const struct sd_mapping *mapping = acl_mapping(target->object);
    uint32_t granted, code;
    size_t len;

    if (target->type == SD_DENIED &&
        !sd_denies(&acl->before, &acl->principal, target->mask, mapping)) {
        return fault_set(fault, CORDON_E_STATE, NULL, "the denial on %s does not take effect",
                         target->path);
    }
    if (acl->token == 0) {
        return CORDON_OK;
    }
    code = sd_write(&acl->before, acl->bytes, sizeof(acl->bytes), &len) == CORDON_OK
               ? acl->api->granted(acl->api->self, acl->token, target->object, acl->bytes, len,
                                   &granted)
               : (uint32_t)API_INSUFFICIENT_BUFFER;
    if (code != API_OK) {
        return api_fault(fault, code, NULL, "checking what a job may do with %s", target->path);
    }
    if (target->type == SD_DENIED && (granted & target->mask) != 0) {
        return fault_set(fault, CORDON_E_STATE, NULL,
                         "the system would still grant 0x%x of what is denied on %s",
                         (unsigned)(granted & target->mask), target->path);
    }
    /* What a denial of our own takes from a grant is meant to be taken. */
    if (target->type == SD_ALLOWED &&
        !sd_denies(&acl->before, &acl->principal, target->mask & ~granted, mapping)) {
        return fault_set(fault, CORDON_E_STATE, "a denial for a group of the job's stands there",
                         "the system would not grant 0x%x of what is granted on %s",
                         (unsigned)(target->mask & ~granted), target->path);
    }
    return CORDON_OK;
}

enum cordon_err acl_set(struct acl *acl, const struct acl_target *target,
                        const struct acl_object *object, struct cordon_fault *fault)
{
    bool added = false;
    enum cordon_err err = acl_read(acl, object->handle, target->path, &acl->before, fault);

    if (err != CORDON_OK) {
        return err;
    }
    sd_copy(&acl->after, &acl->before);
    err = sd_add(&acl->after, &object->ace, &added);
    if (err != CORDON_OK) {
        return fault_set(fault, err, NULL, "the access list of %s takes no more entries",
                         target->path);
    }
    if (added) {
        err = write_list(acl, target, object, fault);
    }
    return err == CORDON_OK ? check_effect(acl, target, fault) : err;
}

enum cordon_err acl_remove(struct acl *acl, const struct acl_target *target,
                           const struct acl_object *object, struct cordon_fault *fault)
{
    enum cordon_err err = acl_read(acl, object->handle, target->path, &acl->before, fault);

    if (err != CORDON_OK) {
        return err;
    }
    sd_copy(&acl->after, &acl->before);
    return sd_remove(&acl->after, &object->ace) ? write_list(acl, target, object, fault)
                                                : CORDON_OK;
}

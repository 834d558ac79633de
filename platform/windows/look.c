/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/look_parts.h"

#include <stdio.h>
#include <string.h>

/* Codes of a place that leads nowhere, besides those that api_is_absent() knows: a drive without a
 * medium, a volume that is none or locked, a server or share that is away, a component that is no
 * directory, links in a circle. What is not there cannot be read either; who denies it has it made,
 * and is refused where that fails. */
static const uint32_t nowhere[] = {
    21U,         /* ERROR_NOT_READY */
    53U,         /* ERROR_BAD_NETPATH */
    67U,         /* ERROR_BAD_NET_NAME */
    267U,        /* ERROR_DIRECTORY */
    1005U,       /* ERROR_UNRECOGNIZED_VOLUME */
    1921U,       /* ERROR_CANT_RESOLVE_FILENAME */
    0x80310000U, /* FVE_E_LOCKED_VOLUME */
};

#define CANT_ACCESS_FILE 1920U /* a reparse point that nobody follows */

bool look_leads_nowhere(uint32_t code)
{
    for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
        if (nowhere[i] == code) {
            return true;
        }
    }
    return api_is_absent(code);
}

uint32_t look_open(struct look *look, const struct api_open *how, bool named, struct seen *ret_seen,
                   api_handle *ret_handle)
{
    const struct api *api = look->api;
    api_handle handle;
    uint32_t code = api->open(api->self, how, &handle);

    if (code != API_OK) {
        return code;
    }
    code = api->info(api->self, API_FILE, handle, &ret_seen->info);
    ret_seen->path = NULL;
    if (code == API_OK && named) {
        code = api->path(api->self, API_FILE, handle, look->found, sizeof(look->found));
        ret_seen->path = look->found;
    }
    if (code != API_OK || ret_handle == NULL) {
        (void)api->close(api->self, handle);
    } else {
        *ret_handle = handle;
    }
    return code;
}

bool look_is_link(struct look *look, const struct api_open *how, const struct api_info *itself,
                  struct seen *ret_seen, uint32_t *ret_code)
{
    struct api_open followed = *how;
    struct seen seen;

    *ret_code = API_OK;
    if (!itself->reparse) {
        return false;
    }
    followed.follow = true;
    *ret_code = look_open(look, &followed, true, &seen, NULL);
    if (*ret_code == CANT_ACCESS_FILE ||
        (*ret_code == API_OK && api_same_id(&seen.info.id, &itself->id))) {
        *ret_code = API_OK; /* a file in a cloud, an alias of an app: the object is itself */
        return false;
    }
    if (*ret_code == API_OK) {
        *ret_seen = seen;
    }
    return true;
}

/* ---- the reader ---- */

static enum cordon_err of_code(uint32_t code, const char *path, struct cordon_fault *fault)
{
    if (look_leads_nowhere(code)) {
        return CORDON_E_NOT_FOUND;
    }
    if (code == API_ACCESS_DENIED) {
        return CORDON_E_DENIED;
    }
    return code == API_OK ? CORDON_OK : api_fault(fault, code, NULL, "looking at %s", path);
}

static struct win_entry entry_of(const struct seen *seen)
{
    return (struct win_entry){.object = seen->info.container ? PLAN_DIRECTORY : PLAN_FILE,
                              .volume = seen->info.id.volume,
                              .file = seen->info.id.file};
}

/* One name of the directory behind @dir. */
static enum cordon_err visit_name(struct look *look, api_handle dir, const char *name,
                                  win_visit *visit, void *context, struct cordon_fault *fault)
{
    const struct api_open how = {
        .object = API_FILE, .parent = dir, .name = name, .access = LOOK_AT};
    struct win_entry entry = {.object = PLAN_DIRECTORY};
    struct seen seen, behind;
    uint32_t code = look_open(look, &how, false, &seen, NULL);

    if (look_leads_nowhere(code)) {
        return CORDON_OK; /* it vanished */
    }
    if (code != API_OK && code != API_ACCESS_DENIED) {
        return api_fault(fault, code, NULL, "looking at a name there: %s", name);
    }
    /* What may not even be looked at is taken for a directory: who tries to list it says so. */
    if (code == API_OK) {
        entry = entry_of(&seen);
        if (look_is_link(look, &how, &seen.info, &behind, &code)) {
            /* Where it leads may be unknown: the scan does not go on then as if it were. */
            entry =
                code == API_OK ? entry_of(&behind) : (struct win_entry){.object = PLAN_DIRECTORY};
            entry.object = look_leads_nowhere(code) ? PLAN_MISSING : entry.object;
            entry.target = code == API_OK ? behind.path : NULL;
            entry.link = true;
        }
        if (code != API_OK && code != API_ACCESS_DENIED && !look_leads_nowhere(code)) {
            return api_fault(fault, code, NULL, "looking where a link leads: %s", name);
        }
    }
    entry.name = name;
    return visit(context, &entry);
}

static enum cordon_err list_open(struct look *look, api_handle dir, const char *path,
                                 win_visit *visit, void *context, struct cordon_fault *fault)
{
    const struct api *api = look->api;
    char name[API_NAME_MAX];
    enum cordon_err err = CORDON_OK;

    for (uint32_t i = 0; err == CORDON_OK; i++) {
        const uint32_t code = api->next(api->self, API_FILE, dir, i, name);

        if (code == API_NO_MORE_FILES) {
            break;
        }
        err = code == API_OK ? visit_name(look, dir, name, visit, context, fault)
                             : api_fault(fault, code, NULL, "listing %s", path);
    }
    return err;
}

static enum cordon_err list_directory(struct look *look, const char *path, win_visit *visit,
                                      void *context, struct cordon_fault *fault)
{
    const struct api_open how = {
        .object = API_FILE, .name = path, .access = LOOK_LIST, .follow = true};
    struct seen seen;
    api_handle dir = 0;
    enum cordon_err err = of_code(look_open(look, &how, false, &seen, &dir), path, fault);

    if (err != CORDON_OK) {
        return err;
    }
    err = seen.info.container ? list_open(look, dir, path, visit, context, fault)
                              : CORDON_E_NOT_FOUND;
    (void)look->api->close(look->api->self, dir);
    return err;
}

/* By its letter each: there is no list that is the caller's own. */
static enum cordon_err list_volumes(struct look *look, win_visit *visit, void *context,
                                    struct cordon_fault *fault)
{
    enum cordon_err err = CORDON_OK;

    for (char letter = 'A'; err == CORDON_OK && letter <= 'Z'; letter++) {
        const char root[] = {letter, ':', '\\', '\0'}, name[] = {letter, ':', '\0'};
        const struct api_open how = {
            .object = API_FILE, .name = root, .access = LOOK_AT, .follow = true};
        struct win_entry entry = {.object = PLAN_DIRECTORY, .name = name};
        struct seen seen;

        err = of_code(look_open(look, &how, true, &seen, NULL), root, fault);
        if (err == CORDON_E_NOT_FOUND) {
            err = CORDON_OK;
            continue;
        }
        if (err == CORDON_OK) {
            entry = entry_of(&seen);
            entry.name = name;
            entry.link = strcmp(seen.path, root) != 0; /* a letter for a folder, or for a share */
            entry.target = entry.link ? seen.path : NULL;
        }
        err = err == CORDON_OK || err == CORDON_E_DENIED ? visit(context, &entry) : err;
    }
    return err;
}

static enum cordon_err act(const struct look *look, bool *ret_acts, struct cordon_fault *fault)
{
    const uint32_t code = api_act(look->api, look->caller, ret_acts);

    return code == API_OK ? CORDON_OK : api_fault(fault, code, NULL, "acting as the caller");
}

static enum cordon_err list(void *self, const char *path, win_visit *visit, void *context,
                            struct cordon_fault *fault)
{
    struct look *look = self;
    bool acts;
    enum cordon_err err = act(look, &acts, fault);

    if (err == CORDON_OK) {
        err = path[0] == '\0' ? list_volumes(look, visit, context, fault)
                              : list_directory(look, path, visit, context, fault);
        api_act_end(look->api, acts);
    }
    return err;
}

enum cordon_err look_place(struct look *look, const char *path, struct arena *arena,
                           struct win_entry *ret_entry, struct cordon_fault *fault)
{
    const struct api_open how = {
        .object = API_FILE, .name = path, .access = LOOK_AT, .follow = true};
    struct seen seen;
    enum cordon_err err = of_code(look_open(look, &how, true, &seen, NULL), path, fault);

    if (err != CORDON_OK) {
        return err;
    }
    *ret_entry = entry_of(&seen);
    ret_entry->target = arena_strdup(arena, seen.path);
    return ret_entry->target != NULL
               ? CORDON_OK
               : fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory for a path");
}

static enum cordon_err look_at(void *self, const char *path, struct arena *arena,
                               struct win_entry *ret_entry, struct cordon_fault *fault)
{
    struct look *look = self;
    bool acts;
    enum cordon_err err = act(look, &acts, fault);

    if (err == CORDON_OK) {
        err = look_place(look, path, arena, ret_entry, fault);
        api_act_end(look->api, acts);
    }
    return err;
}

static bool is_late(void *self)
{
    const struct look *look = self;

    return look->api->now_ms(look->api->self) > look->deadline_ms;
}

void look_init(struct look *look, const struct api *api, api_handle caller, uint32_t allowed_ms)
{
    look->api = api;
    look->caller = caller;
    look->deadline_ms = api->now_ms(api->self) + allowed_ms;
    look->tree =
        (struct win_tree){.context = look, .list = list, .look = look_at, .is_late = is_late};
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "platform/windows/state_parts.h"

#define INVALID_PARAMETER 87U /* what some file systems say of an id that is no more */

void state_give_up(struct state *state)
{
    for (size_t i = 0; i < state->row_count; i++) {
        struct state_row *row = &state->rows[i];

        if (row->phase == STATE_WANTED && !state_is_made(row)) {
            row->phase = STATE_DROPPED;
        }
    }
}

/* ---- entries ---- */

static bool has_other_id(const struct journal_record *record, const struct api_info *info)
{
    return api_has_id(&record->id) && !api_same_id(&record->id, &info->id);
}

/*
 * By path, if that is still the object; else by id. API_FILE_NOT_FOUND: the object is no more. A
 * volume that is not there (API_PATH_NOT_FOUND of open_id) may come back with the entry on it.
 */
static uint32_t find_object(struct state *state, const struct journal_record *record,
                            struct acl_object *object)
{
    const struct api *api = state->config.api;
    const struct api_open how = {.object = record->object,
                                 .name = record->path,
                                 .access = acl_access(ACL_EDIT, record->object)};
    uint32_t code = api->open(api->self, &how, &object->handle);

    if (code == API_OK) {
        code = api->info(api->self, record->object, object->handle, &object->info);
        if (code != API_OK || !has_other_id(record, &object->info)) {
            return code;
        }
        acl_close(state->acl, object);
    } else if (!api_is_absent(code)) {
        return code;
    }
    if (!api_has_id(&record->id)) {
        return API_FILE_NOT_FOUND;
    }
    code = api->open_id(api->self, record->path, &record->id, acl_access(ACL_EDIT, API_FILE),
                        &object->handle);
    return code == INVALID_PARAMETER ? (uint32_t)API_FILE_NOT_FOUND : code;
}

static enum cordon_err take_off(struct state *state, const struct state_row *row,
                                struct cordon_fault *fault)
{
    const struct acl_target target = {.object = row->is.object, .path = row->is.path};
    struct acl_object object = {.ace = row->is.ace};
    enum cordon_err err;
    uint32_t code;

    if (row->is.kept || state_wanted_elsewhere(state, row) ||
        !sid_is_of(&row->is.ace.sid, &state->config.domain)) {
        return CORDON_OK;
    }
    code = find_object(state, &row->is, &object);
    if (code == API_FILE_NOT_FOUND) {
        return CORDON_OK;
    }
    err = code == API_OK ? acl_remove(state->acl, &target, &object, fault)
                         : api_fault(fault, code, NULL, "opening %s", row->is.path);
    acl_close(state->acl, &object);
    return err;
}

/* ---- what was made ---- */

static bool is_needed(const struct state *state, const struct state_row *made)
{
    for (size_t i = 0; i < state->row_count; i++) {
        const struct state_row *row = &state->rows[i];

        /* What could not be removed yet will be missed if its folder is given up as in use. */
        if (row != made && (state_is_made(row) || row->phase != STATE_DROPPED) &&
            row->is.object == made->is.object && state_is_at(row->is.path, made->is.path)) {
            return true;
        }
    }
    return false;
}

/* Only what is still as it was made; anything else is somebody's by now. */
static enum cordon_err unmake(struct state *state, const struct state_row *made,
                              struct cordon_fault *fault)
{
    const struct api *api = state->config.api;
    const struct api_open how = {.object = made->is.object,
                                 .name = made->is.path,
                                 .access = acl_access(ACL_ERASE, made->is.object)};
    struct acl_object object = {0};
    uint32_t code = api->open(api->self, &how, &object.handle);

    if (api_is_absent(code)) {
        return CORDON_OK;
    }
    if (code == API_OK) {
        code = api->info(api->self, made->is.object, object.handle, &object.info);
    }
    if (code == API_OK && !object.info.reparse && object.info.links <= 1 && object.info.empty &&
        !has_other_id(&made->is, &object.info)) {
        code = api->erase(api->self, made->is.object, object.handle);
    }
    acl_close(state->acl, &object);
    return code == API_OK || code == API_DIR_NOT_EMPTY
               ? CORDON_OK
               : api_fault(fault, code, NULL, "removing %s, which was made for a denial",
                           made->is.path);
}

/* ---- all of it ---- */

/* The longest path first, so that a folder is empty when its turn comes. */
static struct state_row *next_made(struct state *state)
{
    struct state_row *found = NULL;

    for (size_t i = 0; i < state->row_count; i++) {
        struct state_row *row = &state->rows[i];

        if (state_is_made(row) && row->tried != state->settling && !is_needed(state, row) &&
            (found == NULL || strlen(row->is.path) > strlen(found->is.path))) {
            found = row;
        }
    }
    return found;
}

static struct state_row *next_dropped(struct state *state)
{
    for (size_t i = 0; i < state->row_count; i++) {
        struct state_row *row = &state->rows[i];

        if (!state_is_made(row) && row->phase == STATE_DROPPED && row->tried != state->settling) {
            return row;
        }
    }
    return NULL;
}

void state_settle(struct state *state)
{
    struct state_row *row;

    state->settling++;
    while ((row = next_dropped(state)) != NULL || (row = next_made(state)) != NULL) {
        const bool made = state_is_made(row);
        struct cordon_fault fault = {0};
        enum cordon_err err;

        row->tried = state->settling;
        err = made ? unmake(state, row, &fault) : take_off(state, row, &fault);
        if (err == CORDON_OK) {
            /* Lost, this line costs one look at the next start. */
            err = state_commit_one(state, made ? JOURNAL_UNMADE : JOURNAL_GONE, &row->is, false,
                                   &fault);
        }
        if (err != CORDON_OK) {
            state_notice(state, &fault);
        }
    }
}

/* ---- without a journal ---- */

struct scan {
    struct state *state;
    enum api_object object;
    bool found; /* an entry of ours, on the object looked at last */
};

/* Every explicit entry of our domain becomes a row that nobody wants. */
static enum cordon_err scan_list(void *context, const char *path, const struct api_info *info,
                                 const struct sd *sd, bool *ret_below)
{
    struct scan *scan = context;
    struct journal_record record = {.verb = JOURNAL_DROP,
                                    .object = scan->object,
                                    .id = info->id,
                                    .holder = "",
                                    .via = "",
                                    .path = path};

    scan->found = false;
    for (uint32_t at = 0; sd_next(sd, &at, &record.ace);) {
        if (record.ace.type <= SD_DENIED && (record.ace.flags & SD_INHERITED) == 0 &&
            sid_is_of(&record.ace.sid, &scan->state->config.domain)) {
            state_take(scan->state, &record);
            scan->found = true;
        }
    }
    *ret_below = true;
    return CORDON_OK;
}

/* Looks at the object at @path, and with @below at everything below it. */
static void scan_path(struct scan *scan, const char *path, bool below)
{
    struct state *state = scan->state;
    const struct api *api = state->config.api;
    struct acl_walk walk = state_walk(state, scan->object);
    const struct api_open how = {
        .object = scan->object, .name = path, .access = acl_access(ACL_EDIT, scan->object)};
    struct acl_object object = {0};
    struct cordon_fault fault = {0};
    uint32_t code = api->open(api->self, &how, &object.handle);
    enum cordon_err err;

    walk.visit = scan_list;
    walk.context = scan;
    scan->found = false;
    if (api_is_absent(code)) {
        return;
    }
    if (code == API_OK) {
        code = api->info(api->self, scan->object, object.handle, &object.info);
    }
    err = code == API_OK ? acl_read(state->acl, object.handle, path, &state->acl->before, &fault)
                         : api_fault(&fault, code, NULL, "looking for entries on %s", path);
    if (err == CORDON_OK) {
        err = scan_list(scan, path, &object.info, &state->acl->before, &(bool){false});
    }
    if (err == CORDON_OK && below && object.info.container && !object.info.reparse) {
        err = acl_below(state->acl, &walk, object.handle, path, &fault);
    }
    acl_close(state->acl, &object);
    if (err != CORDON_OK) {
        state_notice(state, &fault);
    }
}

/* What a good line among bad ones names is looked at, and nothing it says is believed; that an
 * object was made for us only where it carries an entry of ours. */
static void scan_hint(void *context, const struct journal_record *record)
{
    struct scan *scan = context;

    scan->object = record->object;
    scan_path(scan, record->path, false);
    if (record->verb == JOURNAL_MADE && scan->found) {
        state_take(scan->state, record);
    }
}

void state_rescan(struct state *state, char *journal, size_t len)
{
    struct scan scan = {.state = state};
    struct journal_report report;

    if (journal != NULL) {
        journal_read(journal, len, scan_hint, &scan, &report);
    }
    scan.object = state->config.root_object;
    for (size_t i = 0; i < state->config.root_count; i++) {
        scan_path(&scan, state->config.roots[i], true);
    }
}

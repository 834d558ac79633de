/* SPDX-License-Identifier: Apache-2.0 */
/* What lies below a denied folder and does not inherit the denial. */
#include <stdlib.h>
#include <string.h>

#include "platform/windows/apply_parts.h"

/* Whether @row is what an earlier apply found below this target. */
static bool is_below(const struct state_row *row, const struct acl_target *target)
{
    return strcmp(row->is.via, target->path) == 0 && row->is.object == target->object &&
           row->is.ace.type == target->type && row->is.ace.mask == target->mask;
}

/* Whether a rule of the request grants again what is at @path, or lies above it. */
static bool is_reopened(const struct apply *apply, const struct acl_target *denied,
                        const char *path)
{
    for (size_t i = 0; i < apply->request->target_count; i++) {
        const struct acl_target *target = &apply->request->targets[i].acl;

        if (target->type == SD_ALLOWED && target->object == denied->object &&
            (target->mask & denied->mask) != 0 &&
            state_is_at(path, target->resolved != NULL ? target->resolved : target->path)) {
            return true;
        }
    }
    return false;
}

bool apply_known_below(struct apply *apply, const struct acl_target *target)
{
    const struct state *state = apply->state;

    for (size_t i = 0; i < state->row_count; i++) {
        const struct state_row *row = &state->rows[i];
        struct piece piece = {.target = *target, .missing = STATE_SKIP, .via = row->is.via};

        piece.target.path = row->is.path;
        piece.target.resolved = NULL;
        piece.target.link = true; /* whatever it is by now: the walk found it by this name */
        if (row->phase == STATE_HELD && is_below(row, target) && apply_owns(apply, row) &&
            !is_reopened(apply, target, row->is.path) && !apply_add(apply, &piece)) {
            return false;
        }
    }
    return true;
}

/* Whether a job could still do there what is denied above. */
static enum cordon_err is_open(struct apply *apply, const struct sd *sd, bool *ret_open)
{
    struct acl *acl = apply->state->acl;
    const struct acl_target *target = &apply->above->target;
    uint32_t granted, code;
    size_t len;

    *ret_open = !sd_denies(sd, &acl->principal, target->mask, acl_mapping(target->object));
    if (!*ret_open || acl->token == 0 ||
        sd_write(sd, acl->bytes, sizeof(acl->bytes), &len) != CORDON_OK) {
        return CORDON_OK;
    }
    code = acl->api->granted(acl->api->self, acl->token, target->object, acl->bytes, len, &granted);
    *ret_open = code != API_OK || (granted & target->mask) != 0;
    return code == API_OK ? CORDON_OK
                          : api_fault(apply->fault, code, NULL,
                                      "checking what a job may do below %s", target->path);
}

static bool is_object(const struct piece *piece, const char *path, const struct api_info *info)
{
    return api_has_id(&info->id) ? api_same_id(&info->id, &piece->object.info.id)
                                 : acl_same_path(piece->target.path, path);
}

/*
 * Below a denied folder a rule may grant something again: that is a target of its own, and has been
 * opened. Only where it grants what is denied: what may be read again may still not be written.
 */
static bool is_granted(const struct apply *apply, const char *path, const struct api_info *info)
{
    const struct acl_target *above = &apply->above->target;

    for (size_t i = 0; i < apply->count; i++) {
        const struct piece *piece = &apply->pieces[i];

        if (piece->target.type == SD_ALLOWED && piece->target.object == above->object &&
            (piece->target.mask & above->mask) != 0 && !piece->skipped &&
            is_object(piece, path, info)) {
            return true;
        }
    }
    return false;
}

/* Whether the denial stands there by itself already, for another holder or by another name: this
 * one must not lose it with him. */
static bool is_shared(const struct apply *apply, const struct sd *sd)
{
    const struct acl_target *above = &apply->above->target;
    struct sd_ace ace;

    for (uint32_t at = 0; sd_next(sd, &at, &ace);) {
        if (ace.type == SD_DENIED && ace.mask == above->mask && (ace.flags & SD_INHERITED) == 0 &&
            sid_equal(&ace.sid, &apply->request->principal)) {
            return true;
        }
    }
    return false;
}

static enum cordon_err visit(void *context, const char *path, const struct api_info *info,
                             const struct sd *sd, bool *ret_below)
{
    struct apply *apply = context;
    struct piece piece = {.target = apply->above->target, .missing = STATE_SKIP};
    bool open, shared;
    enum cordon_err err;

    *ret_below = false;
    if (is_granted(apply, path, info)) {
        return CORDON_OK;
    }
    shared = is_shared(apply, sd);
    err = is_open(apply, sd, &open);
    /* What gets the entry itself is looked below by itself. */
    *ret_below = !open && !shared;
    if (err != CORDON_OK || !(open || shared)) {
        return err;
    }
    piece.via = apply->above->via[0] == '\0' ? apply->above->target.path : apply->above->via;
    piece.owned = state_copy(path);
    if (piece.owned == NULL) {
        return apply_no_memory(apply);
    }
    piece.target.path = piece.owned;
    piece.target.resolved = NULL;
    piece.target.link = true; /* a junction there is denied itself */
    if (!apply_add(apply, &piece)) {
        free(piece.owned);
        return apply_no_memory(apply);
    }
    return CORDON_OK;
}

enum cordon_err apply_below(struct apply *apply, size_t index)
{
    const struct api *api = apply->state->config.api;
    /* A copy: the pieces move when they grow. */
    const struct piece above = apply->pieces[index];
    char *found = (char *)apply->state->acl->bytes; /* the walk takes a copy */
    struct acl_walk walk;
    uint32_t code;

    if (!(above.fresh || apply->narrowed) || above.target.type != SD_DENIED ||
        (above.object.ace.flags & SD_TREE) == 0) {
        return CORDON_OK;
    }
    apply->above = &above;
    walk = state_walk(apply->state, above.target.object);
    walk.visit = visit;
    walk.context = apply;
    /* By its own name: what is found below lies there, whatever the target is named by. */
    code = api->path(api->self, walk.object, above.object.handle, found,
                     sizeof(apply->state->acl->bytes));
    return code == API_OK
               ? acl_below(apply->state->acl, &walk, above.object.handle, found, apply->fault)
               : api_fault(apply->fault, code, NULL, "asking where %s lies", above.target.path);
}

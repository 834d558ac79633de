/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "platform/windows/state_parts.h"

/* One object of an apply, held open until its end. */
struct piece {
    struct acl_target target;
    enum state_missing missing;
    const char *via; /* of what was found below: the path that was asked for; else "" */
    char *owned;     /* target.path where it is our copy; else NULL */
    bool skipped;    /* it is missing, and may be */
    bool fresh;      /* what lies below is to be looked at */
    struct acl_object object;
};

struct apply {
    struct state *state;
    const struct state_request *request;
    struct cordon_fault *fault;
    struct piece *pieces;
    size_t count, size;
    const char **places;       /* paths of the request's denials */
    const struct piece *above; /* whose below is being looked at */
    bool nomem;
};

static enum cordon_err no_memory(struct apply *apply)
{
    return fault_set(apply->fault, CORDON_E_NOMEM, NULL, "no memory to apply access lists");
}

static struct journal_record record_of(const struct apply *apply, const struct piece *piece)
{
    return (struct journal_record){.verb = JOURNAL_WANT,
                                   .object = piece->target.object,
                                   .ace = piece->object.ace,
                                   .id = piece->object.info.id,
                                   .holder = apply->request->holder,
                                   .via = piece->via,
                                   .path = piece->target.path};
}

static bool add_piece(struct apply *apply, const struct piece *piece)
{
    if (apply->count == apply->size) {
        const size_t size = apply->size == 0 ? 32 : apply->size * 2;
        struct piece *pieces = realloc(apply->pieces, size * sizeof(*pieces));

        if (pieces == NULL) {
            apply->nomem = true;
            return false;
        }
        apply->pieces = pieces;
        apply->size = size;
    }
    apply->pieces[apply->count++] = *piece;
    return true;
}

/* ---- what it is about ---- */

/* Whether @row is what an earlier apply found below this target. */
static bool is_below(const struct state_row *row, const struct acl_target *target)
{
    return strcmp(row->is.via, target->path) == 0 && row->is.object == target->object &&
           row->is.ace.type == target->type && row->is.ace.mask == target->mask;
}

static bool add_known_below(struct apply *apply, const struct acl_target *target)
{
    const struct state *state = apply->state;

    for (size_t i = 0; i < state->row_count; i++) {
        const struct state_row *row = &state->rows[i];
        struct piece piece = {.target = *target, .missing = STATE_SKIP, .via = row->is.via};

        piece.target.path = row->is.path;
        piece.target.resolved = NULL;
        piece.target.link = true; /* whatever it is by now: the walk found it by this name */
        if (row->phase == STATE_HELD && is_below(row, target) &&
            strcmp(row->is.holder, apply->request->holder) == 0 &&
            sid_equal(&row->is.ace.sid, &apply->request->principal) && !add_piece(apply, &piece)) {
            return false;
        }
    }
    return true;
}

static enum cordon_err list_places(struct apply *apply)
{
    const struct state_request *request = apply->request;
    struct acl *acl = apply->state->acl;

    apply->places = calloc(request->target_count + 1, sizeof(*apply->places));
    if (apply->places == NULL) {
        return no_memory(apply);
    }
    for (size_t i = 0; i < request->target_count; i++) {
        if (request->targets[i].acl.type == SD_DENIED) {
            apply->places[acl->place_count++] = request->targets[i].acl.path;
        }
    }
    acl->places = apply->places;
    return CORDON_OK;
}

static enum cordon_err collect(struct apply *apply)
{
    const struct state_request *request = apply->request;

    if (!sid_is_of(&request->principal, &apply->state->config.domain) ||
        request->holder[0] == '\0') {
        return fault_set(apply->fault, CORDON_E_INVALID, NULL,
                         "entries are for principals of the service alone");
    }
    for (size_t i = 0; i < request->target_count; i++) {
        const struct piece piece = {
            .target = request->targets[i].acl, .missing = request->targets[i].missing, .via = ""};

        if (!add_piece(apply, &piece) || !add_known_below(apply, &piece.target)) {
            return no_memory(apply);
        }
    }
    return CORDON_OK;
}

/* ---- opening, and making what is missing ---- */

static uint32_t make_as(struct apply *apply, const struct piece *piece,
                        const struct journal_record *made, api_handle *ret_handle)
{
    const struct api *api = apply->state->config.api;
    const bool as_caller = apply->request->caller != 0 && !piece->target.managed;
    uint32_t code = as_caller ? api->impersonate(api->self, apply->request->caller) : API_OK;

    if (code != API_OK) {
        return code;
    }
    code = api->make(api->self, made->object, made->path, made->ace.flags != 0, ret_handle);
    if (as_caller && api->revert(api->self) != API_OK) {
        abort(); /* as in acl.c */
    }
    return code;
}

/* Makes one object; *@ret_code is that of the call that makes it. */
static enum cordon_err make_one(struct apply *apply, const struct piece *piece,
                                struct journal_record *made, uint32_t *ret_code)
{
    const struct api *api = apply->state->config.api;
    api_handle handle = 0;
    struct api_info info = {0};
    enum cordon_err err = state_commit_one(apply->state, JOURNAL_MAKE, made, true, apply->fault);

    if (err != CORDON_OK) {
        return err;
    }
    *ret_code = make_as(apply, piece, made, &handle);
    if (*ret_code != API_OK) {
        return state_commit_one(apply->state, JOURNAL_UNMADE, made, false, apply->fault);
    }
    *ret_code = api->info(api->self, made->object, handle, &info);
    (void)api->close(api->self, handle);
    made->id = info.id;
    return state_commit_one(apply->state, JOURNAL_MADE, made, false, apply->fault);
}

static enum cordon_err make_path(struct apply *apply, const struct piece *piece, const char *path,
                                 bool container)
{
    struct journal_record made = {.object = piece->target.object,
                                  .holder = "",
                                  .via = "",
                                  .path = path,
                                  .ace.flags = container ? SD_CONTAINER_INHERIT : 0};
    const char *cut = strrchr(path, '\\');
    uint32_t code = API_OK;
    enum cordon_err err = make_one(apply, piece, &made, &code);
    char *parent;

    if (err == CORDON_OK && code == API_PATH_NOT_FOUND && cut != NULL && cut != path) {
        parent = malloc((size_t)(cut - path) + 1);
        if (parent == NULL) {
            return no_memory(apply);
        }
        memcpy(parent, path, (size_t)(cut - path));
        parent[cut - path] = '\0';
        err = make_path(apply, piece, parent, true);
        free(parent);
        if (err == CORDON_OK) {
            err = make_one(apply, piece, &made, &code);
        }
    }
    if (err != CORDON_OK || code == API_OK || code == API_ALREADY_EXISTS ||
        code == API_FILE_EXISTS) {
        return err;
    }
    return api_fault(apply->fault, code, NULL, "making %s, which is missing and denied", path);
}

static enum cordon_err open_piece(struct apply *apply, struct piece *piece)
{
    struct acl *acl = apply->state->acl;
    enum cordon_err err = acl_open(acl, &piece->target, &piece->object, apply->fault);

    if (err != CORDON_E_NOT_FOUND || piece->missing == STATE_REFUSE) {
        return err;
    }
    if (piece->missing == STATE_SKIP) {
        piece->skipped = true;
        return CORDON_OK;
    }
    err = make_path(apply, piece, piece->target.path, piece->missing == STATE_MAKE_CONTAINER);
    return err == CORDON_OK ? acl_open(acl, &piece->target, &piece->object, apply->fault) : err;
}

/* ---- the entries ---- */

/* Whether what stands there already was not ours to begin with. */
static bool is_foreign(const struct apply *apply, const struct journal_record *record)
{
    const struct state *state = apply->state;

    for (size_t i = 0; i < state->row_count; i++) {
        if (!state_is_made(&state->rows[i]) && state_same_entry(&state->rows[i].is, record)) {
            return state->rows[i].is.kept;
        }
    }
    return true;
}

/* Writes down what is about to be put on, before any of it is. */
static enum cordon_err announce(struct apply *apply, size_t from)
{
    struct journal_record *wants = calloc(apply->count - from + 1, sizeof(*wants));
    size_t count = 0;
    enum cordon_err err;

    if (wants == NULL) {
        return no_memory(apply);
    }
    for (size_t i = from; i < apply->count; i++) {
        struct piece *piece = &apply->pieces[i];
        struct journal_record record = record_of(apply, piece);
        struct state_row *row = piece->skipped ? NULL : state_find(apply->state, &record);

        if (row != NULL && row->phase == STATE_HELD) {
            row->touched = apply->state->round;
            row->is.id = record.id;
            piece->fresh = !piece->object.present;
        } else if (!piece->skipped) {
            record.kept = piece->object.present && is_foreign(apply, &record);
            piece->fresh = true;
            wants[count++] = record;
        }
    }
    err = state_commit(apply->state, wants, count, true, apply->fault);
    free(wants);
    return err;
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
    const struct api_id *id = &piece->object.info.id;

    return info->id.volume != 0 || info->id.file != 0
               ? id->volume == info->id.volume && id->file == info->id.file
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
    const size_t len = strlen(path) + 1;
    struct piece piece = {.target = apply->above->target, .missing = STATE_SKIP};
    bool open, shared;
    enum cordon_err err;

    *ret_below = false;
    if (is_granted(apply, path, info)) {
        return CORDON_OK;
    }
    shared = is_shared(apply, sd);
    err = is_open(apply, sd, &open);
    *ret_below = !open;
    if (err != CORDON_OK || !(open || shared)) {
        return err;
    }
    piece.via = apply->above->via[0] == '\0' ? apply->above->target.path : apply->above->via;
    piece.owned = malloc(len);
    if (piece.owned == NULL) {
        return no_memory(apply);
    }
    memcpy(piece.owned, path, len);
    piece.target.path = piece.owned;
    piece.target.resolved = NULL;
    piece.target.link = true; /* a junction there is denied itself */
    if (!add_piece(apply, &piece)) {
        free(piece.owned);
        return no_memory(apply);
    }
    return CORDON_OK;
}

/* What does not inherit the denial joins the pieces, to be dealt with in the next round. */
static enum cordon_err look_below(struct apply *apply, size_t index)
{
    const struct state_config *config = &apply->state->config;
    /* A copy: the pieces move when they grow. */
    const struct piece above = apply->pieces[index];
    struct acl_walk walk = {.objects = config->walk_objects,
                            .depth = config->walk_depth,
                            .deadline_ms = config->api->now_ms(config->api->self) + config->walk_ms,
                            .object = above.target.object,
                            .visit = visit,
                            .context = apply};

    char *found = (char *)apply->state->acl->bytes; /* the walk takes a copy */
    uint32_t code;

    if (!above.fresh || above.target.type != SD_DENIED || (above.object.ace.flags & SD_TREE) == 0) {
        return CORDON_OK;
    }
    apply->above = &above;
    /* By its own name: what is found below lies there, whatever the target is named by. */
    code = config->api->path(config->api->self, walk.object, above.object.handle, found,
                             sizeof(apply->state->acl->bytes));
    return code == API_OK
               ? acl_below(apply->state->acl, &walk, above.object.handle, found, apply->fault)
               : api_fault(apply->fault, code, NULL, "asking where %s lies", above.target.path);
}

/* Opens, announces and sets the pieces from @from on; more may come to be behind them. */
static enum cordon_err apply_batch(struct apply *apply, size_t from)
{
    const size_t to = apply->count;
    enum cordon_err err = CORDON_OK;

    for (size_t i = from; err == CORDON_OK && i < to; i++) {
        err = open_piece(apply, &apply->pieces[i]);
    }
    if (err == CORDON_OK) {
        err = announce(apply, from);
    }
    for (size_t i = from; err == CORDON_OK && i < to; i++) {
        const struct piece *piece = &apply->pieces[i];

        if (!piece->skipped) {
            err = acl_set(apply->state->acl, &piece->target, &piece->object, apply->fault);
        }
        if (err == CORDON_OK && !piece->skipped) {
            err = look_below(apply, i);
        }
    }
    return err;
}

/* All is on: says so, and that what only an earlier request wanted is not wanted any more. */
static enum cordon_err conclude(struct apply *apply)
{
    struct state *state = apply->state;
    struct journal_record *records = calloc(state->row_count + 1, sizeof(*records));
    size_t count = 0;
    enum cordon_err err;

    if (records == NULL) {
        return no_memory(apply);
    }
    for (size_t i = 0; i < state->row_count; i++) {
        const struct state_row *row = &state->rows[i];
        const bool ours = strcmp(row->is.holder, apply->request->holder) == 0 &&
                          sid_equal(&row->is.ace.sid, &apply->request->principal);

        if (ours && row->phase == STATE_WANTED) {
            records[count] = row->is;
            records[count++].verb = JOURNAL_HAVE;
        } else if (ours && row->phase == STATE_HELD && row->touched != state->round) {
            records[count] = row->is;
            records[count++].verb = JOURNAL_DROP;
        }
    }
    err = state_commit(state, records, count, true, apply->fault);
    free(records);
    return err;
}

enum cordon_err state_apply(struct state *state, const struct state_request *request,
                            struct cordon_fault *fault)
{
    struct apply apply = {.state = state, .request = request, .fault = fault};
    enum cordon_err err;
    size_t from = 0;

    strbuf_deinit(&state->notices);
    state->round++;
    state->nomem = false;
    state->acl->principal = request->principal;
    state->acl->token = request->token;
    state->acl->caller = request->caller;
    state->acl->owner = request->owner;
    err = list_places(&apply);
    if (err == CORDON_OK) {
        err = collect(&apply);
    }
    while (err == CORDON_OK && from < apply.count) {
        const size_t to = apply.count;

        err = apply_batch(&apply, from);
        from = to;
    }
    if (err == CORDON_OK) {
        err = conclude(&apply);
    }
    for (size_t i = 0; i < apply.count; i++) {
        acl_close(state->acl, &apply.pieces[i].object);
    }
    state_give_up(state);
    state_settle(state);
    for (size_t i = 0; i < apply.count; i++) {
        free(apply.pieces[i].owned);
    }
    free(apply.pieces);
    state->acl->places = NULL;
    state->acl->place_count = 0;
    free(apply.places);
    return err;
}

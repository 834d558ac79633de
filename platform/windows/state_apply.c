/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "platform/windows/apply_parts.h"

enum cordon_err apply_no_memory(struct apply *apply)
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

bool apply_owns(const struct apply *apply, const struct state_row *row)
{
    return strcmp(row->is.holder, apply->request->holder) == 0 &&
           sid_equal(&row->is.ace.sid, &apply->request->principal);
}

bool apply_add(struct apply *apply, const struct piece *piece)
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

static enum cordon_err list_places(struct apply *apply)
{
    const struct state_request *request = apply->request;
    struct acl *acl = apply->state->acl;

    apply->places = calloc(request->target_count + 1, sizeof(*apply->places));
    if (apply->places == NULL) {
        return apply_no_memory(apply);
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

        if (!apply_add(apply, &piece) || !apply_known_below(apply, &piece.target)) {
            return apply_no_memory(apply);
        }
    }
    return CORDON_OK;
}

/* ---- opening, and making what is missing ---- */

static uint32_t make_as(struct apply *apply, const struct piece *piece,
                        const struct journal_record *made, api_handle *ret_handle)
{
    const struct api *api = apply->state->config.api;
    bool acts;
    uint32_t code = acl_act_begin(apply->state->acl, &piece->target, &acts);

    if (code == API_OK) {
        code = api->make(api->self, made->object, made->path, made->ace.flags != 0, ret_handle);
    }
    acl_act_end(apply->state->acl, acts);
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
            return apply_no_memory(apply);
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
        return apply_no_memory(apply);
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

/* Whether the holder had a grant that the request, which is announced, does not ask for any more:
 * what was let be for it is to be looked at. */
static bool has_lost_grant(const struct apply *apply)
{
    const struct state *state = apply->state;

    for (size_t i = 0; i < state->row_count; i++) {
        const struct state_row *row = &state->rows[i];

        if (row->phase == STATE_HELD && row->touched != state->round && apply_owns(apply, row) &&
            row->is.ace.type == SD_ALLOWED) {
            return true;
        }
    }
    return false;
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
        apply->narrowed = has_lost_grant(apply);
    }
    for (size_t i = from; err == CORDON_OK && i < to; i++) {
        const struct piece *piece = &apply->pieces[i];

        if (!piece->skipped) {
            err = acl_set(apply->state->acl, &piece->target, &piece->object, apply->fault);
        }
        if (err == CORDON_OK && !piece->skipped) {
            err = apply_below(apply, i);
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
        return apply_no_memory(apply);
    }
    for (size_t i = 0; i < state->row_count; i++) {
        const struct state_row *row = &state->rows[i];
        const bool ours = apply_owns(apply, row);

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

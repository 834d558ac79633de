/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/state_parts.h"

#define LOG_NAME "acl.log"
#define NEW_NAME "acl.new" /* the journal while it is written anew */
#define BAD_NAME "acl.bad" /* the last one that could not be believed, for people */
#define LOCK_NAME "acl.lock"
#define LOG_MAX (64U << 20U) /* bytes that are read; one that is longer is not believed */
#define READ_TRIES 3U
#define REWRITE_LEN (1U << 20U)
#define NAME_MAX_LEN 600U

const char *const state_file_names[] = {LOG_NAME, NEW_NAME, BAD_NAME, LOCK_NAME, NULL};

void state_notice(struct state *state, const struct cordon_fault *fault)
{
    strbuf_printf(&state->notices, "%s%s%s\n", fault->text, fault->remedy[0] == '\0' ? "" : "; ",
                  fault->remedy);
}

const char *state_notices(const struct state *state)
{
    return strbuf_text(&state->notices);
}

struct acl_walk state_walk(const struct state *state, enum api_object object)
{
    const struct state_config *config = &state->config;

    return (struct acl_walk){.objects = config->walk_objects,
                             .depth = config->walk_depth,
                             .deadline_ms =
                                 config->api->now_ms(config->api->self) + config->walk_ms,
                             .object = object};
}

static const char *in_folder(const struct state *state, const char *name, char path[NAME_MAX_LEN])
{
    (void)snprintf(path, NAME_MAX_LEN, "%s\\%s", state->config.folder, name);
    return path;
}

/* ---- writing ---- */

static enum cordon_err append(struct state *state, const struct strbuf *text, bool durable,
                              struct cordon_fault *fault)
{
    const struct api *api = state->config.api;
    uint32_t code = API_OK;

    if (text->failed) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "no memory for the journal");
    }
    if (state->log == 0) {
        code = API_INVALID_HANDLE;
    }
    if (code == API_OK) {
        code = api->file_write(api->self, state->log, strbuf_text(text), text->len);
    }
    if (code == API_OK && durable) {
        code = api->file_flush(api->self, state->log);
    }
    state->log_len += text->len;
    return code == API_OK ? CORDON_OK
                          : api_fault(fault, code, "see whether the disk is full",
                                      "writing the journal of access lists");
}

enum cordon_err state_commit(struct state *state, const struct journal_record *records,
                             size_t count, bool durable, struct cordon_fault *fault)
{
    struct strbuf text = STRBUF_INIT;
    enum cordon_err err;

    if (count == 0) {
        return CORDON_OK;
    }
    for (size_t i = 0; i < count; i++) {
        journal_print(&records[i], &text);
    }
    err = append(state, &text, durable, fault);
    strbuf_deinit(&text);
    for (size_t i = 0; err == CORDON_OK && i < count; i++) {
        state_take(state, &records[i]);
    }
    if (err == CORDON_OK && state->nomem) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "no memory for the rows of the journal");
    }
    return err;
}

enum cordon_err state_commit_one(struct state *state, enum journal_verb verb,
                                 const struct journal_record *record, bool durable,
                                 struct cordon_fault *fault)
{
    struct journal_record one = *record;

    one.verb = verb;
    return state_commit(state, &one, 1, durable, fault);
}

/* A row as the fewest lines that say it. */
static void print_row(const struct state_row *row, struct strbuf *out)
{
    static const enum journal_verb verbs[] = {
        [STATE_WANTED] = JOURNAL_WANT, [STATE_HELD] = JOURNAL_HAVE, [STATE_DROPPED] = JOURNAL_DROP};
    struct journal_record record = row->is;

    record.verb = verbs[row->phase];
    if (state_is_made(row)) {
        record.verb = row->phase == STATE_WANTED ? JOURNAL_MAKE : JOURNAL_MADE;
    }
    journal_print(&record, out);
}

static uint32_t write_new(struct state *state, const char *path, const struct strbuf *text)
{
    const struct api *api = state->config.api;
    api_handle handle;
    uint32_t code = api->file_open(api->self, path, API_REPLACE, &handle);

    if (code != API_OK) {
        return code;
    }
    code = api->file_write(api->self, handle, strbuf_text(text), text->len);
    if (code == API_OK) {
        code = api->file_flush(api->self, handle);
    }
    (void)api->close(api->self, handle);
    return code;
}

enum cordon_err state_rewrite(struct state *state, struct cordon_fault *fault)
{
    const struct api *api = state->config.api;
    struct strbuf text = STRBUF_INIT;
    char from[NAME_MAX_LEN], to[NAME_MAX_LEN];
    uint32_t code;

    strbuf_puts(&text, JOURNAL_HEAD);
    for (size_t i = 0; i < state->row_count; i++) {
        print_row(&state->rows[i], &text);
    }
    code = text.failed ? (uint32_t)API_NO_MEMORY
                       : write_new(state, in_folder(state, NEW_NAME, from), &text);
    /* An open file is not replaced on Windows. */
    if (state->log != 0) {
        (void)api->close(api->self, state->log);
        state->log = 0;
    }
    if (code == API_OK) {
        code = api->file_replace(api->self, from, in_folder(state, LOG_NAME, to));
    }
    if (code == API_OK) {
        state->log_len = text.len;
    }
    strbuf_deinit(&text);
    if (code == API_OK || state->log_len > 0) {
        const uint32_t opened =
            api->file_open(api->self, in_folder(state, LOG_NAME, to), API_APPEND, &state->log);

        code = code == API_OK ? opened : code;
    }
    return code == API_OK ? CORDON_OK
                          : api_fault(fault, code, "see whether the disk is full",
                                      "writing the journal of access lists anew");
}

/* ---- reading ---- */

/* The journal's bytes; an absent one gives none. Not OK: it is there and was not read. */
static uint32_t read_log(struct state *state, char **ret_bytes, size_t *ret_len)
{
    const struct api *api = state->config.api;
    char path[NAME_MAX_LEN];
    char *bytes = malloc(LOG_MAX + 1U);
    api_handle handle = 0;
    size_t len = 0;
    uint32_t code = bytes == NULL ? (uint32_t)API_NO_MEMORY
                                  : api->file_open(api->self, in_folder(state, LOG_NAME, path),
                                                   API_READ, &handle);

    if (code == API_OK) {
        code = api->file_read(api->self, handle, (uint8_t *)bytes, LOG_MAX + 1U, &len);
        (void)api->close(api->self, handle);
    }
    if (code == API_OK && len <= LOG_MAX) {
        *ret_bytes = bytes;
        *ret_len = len;
        return API_OK;
    }
    free(bytes);
    return code == API_OK ? (uint32_t)API_INSUFFICIENT_BUFFER : code;
}

static void set_aside(struct state *state, const char *why)
{
    const struct api *api = state->config.api;
    char from[NAME_MAX_LEN], to[NAME_MAX_LEN];

    (void)api->file_replace(api->self, in_folder(state, LOG_NAME, from),
                            in_folder(state, BAD_NAME, to));
    strbuf_printf(&state->notices,
                  "the journal of access lists %s; it is set aside as %s, and entries of ours "
                  "are looked for\n",
                  why, to);
}

static enum cordon_err load(struct state *state, struct cordon_fault *fault)
{
    struct journal_report report;
    char *bytes = NULL, *hints = NULL;
    size_t len = 0;
    uint32_t code = read_log(state, &bytes, &len);

    /* Setting it aside loses much for what may be over in a moment. */
    for (unsigned tries = 1; tries < READ_TRIES && code != API_OK && !api_is_absent(code);
         tries++) {
        code = read_log(state, &bytes, &len);
    }
    if (api_is_absent(code)) {
        return CORDON_OK;
    }
    if (code == API_NO_MEMORY) {
        return api_fault(fault, code, NULL, "reading the journal of access lists");
    }
    if (code != API_OK) {
        set_aside(state, "cannot be read");
        state_rescan(state, NULL, 0);
        return CORDON_OK;
    }
    /* Reading decodes in place; what is damaged is read again for hints. */
    hints = malloc(len + 1);
    if (hints == NULL) {
        free(bytes);
        return fault_set(fault, CORDON_E_NOMEM, NULL, "no memory to read the journal");
    }
    memcpy(hints, bytes, len);
    journal_read(bytes, len, state_take, state, &report);
    if (report.damaged) {
        state_forget_all(state);
        set_aside(state, "is damaged");
        state_rescan(state, hints, len);
    }
    free(hints);
    free(bytes);
    return state->nomem
               ? fault_set(fault, CORDON_E_NOMEM, NULL, "no memory for the rows of the journal")
               : CORDON_OK;
}

/* ---- the whole ---- */

static enum cordon_err take_lock(struct state *state, struct cordon_fault *fault)
{
    const struct api *api = state->config.api;
    char path[NAME_MAX_LEN];
    const uint32_t code =
        api->file_open(api->self, in_folder(state, LOCK_NAME, path), API_LOCK, &state->lock);

    if (code == API_SHARING_VIOLATION) {
        return fault_set(fault, CORDON_E_STATE, "stop the other service", "another process has %s",
                         state->config.folder);
    }
    return code == API_OK ? CORDON_OK : api_fault(fault, code, NULL, "locking %s", path);
}

enum cordon_err state_open(const struct state_config *config, struct state **ret_state,
                           struct cordon_fault *fault)
{
    struct state *state = calloc(1, sizeof(*state));
    enum cordon_err err;

    if (state != NULL) {
        state->config = *config;
        state->acl = calloc(1, sizeof(*state->acl));
    }
    if (state == NULL || state->acl == NULL) {
        free(state);
        return fault_set(fault, CORDON_E_NOMEM, NULL, "no memory for the state of access lists");
    }
    state->acl->api = config->api;
    err = state_check_folder(state, fault);
    if (err == CORDON_OK) {
        err = take_lock(state, fault);
    }
    if (err == CORDON_OK) {
        err = load(state, fault);
    }
    if (err == CORDON_OK) {
        state_give_up(state);
        err = state_rewrite(state, fault);
    }
    if (err != CORDON_OK) {
        state_close(state);
        return err;
    }
    state_settle(state);
    *ret_state = state;
    return CORDON_OK;
}

void state_close(struct state *state)
{
    if (state == NULL) {
        return;
    }
    if (state->log != 0) {
        (void)state->config.api->close(state->config.api->self, state->log);
    }
    if (state->lock != 0) {
        (void)state->config.api->close(state->config.api->self, state->lock);
    }
    state_forget_all(state);
    strbuf_deinit(&state->notices);
    free(state->rows);
    free(state->acl);
    free(state);
}

size_t state_count(const struct state *state, const struct sid *principal, const char *path)
{
    size_t count = 0;

    for (size_t i = 0; i < state->row_count; i++) {
        const struct state_row *row = &state->rows[i];

        count += row->phase != STATE_DROPPED && sid_equal(&row->is.ace.sid, principal) &&
                         strcmp(row->is.path, path) == 0
                     ? 1U
                     : 0U;
    }
    return count;
}

size_t state_size(const struct state *state)
{
    return state->row_count;
}

/* Marks as dropped what @holder (NULL: whoever is not @alive) holds for @principal (NULL: any). */
static enum cordon_err drop_rows(struct state *state, const struct sid *principal,
                                 const char *holder, bool (*alive)(void *, const char *),
                                 void *context)
{
    size_t count = 0;
    struct journal_record *drops = calloc(state->row_count + 1, sizeof(*drops));
    struct cordon_fault fault = {0};
    enum cordon_err err;

    if (drops == NULL) {
        return CORDON_E_NOMEM;
    }
    for (size_t i = 0; i < state->row_count; i++) {
        const struct journal_record *is = &state->rows[i].is;
        const bool ends =
            holder != NULL ? strcmp(is->holder, holder) == 0 && sid_equal(&is->ace.sid, principal)
                           : !alive(context, is->holder);

        if (!state_is_made(&state->rows[i]) && state->rows[i].phase != STATE_DROPPED && ends) {
            drops[count] = *is;
            drops[count++].verb = JOURNAL_DROP;
        }
    }
    err = state_commit(state, drops, count, true, &fault);
    if (err != CORDON_OK) {
        /* Without the record a crash would leave it on; with the record in memory alone, this
         * process still takes it off now. */
        state_notice(state, &fault);
        for (size_t i = 0; i < count; i++) {
            state_take(state, &drops[i]);
        }
    }
    free(drops);
    return CORDON_OK;
}

static enum cordon_err end(struct state *state, struct cordon_fault *fault)
{
    state_settle(state);
    return state->log_len > REWRITE_LEN ? state_rewrite(state, fault) : CORDON_OK;
}

enum cordon_err state_drop(struct state *state, const struct sid *principal, const char *holder,
                           struct cordon_fault *fault)
{
    strbuf_deinit(&state->notices);
    if (drop_rows(state, principal, holder, NULL, NULL) != CORDON_OK) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "no memory to end what %s holds", holder);
    }
    return end(state, fault);
}

enum cordon_err state_retain(struct state *state, bool (*alive)(void *context, const char *holder),
                             void *context, struct cordon_fault *fault)
{
    strbuf_deinit(&state->notices);
    if (drop_rows(state, NULL, NULL, alive, context) != CORDON_OK) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "no memory to end what is held");
    }
    return end(state, fault);
}

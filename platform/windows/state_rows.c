/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "platform/windows/state_parts.h"

bool state_is_made(const struct state_row *row)
{
    return row->is.ace.sid.len == 0;
}

static bool same_object(const struct journal_record *a, const struct journal_record *b)
{
    if (a->object != b->object) {
        return false;
    }
    return api_has_id(&a->id) && api_has_id(&b->id) ? api_same_id(&a->id, &b->id)
                                                    : strcmp(a->path, b->path) == 0;
}

static bool same_ace(const struct sd_ace *a, const struct sd_ace *b)
{
    return a->type == b->type && a->flags == b->flags && a->mask == b->mask &&
           a->sid.len == b->sid.len && memcmp(a->sid.bytes, b->sid.bytes, a->sid.len) == 0;
}

bool state_same_entry(const struct journal_record *a, const struct journal_record *b)
{
    return same_object(a, b) && same_ace(&a->ace, &b->ace);
}

bool state_is_at(const char *inner, const char *path)
{
    const size_t len = strlen(path);

    return strncmp(inner, path, len) == 0 && (inner[len] == '\0' || inner[len] == '\\');
}

/* FNV-1a. */
static uint32_t hash_of(const char *path)
{
    uint32_t hash = 2166136261U;

    for (const char *at = path; *at != '\0'; at++) {
        hash = (hash ^ (uint8_t)*at) * 16777619U;
    }
    return hash;
}

struct state_row *state_find(struct state *state, const struct journal_record *record)
{
    const uint32_t hash = hash_of(record->path);

    for (size_t i = 0; i < state->row_count; i++) {
        struct state_row *row = &state->rows[i];

        if (row->hash == hash && row->is.object == record->object &&
            same_ace(&row->is.ace, &record->ace) && strcmp(row->is.path, record->path) == 0 &&
            strcmp(row->is.holder, record->holder) == 0 && strcmp(row->is.via, record->via) == 0) {
            return row;
        }
    }
    return NULL;
}

bool state_wanted_elsewhere(const struct state *state, const struct state_row *row)
{
    for (size_t i = 0; i < state->row_count; i++) {
        const struct state_row *other = &state->rows[i];

        if (other != row && other->phase != STATE_DROPPED && !state_is_made(other) &&
            state_same_entry(&other->is, &row->is)) {
            return true;
        }
    }
    return false;
}

/* ---- growing and shrinking ---- */

char *state_copy(const char *text)
{
    const size_t len = strlen(text) + 1;
    char *made = malloc(len);

    return made == NULL ? NULL : memcpy(made, text, len);
}

static void free_strings(struct state_row *row)
{
    free((void *)(uintptr_t)row->is.holder);
    free((void *)(uintptr_t)row->is.via);
    free((void *)(uintptr_t)row->is.path);
}

static void forget(struct state *state, struct state_row *row)
{
    free_strings(row);
    *row = state->rows[--state->row_count];
}

void state_forget_all(struct state *state)
{
    while (state->row_count > 0) {
        forget(state, &state->rows[state->row_count - 1]);
    }
}

static bool grow(struct state *state)
{
    const size_t size = state->row_size == 0 ? 64 : state->row_size * 2;
    struct state_row *rows;

    if (state->row_count < state->row_size) {
        return true;
    }
    rows = realloc(state->rows, size * sizeof(*rows));
    if (rows != NULL) {
        state->rows = rows;
        state->row_size = size;
    }
    return rows != NULL;
}

static void remember(struct state *state, const struct journal_record *record,
                     enum state_phase phase)
{
    struct state_row row = {
        .is = *record, .hash = hash_of(record->path), .phase = phase, .touched = state->round};

    row.is.holder = state_copy(record->holder);
    row.is.via = state_copy(record->via);
    row.is.path = state_copy(record->path);
    if (row.is.holder == NULL || row.is.via == NULL || row.is.path == NULL || !grow(state)) {
        free_strings(&row);
        state->nomem = true;
        return;
    }
    state->rows[state->row_count++] = row;
}

void state_take(void *context, const struct journal_record *record)
{
    static const enum state_phase phases[JOURNAL_VERBS] = {
        [JOURNAL_WANT] = STATE_WANTED, [JOURNAL_HAVE] = STATE_HELD, [JOURNAL_DROP] = STATE_DROPPED,
        [JOURNAL_MAKE] = STATE_WANTED, [JOURNAL_MADE] = STATE_HELD,
    };
    struct state *state = context;
    struct state_row *row = state_find(state, record);

    if (record->verb == JOURNAL_GONE || record->verb == JOURNAL_UNMADE) {
        if (row != NULL) {
            forget(state, row);
        }
    } else if (row != NULL) {
        row->phase = phases[record->verb];
        row->is.id = record->id;
        row->touched = state->round;
    } else {
        remember(state, record, phases[record->verb]);
    }
}

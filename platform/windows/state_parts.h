/* SPDX-License-Identifier: Apache-2.0 */
/* What state*.c share; for nobody else. What only an apply has is in apply_parts.h. */
#ifndef CORDON_PLATFORM_WINDOWS_STATE_PARTS_H
#define CORDON_PLATFORM_WINDOWS_STATE_PARTS_H

#include "platform/windows/journal.h"
#include "platform/windows/state.h"

enum state_phase {
    STATE_WANTED, /* may be on the object; its apply has not ended */
    STATE_HELD,
    STATE_DROPPED /* may still be on the object; nobody wants it */
};

/* An entry for somebody, or (ace.sid.len == 0) an object that was made. */
struct state_row {
    struct journal_record is; /* strings owned; verb is of no meaning */
    uint32_t hash;            /* of its path: rows are many, and differ in little else */
    enum state_phase phase;
    uint32_t touched; /* state->round of the apply that asked for it last */
    uint32_t tried;   /* state->settling of the last try to undo it */
};

struct state {
    struct state_config config;
    struct acl *acl;
    api_handle lock, log;
    size_t log_len; /* bytes in the journal, about */
    struct state_row *rows;
    size_t row_count, row_size;
    uint32_t round;    /* of applies */
    uint32_t settling; /* of tries to undo */
    bool nomem;        /* a row could not be remembered */
    struct strbuf notices;
};

/* ---- state_rows.c: memory alone ---- */

/* What one more line of the journal means for the rows. */
void state_take(void *state, const struct journal_record *record);
/* The row of exactly this holder, object, entry and path; NULL: none. */
struct state_row *state_find(struct state *state, const struct journal_record *record);
/* Whether two rows stand for one entry on one object. */
bool state_same_entry(const struct journal_record *a, const struct journal_record *b);
/* Whether anybody but @row wants its entry. */
bool state_wanted_elsewhere(const struct state *state, const struct state_row *row);
/* Whether a path is @path or lies below it. */
bool state_is_at(const char *inner, const char *path);
bool state_is_made(const struct state_row *row);
void state_forget_all(struct state *state);
/* free(); NULL: no memory. */
char *state_copy(const char *text);

/* ---- state.c: the file ---- */

/* Appends the lines of records, flushes if @durable, and then takes them into the rows. */
CORDON_MUST_USE enum cordon_err state_commit(struct state *state,
                                             const struct journal_record *records, size_t count,
                                             bool durable, struct cordon_fault *fault);
CORDON_MUST_USE enum cordon_err state_commit_one(struct state *state, enum journal_verb verb,
                                                 const struct journal_record *record, bool durable,
                                                 struct cordon_fault *fault);
/* Writes the journal anew, with the rows there are. */
CORDON_MUST_USE enum cordon_err state_rewrite(struct state *state, struct cordon_fault *fault);
void state_notice(struct state *state, const struct cordon_fault *fault);
/* A walk with the configured bounds, beginning now; what it visits with is the caller's. */
struct acl_walk state_walk(const struct state *state, enum api_object object);

/* ---- state_folder.c ---- */

CORDON_MUST_USE enum cordon_err state_check_folder(struct state *state, struct cordon_fault *fault);

/* ---- state_undo.c ---- */

/* What was wanted by an apply that did not end well is wanted by nobody. */
void state_give_up(struct state *state);
/* Takes off and removes all that nobody wants; what fails is noticed and stays for later. */
void state_settle(struct state *state);
/* Rows to be dropped, for every entry of ours on the disk as far as it can be found. */
void state_rescan(struct state *state, char *journal, size_t len);

#endif

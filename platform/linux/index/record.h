/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Former names: what a guard saw of names that objects no longer have, kept from one job to the
 * next. They are facts about names; which of them are denied, each job's own tables say.
 *
 * The conversation between cordon-index and one guard, on the socket of INDEX_HOLD, a datagram
 * each. The index: one struct index_reply, with a memfd of records if there are any; later
 * RECORD_ASK, should another guard begin. The guard: RECORD_TELL, a record; RECORD_DONE, all that
 * was done before RECORD_ASK came is told. Of a job that was made ahead nothing is told before it
 * has its command (begun.h): what its guard saw of the host until then, no job did.
 */
#ifndef CORDON_LINUX_INDEX_RECORD_H
#define CORDON_LINUX_INDEX_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/linux/init/objects.h"

#define RECORD_PATH_MAX 4096U /* with its NUL; what was called by more has no name */

struct former {
    uint32_t uid; /* whose job told of it; only the index's word counts */
    uint64_t dev; /* as mountinfo has it */
    bool is_directory;
    struct object object;
    const char *path; /* from the file system's root; "": one that nobody can tell */
};

/* In bytes, a multiple of 8. */
size_t record_size(const struct former *former);
/* Writes record_size() bytes. */
void record_put(char *at, const struct former *former);
/* The record at *at, which goes on to the next; its path points into it. False: the end at @end, or
 * what is there is none. */
bool record_get(const char **at, const char *end, struct former *ret_former);

#define RECORD_BYTES_MAX (RECORD_PATH_MAX + OBJECT_BYTES_MAX + 64U)

enum record_kind { RECORD_TELL = 1, RECORD_ASK, RECORD_DONE };

struct record_message {
    uint32_t magic; /* INDEX_MAGIC */
    uint32_t kind;  /* enum record_kind */
    uint64_t turn;  /* RECORD_ASK, RECORD_DONE */
    char record[RECORD_BYTES_MAX];
};
#define RECORD_MESSAGE_HEAD offsetof(struct record_message, record)

#endif

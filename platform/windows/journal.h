/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of what was done to access lists, as text: one line a step, each with its own
 * checksum, appended before the step (an intent) and after it (the fact). The live state is what
 * all lines together say, so that there is one file, one reader and one writer. Pure.
 *
 *   CRC VERB OBJECT TYPE FLAGS MASK KEPT VOLUME FILE SID HOLDER VIA PATH
 *
 * Numbers are hexadecimal. Of HOLDER, VIA and PATH all bytes but letters, digits and "\:./-_" are
 * written "%XX"; an empty one is "-".
 */
#ifndef CORDON_PLATFORM_WINDOWS_JOURNAL_H
#define CORDON_PLATFORM_WINDOWS_JOURNAL_H

#include "platform/windows/api.h"
#include "platform/windows/sd.h"

#define JOURNAL_HEAD "cordon-acl 1\n"

enum journal_verb {
    JOURNAL_WANT,   /* the entry is about to be put on */
    JOURNAL_HAVE,   /* it is on, and was checked */
    JOURNAL_DROP,   /* it is about to be taken off */
    JOURNAL_GONE,   /* it is off; its row ends */
    JOURNAL_MAKE,   /* the missing path is about to be made */
    JOURNAL_MADE,   /* it is made: @id */
    JOURNAL_UNMADE, /* it is removed, or no longer ours */
    JOURNAL_VERBS
};

struct journal_record {
    enum journal_verb verb;
    enum api_object object;
    struct sd_ace ace; /* of MAKE and MADE: flags SD_CONTAINER_INHERIT for a container, no SID */
    bool kept;         /* the same entry was there before us and stays when we go */
    struct api_id id;
    const char *holder; /* who asked; "" for nobody */
    const char *via;    /* the path that was asked for, where @path lies below it; else "" */
    const char *path;
};

/* Appends the line of @record; look at @out->failed once. */
void journal_print(const struct journal_record *record, struct strbuf *out);

/*
 * Reads one line of @len bytes without its newline, and decodes it in place: the strings of
 * @ret_record lie in it. False: not a line of ours, or damaged.
 */
CORDON_MUST_USE bool journal_parse(char *line, size_t len, struct journal_record *ret_record);

/* What reading a whole file came to. */
struct journal_report {
    size_t records;
    bool torn;    /* the last line has no end: an append was cut off, as a crash does */
    bool damaged; /* anything else that is not ours: what the file says is not to be believed */
};

/* Calls @take for each good record in order; @bytes are decoded in place. */
void journal_read(char *bytes, size_t len,
                  void (*take)(void *context, const struct journal_record *record), void *context,
                  struct journal_report *ret_report);

#endif

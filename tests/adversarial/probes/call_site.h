/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a stopped process is about to make a system call: the innermost calls in its program's own
 * code, so that two callers of close() are two sites. Own is what lies in the program's file and
 * can be unwound: the static C library has no tables. Addresses are those of the file, so they are
 * the same wherever it is loaded. x86-64.
 */
#ifndef CORDON_TESTS_CALL_SITE_H
#define CORDON_TESTS_CALL_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#define CALL_SITE_FRAMES 3

struct call_site {
    long number;
    size_t count; /* fewer than CALL_SITE_FRAMES: the stack ends, or nobody can tell */
    uint64_t frames[CALL_SITE_FRAMES];
};

/* The process was stopped by its tracer, the caller. */
void call_site_of(pid_t pid, const struct user_regs_struct *regs, struct call_site *ret_site);

bool call_site_equal(const struct call_site *a, const struct call_site *b);

/* "close,401b2c,4012f0": the same text is the same site. */
void call_site_key(const struct call_site *site, char *text, size_t room);

/* The number of the call that a key begins with; -1: there is none of that name. */
long call_number(const char *key);

/* "job_free+0x1c<job_end+0x20", by the symbols of the program that the last site was of. */
void call_site_name(const struct call_site *site, char *text, size_t room);

#endif

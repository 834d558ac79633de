/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy and the facts about its paths from a few lines of text, for tests of
 * the planners. One word or one rule a line, '#' begins a comment:
 *
 *   profile NAME | cwd PATH [OBJECT] | workspace PATH | socket PATH | needed PATH
 *   full-access | network | embedded | no-user-namespaces | principal SID
 *   controllers LIST | superuser | limit managed|own NAME VALUE
 *   landlock ABI | scan-depth N | minimum-managed-kernel | minimum-own-kernel
 *   windows | tree dir|file|link|unlisted|broken PATH [TARGET] | private PATH
 *   system PATH | scan-entries N | late-after N
 *   managed|own ACCESS PATH [missing|file|dir|other] [WORD=VALUE]... [link] [builtin]
 *
 * ACCESS is deny, deny-write, read or write; the words are resolved, gitdir and
 * spelled. A path with glob characters is a glob. Unless told otherwise: the
 * service, user namespaces, Landlock ABI 6, an existing directory as object. A line of the second
 * group makes it a Windows host, with its paths in normal form and those of rules as policies have
 * them ("/C:/a"); what a rule names is then looked up in the tree, if that has anything.
 */
#ifndef CORDON_TESTS_PLAN_CASE_H
#define CORDON_TESTS_PLAN_CASE_H

#include "platform/plan.h"
#include "tests/golden/disk.h"

struct plan_case {
    struct arena arena;
    struct policy policy;
    struct plan_facts facts;
    struct disk tree;
};

/* false: a line that means nothing; it is printed on stderr. Always deinit. */
bool plan_case_parse(struct plan_case *ret_case, const char *text);
void plan_case_deinit(struct plan_case *plan_case);

/* The plan for @os, or the fault as one line "refused (ERR): TEXT; REMEDY". */
void plan_case_print(struct plan_case *plan_case, enum policy_os os, bool json, struct strbuf *out);

#endif

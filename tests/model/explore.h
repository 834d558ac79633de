/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Visits every state that a model can reach, breadth first, and in each tries every action, with
 * every call that can fail in it failing once. The code under test keeps its own state, so a
 * state is reached again by replaying the actions that led there; two are the same if they are
 * described the same. What is reported is the shortest way to what is wrong.
 */
#ifndef CORDON_TESTS_EXPLORE_H
#define CORDON_TESTS_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/base/strbuf.h"

struct explore_model {
    const char *name;
    unsigned action_count;
    /* A world in which nothing has happened yet. */
    void (*begin)(void);
    /* False: it cannot happen now, and nothing was done. */
    bool (*act)(unsigned action);
    void (*describe_action)(unsigned action, struct strbuf *out);
    /* The state, without names that differ from path to path. */
    void (*describe)(struct strbuf *out);
    /* What must hold in every state: explore_wrong() otherwise. */
    void (*check)(void);
    /* Ends everything; nothing may be left. */
    void (*end)(void);
    unsigned faults_max; /* on one way */
    size_t states_max;   /* more is an error: the bounds of the model do not bound it */
};

/* Prints what was visited. False: something is wrong, and it was said what and how it came. */
bool explore(const struct explore_model *model);

/* In act(): true if the call that asks is the one that is to fail this time. */
bool explore_fails(const char *call);
/* What the model itself calls in act() does not fail. Pairs may nest. */
void explore_pause(void);
void explore_resume(void);
/* Something that must never be is. Does not return. */
_Noreturn void explore_wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif

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

/* One kind of thing that can happen, for each pair of values below @a and @b. */
struct explore_action {
    const char *name;                    /* also says what the two values are */
    bool (*act)(unsigned a, unsigned b); /* false: it cannot happen now, and nothing was done */
    unsigned a, b;
};

#define EXPLORE_BOUNDS 2U

struct explore_model {
    const char *name;
    const struct explore_action *actions;
    size_t action_count;
    /* A world in which nothing has happened yet. */
    void (*begin)(void);
    /* The state, without names that differ from path to path. */
    void (*describe)(struct strbuf *out);
    /* What must hold in every state: explore_wrong() otherwise. */
    void (*check)(void);
    /* Ends everything; nothing may be left. */
    void (*end)(void);
    /* NULL, or whether nothing can happen any more. */
    bool (*is_over)(void);
    /* How much there may be of what, and at the most; the program's first arguments. */
    struct {
        const char *what;
        unsigned *value, most;
    } bounds[EXPLORE_BOUNDS];
};

/*
 * The program: visits every state within the bounds, and prints how many. 1: something is wrong,
 * or of some kind of action none was ever possible; it was said what, and how it came.
 */
int explore_main(const struct explore_model *model, int argc, char **argv);

/* In act(): true if the call that asks is the one that is to fail this time. */
bool explore_fails(const char *call);
/* What the model itself calls in act() does not fail. Pairs may nest. */
void explore_pause(void);
void explore_resume(void);
/* Something that must never be is. Does not return. */
_Noreturn void explore_wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif

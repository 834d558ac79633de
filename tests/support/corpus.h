/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules like those of a large installation, the same for the same seed: 60 %
 * exact paths of three to six components, 30 % names and endings at any depth,
 * 10 % "dir/" any depth "/x*[0-9]" with varied directories.
 */
#ifndef CORDON_TESTS_CORPUS_H
#define CORDON_TESTS_CORPUS_H

#include <stddef.h>
#include <stdint.h>

#include "policy/dfa.h"

/* A random number generator (splitmix64); any seed will do. */
struct dice {
    uint64_t state;
};

uint64_t dice_next(struct dice *dice);

/* A number below @sides (> 0). */
uint32_t dice_roll(struct dice *dice, uint32_t sides);

/* Where the names and endings are looked for. */
enum corpus_kind {
    CORPUS_ROOT,      /* below / */
    CORPUS_WORKSPACE, /* below one workspace */
    CORPUS_MIXED,     /* half and half */
    CORPUS_KINDS
};

#define CORPUS_WORKSPACE_DIR "/home/anna/src/shop"

/* Release with corpus_free(); aborts when out of memory. */
struct dfa_rule *corpus_new(size_t count, enum corpus_kind kind, uint64_t seed);
void corpus_free(struct dfa_rule *rules, size_t count);

/* A path that may or may not be covered; returns its length (< @size). */
size_t corpus_path(struct dice *dice, const struct dfa_rule *rules, size_t count, char *path,
                   size_t size);

#endif

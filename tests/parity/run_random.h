/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_TESTS_RUN_RANDOM_H
#define CORDON_TESTS_RUN_RANDOM_H

#include "tests/support/win_world.h"

/*
 * 10 000 random cases of random policies over one tree: policy_eval() and the access lists that the
 * Windows plan leads to must decide alike. @granted: see win_world.h. Prints the seed, what failed
 * with its policy, and the result; false: one is decided otherwise.
 */
bool run_random(uint64_t seed, win_world_granted *granted);

#endif

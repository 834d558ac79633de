/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_TESTS_RUN_TABLE_H
#define CORDON_TESTS_RUN_TABLE_H

#include "tests/support/win_world.h"

/*
 * Every case of the table in the file @path decided alike by its author, by policy_eval() and by
 * the access lists that the Windows plan leads to, for two principals. @granted: see win_world.h.
 * Prints the result; false: one is decided otherwise, or there are too few.
 */
bool run_table(const char *path, win_world_granted *granted);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a test's own program is as a job. */
#ifndef CORDON_TESTS_WINE_CHILD_H
#define CORDON_TESTS_WINE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <windows.h>

/*
 * --exit N, --sleep SECONDS, --tell ARG... (its arguments, variables and folder, a line each),
 * --who (its user's SID): true, and what to exit with.
 */
bool child_be(int argc, char **argv, int *ret_status);
/* Everything from @from to its end. */
void child_read(HANDLE from, char *text, size_t size);

#endif

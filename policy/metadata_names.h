/* SPDX-License-Identifier: Apache-2.0 */
/* The names that are protected below every writable root. Apart from the readers, for the planners.
 */
#ifndef CORDON_POLICY_METADATA_NAMES_H
#define CORDON_POLICY_METADATA_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define METADATA_COUNT 5U
extern const char *const metadata_names[METADATA_COUNT];

/*
 * Any component of @path is one, in whatever case where @fold_case. An exact entry of a profile
 * with such a pattern lifts the limits of nested metadata (deny-write globs of the same set) from
 * what it covers.
 */
bool metadata_named(const char *path, bool fold_case);

#endif

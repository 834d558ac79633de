/* SPDX-License-Identifier: Apache-2.0 */
/* For the planners: where what a glob matches can lie, from its text. */
#ifndef CORDON_PLATFORM_PLAN_GLOB_H
#define CORDON_PLATFORM_PLAN_GLOB_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the directory that a glob's text begins with; 1 for "/". */
size_t plan_glob_prefix(const char *pattern, size_t len);

/*
 * Directory levels below the prefix that a match can lie at, at most; 0: any.
 * Never too small: what it cannot tell counts as any depth.
 */
uint32_t plan_glob_levels(const char *pattern, size_t len);

#endif

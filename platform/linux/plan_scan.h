/* SPDX-License-Identifier: Apache-2.0 */
/* For plan_linux.c: where to look at start for what deny globs match. */
#ifndef CORDON_PLATFORM_PLAN_SCAN_H
#define CORDON_PLATFORM_PLAN_SCAN_H

#include "platform/plan_build.h"

/* Adds the SCAN steps of both sets, merged and without duplicates in each. */
void plan_add_scans(struct plan_builder *builder);

/* Bytes of the directory that a glob's text begins with; 1 for "/". */
size_t plan_glob_prefix(const char *pattern, size_t len);

/*
 * Directory levels below the prefix that a match can lie at, at most; 0: any.
 * Never too small: what it cannot tell counts as any depth.
 */
uint32_t plan_glob_levels(const char *pattern, size_t len);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* For plan_linux.c: where to look at start for what deny globs match. */
#ifndef CORDON_PLATFORM_PLAN_SCAN_H
#define CORDON_PLATFORM_PLAN_SCAN_H

#include "platform/plan_build.h"
#include "platform/plan_glob.h"

/* Adds the SCAN steps of both sets, merged and without duplicates in each. */
void plan_add_scans(struct plan_builder *builder);

#endif

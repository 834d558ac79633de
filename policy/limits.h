/* SPDX-License-Identifier: Apache-2.0 */
/* What a job may use: names, and which of two limits holds. */
#ifndef CORDON_POLICY_LIMITS_H
#define CORDON_POLICY_LIMITS_H

#include "policy/types.h"

/* "memory_mib" */
const char *policy_limit_name(enum policy_limit limit);
/* " MiB"; follows the number. */
const char *policy_limit_unit(enum policy_limit limit);
/* The lesser of two, where 0 is no limit. */
uint32_t policy_limit_least(uint32_t a, uint32_t b);
/* What is in force of @limit; value 0: nothing. Of two equal ones the managed one. */
const struct policy_limit_value *policy_limit_in_force(const struct policy_limits *limits,
                                                       enum policy_limit limit);

#endif

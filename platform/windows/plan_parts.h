/* SPDX-License-Identifier: Apache-2.0 */
/* Private to platform/windows/plan_*.c: the parts that plan_windows() is put together from. */
#ifndef CORDON_PLATFORM_WINDOWS_PLAN_PARTS_H
#define CORDON_PLATFORM_WINDOWS_PLAN_PARTS_H

#include "platform/plan_build.h"
#include "platform/windows/plan_scan.h"
#include "platform/windows/plan_windows.h"

/* ---- plan_token.c ---- */

/* Planned for the service. Where no Windows host is at hand it always is: whether this one has a
 * service says nothing about one that the plan may be meant for. */
bool win_is_service(const struct plan_builder *b);

/* "/", "C:" or "//SERVER/SHARE": an entry there reaches every file of the volume. */
bool win_is_volume(const struct plan_entry *entry);

/* What the policy needs: depends on whether it lets everything be read. */
enum win_token win_token_kind(const struct plan_builder *b);

/* What the restricted token cannot enforce: CORDON_E_UNSUPPORTED with reason and remedy. */
CORDON_MUST_USE enum cordon_err win_check_embedded(const struct plan_builder *b);

/* The system's directories are readable all or none: CORDON_E_UNSUPPORTED. */
CORDON_MUST_USE enum cordon_err win_check_system(const struct plan_builder *b);

/* @key is that of one of the system's directories, which the token opens. */
bool win_by_token(const struct plan_builder *b, const char *key);

/* What the policy makes of a job; b->failed without memory. */
struct plan_windows_job win_job(struct plan_builder *b);
void win_add_principal(struct plan_builder *b, const struct plan_windows_job *job);
void win_add_surroundings(struct plan_builder *b, const struct plan_windows_job *job);

/* ---- plan_target.c ---- */

void win_add_targets(struct plan_builder *b);
void win_add_private(struct plan_builder *b);
void win_add_pins(struct plan_builder *b);

/* Adds a step for an entry on @path, by the rule of @by; of @by nothing else counts. */
void win_add_entry(struct plan_builder *b, uint16_t op, uint16_t flags, const struct plan_step *by,
                   const char *path);

/* Of a node that is hidden: it gets an entry of its own. */
bool win_needs_deny(const struct plan_builder *b, const struct plan_node *node);

#endif

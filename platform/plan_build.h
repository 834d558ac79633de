/* SPDX-License-Identifier: Apache-2.0 */
/* For the planners only: a plan under construction, and what all of them check. */
#ifndef CORDON_PLATFORM_PLAN_BUILD_H
#define CORDON_PLATFORM_PLAN_BUILD_H

#include "platform/plan.h"
#include "platform/plan_tree.h"

/*
 * Everything is borrowed. An arena that runs out is remembered: adding goes on
 * harmlessly, and plan_finish() reports it.
 */
struct plan_builder {
    const struct policy *policy;
    const struct plan_facts *facts;
    struct arena *arena;
    struct cordon_fault *fault;
    struct plan *plan;
    struct plan_tree tree;
    size_t step_size;   /* elements allocated */
    size_t notice_size; /* elements allocated */
    bool failed;
};

/*
 * Allocates the plan, labels every rule @level without a note and builds the
 * tree of the exact rules and of @base. CORDON_E_NOMEM.
 */
CORDON_MUST_USE enum cordon_err plan_begin(struct plan_builder *builder, enum plan_level level,
                                           const struct plan_base *base, size_t base_count);

/* Adds @step and gives its index. */
size_t plan_add(struct plan_builder *builder, const struct plan_step *step);

/* A step of no rule; @path and @text may be NULL. */
void plan_add_plain(struct plan_builder *builder, uint16_t op, const char *path, const char *text);

/* A step for @node: its path and the rule that decides there. */
size_t plan_add_node(struct plan_builder *builder, uint16_t op, uint16_t flags,
                     const struct plan_node *node);

void plan_notice(struct plan_builder *builder, const char *fmt, ...) CORDON_PRINTF(2, 3);

/* Notes a reservation on one rule; the first one stays. */
void plan_note(struct plan_builder *builder, uint8_t set, uint32_t rule, const char *note);

/* The same on every rule of @node. */
void plan_note_node(struct plan_builder *builder, const struct plan_node *node, const char *note);

/* Deny or deny-write. */
bool plan_narrows(const struct policy_rule *rule);

/*
 * Notes on the rules of a missing @node that they grant nothing, with a notice
 * where somebody asked for it by name; on rules that narrow, @absent (may be NULL).
 */
void plan_skip_missing(struct plan_builder *builder, const struct plan_node *node,
                       const char *absent);

/* A notice of how many deny rules of @set, the @whose ones, hold at level snapshot; none for none.
 */
void plan_notice_level(struct plan_builder *builder, const struct policy_ruleset *set,
                       const struct plan_label *labels, const char *whose);

/* Hands the plan over, or reports the exhausted arena. */
CORDON_MUST_USE enum cordon_err plan_finish(struct plan_builder *builder, struct plan **ret_plan);

/* A rule of the policy; NULL for PLAN_NO_RULE. */
const struct policy_rule *plan_rule(const struct policy *policy, uint8_t set, uint32_t rule);

/* Sets the fault to "WHAT: RULE (ORIGIN)". @rule may be NULL: "WHAT". */
enum cordon_err plan_refuse(const struct plan_builder *builder, enum cordon_err err,
                            const struct policy_rule *rule, const char *remedy, const char *what);

/*
 * What no back end may plan: a deny of "/", a missing workspace root, a missing
 * or denied working directory, a denied path that the command needs.
 */
CORDON_MUST_USE enum cordon_err plan_check_common(const struct plan_builder *builder);

/* CORDON_E_UNSUPPORTED "cannot be planned yet: RULE" for globs and the network. */
CORDON_MUST_USE enum cordon_err plan_check_exact_only(const struct plan_builder *builder);

/*
 * A notice of the time, which the broker keeps; of any other limit CORDON_E_UNSUPPORTED "cannot be
 * planned yet: LIMIT".
 */
CORDON_MUST_USE enum cordon_err plan_limits_elsewhere(struct plan_builder *builder);

/* PLAN_STEP_DIR or PLAN_STEP_FILE. */
uint16_t plan_kind(enum plan_object object);

#endif

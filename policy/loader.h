/* SPDX-License-Identifier: Apache-2.0 */
/* What the stages of policy_load() share; nobody else includes this. */
#ifndef CORDON_POLICY_LOADER_H
#define CORDON_POLICY_LOADER_H

#include "policy/place.h"
#include "policy/policy.h"

struct rule_list {
    struct policy_rule *rules; /* in the arena; grows by doubling */
    size_t count;
    size_t size;
};

/* Sandbox modes as bits: what a profile needs, what the managed layers allow. */
enum mode_bit { MODE_READ_ONLY = 1, MODE_WORKSPACE_WRITE = 2, MODE_FULL_ACCESS = 4, MODE_ANY = 7 };

struct allowance {
    unsigned modes; /* of enum mode_bit */
    struct toml_pos modes_pos;
    const struct toml_entry *profiles; /* allowed_permission_profiles; NULL: any */
};

/* What selects the profile. */
struct choice {
    const char *name; /* a profile's name */
    const char *mode; /* the mode it was chosen by; NULL: by name */
    struct toml_pos pos;
    struct policy_origin origin;
};

struct loader {
    const struct policy_input *input;
    struct arena *arena;
    struct cordon_fault *fault;
    struct policy *policy;
    struct toml_value builtin; /* the three profiles, as a text would give them */
    struct toml_value managed; /* managed layers merged, rules aside */
    struct toml_value config;  /* the caller's layers and -c merged */
    struct rule_list own_rules;
    struct rule_list managed_rules;
    struct allowance allowance;
    size_t warning_size;
};

/* load.c */
CORDON_MUST_USE enum cordon_err loader_warn(struct loader *loader, const struct place *place,
                                            const char *text);

/* rules.c */
CORDON_MUST_USE enum cordon_err rules_add(struct loader *loader, struct rule_list *list,
                                          const struct policy_rule *rule);

/* One entry as written, and what it grants; @place is where. */
struct rule_entry {
    struct rule_list *list;
    const struct place *place;
    const char *text;
    enum policy_access access;
    const char *managed_dir; /* base of relative managed entries; NULL: not managed */
};
/* Expands the spelling for this caller and adds what it stands for. */
CORDON_MUST_USE enum cordon_err rules_add_entry(struct loader *loader,
                                                const struct rule_entry *entry);
/* The same for sub-path @sub (at @place) of scoped table @entry->text. */
CORDON_MUST_USE enum cordon_err rules_add_scoped(struct loader *loader,
                                                 const struct rule_entry *entry, const char *sub);
/*
 * Puts a profile's rules in the order their ids have: exact ones, deepest first,
 * then deny globs, then deny-write globs; of one path the strongest is kept. Two spellings are one
 * path where @fold_case.
 */
void rules_settle(struct rule_list *list, bool fold_case);

/* metadata.c: the generated rules below write roots; the list is settled before and after. */
CORDON_MUST_USE enum cordon_err metadata_protect(struct loader *loader, bool nested);

/* profile.c */
CORDON_MUST_USE enum cordon_err profile_builtin(struct loader *loader);
CORDON_MUST_USE enum cordon_err profile_lift(struct loader *loader, struct toml_value *permissions);
const struct toml_value *profile_find(const struct loader *loader, const char *name,
                                      bool *ret_managed);
/* The profile with what it extends; @pos is what named it. */
CORDON_MUST_USE enum cordon_err profile_resolve(struct loader *loader, const char *name,
                                                const struct toml_pos *pos,
                                                struct toml_value *ret_profile);
/* Fills the policy's own part. */
CORDON_MUST_USE enum cordon_err profile_compile(struct loader *loader, const struct choice *choice);

/* limits_read.c; CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err limits_managed(struct loader *loader);
/* Those of the configuration and of @profile, which is at @at. */
CORDON_MUST_USE enum cordon_err limits_own(struct loader *loader, const struct place *at,
                                           const struct toml_value *profile);

/* managed.c */
CORDON_MUST_USE enum cordon_err managed_document(struct loader *loader,
                                                 const struct policy_document *document,
                                                 struct toml_value *table);
CORDON_MUST_USE enum cordon_err managed_finish(struct loader *loader);
CORDON_MUST_USE enum cordon_err managed_check_choice(struct loader *loader,
                                                     const struct choice *choice);
CORDON_MUST_USE enum cordon_err managed_warn_reopened(struct loader *loader);

/* choose.c */
CORDON_MUST_USE enum cordon_err choose(struct loader *loader, struct choice *ret_choice);
unsigned choose_mode_bit(const char *mode);
/* The mode a built-in profile stands for; 0: not built in. */
unsigned choose_profile_bit(const char *name);

#endif

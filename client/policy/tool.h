/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cordon-policy: the verbs that read policy. It sees what a worker of the same
 * caller would see, with the same code.
 */
#ifndef CORDON_CLIENT_POLICY_TOOL_H
#define CORDON_CLIENT_POLICY_TOOL_H

#include "client/cli.h"
#include "platform/host.h"
#include "policy/policy.h"

struct tool {
    const struct cli *cli;
    bool json;
    struct arena arena;           /* everything below */
    struct strbuf out;            /* for standard output */
    struct managed_files managed; /* what was fetched last of all */
    struct fetched fetched;
    struct policy_context context;
    struct policy_document *documents;
    size_t document_count;
    struct policy *policy;
    struct dfa *managed_table, *own_table;
    const struct platform *platform; /* NULL: this build has none */
    struct platform_resolved resolved;
    bool is_resolved;
    struct plan *plan; /* NULL: see plan_fault */
    struct cordon_fault plan_fault;
};

/* A rule's place in its policy, for looking up labels. */
struct tool_rule {
    const struct policy_rule *rule; /* NULL: no entry covers the path */
    bool managed;
};

/* The back end of this host, or NULL. */
const struct platform *tool_platform(void);

/* The caller and where he is; changes to the directory of -C. */
CORDON_MUST_USE enum cordon_err tool_context(struct tool *tool, struct cordon_fault *fault);

/* Every document that counts for this caller. After tool_context(). */
CORDON_MUST_USE enum cordon_err tool_documents(struct tool *tool, struct cordon_fault *fault);

/* Fills in the text of @document from its path. */
CORDON_MUST_USE enum cordon_err tool_read(struct tool *tool, struct policy_document *document,
                                          struct cordon_fault *fault);

/* One document as if it were the only one there is; leaves tool->policy. */
CORDON_MUST_USE enum cordon_err tool_load_alone(struct tool *tool,
                                                const struct policy_document *document,
                                                const char *profile, struct cordon_fault *fault);

/* The effective policy with both tables, as the options of the command line choose. */
CORDON_MUST_USE enum cordon_err tool_policy(struct tool *tool, struct cordon_fault *fault);

/* The plan, for the labels; a plan that cannot be made leaves plan_fault. */
void tool_plan(struct tool *tool);

/* "kernel", "snapshot", ...; a reservation in *ret_note, or NULL. */
const char *tool_enforced(const struct tool *tool, const struct tool_rule *rule,
                          const char **ret_note);

/* @path made absolute with the working directory or, after "~/", the home; normalised. */
const char *tool_absolute(struct tool *tool, const char *path);

struct tool_answer {
    bool allow;
    struct tool_rule rule;
    const char *path;     /* absolute, as asked */
    const char *resolved; /* where its links lead; NULL: nowhere else */
};
/* What the policy says: of a path and of what it leads to, the stricter answer. CORDON_E_INVALID:
 * it is no path of this system's. */
CORDON_MUST_USE enum cordon_err tool_ask(struct tool *tool, const char *path,
                                         enum policy_question question,
                                         struct tool_answer *ret_answer,
                                         struct cordon_fault *fault);

/* "deny \"~/.ssh\"" */
void tool_rule_text(const struct policy_rule *rule, struct strbuf *out);
/* The members of a rule, in the object that is open. */
struct jsonw;
void tool_rule_json(const struct tool *tool, const struct tool_rule *rule, struct jsonw *json);

/* One line, or one object, about a failure; returns 1. */
int tool_fail(struct tool *tool, const struct cordon_fault *fault);

/* The verbs; the exit status. Each writes to tool->out. */
int verb_why(struct tool *tool);
int verb_show(struct tool *tool);
int verb_check(struct tool *tool);
int verb_test(struct tool *tool);
int verb_keygen(struct tool *tool);
int verb_sign(struct tool *tool);
int verb_verify(struct tool *tool);
int verb_doctor(struct tool *tool);

#endif

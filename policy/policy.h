/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From texts to one effective policy, and from a policy to verdicts.
 * Pure: no file, clock, environment or errno; everything is passed in.
 */
#ifndef CORDON_POLICY_POLICY_H
#define CORDON_POLICY_POLICY_H

#include "platform/base/arena.h"
#include "platform/base/strbuf.h"
#include "policy/dfa.h"
#include "policy/limits.h"
#include "policy/types.h"

/* One configuration file, already read (at most POLICY_FILE_MAX bytes). */
#define POLICY_FILE_MAX (1024U * 1024U)
/* The path of a document that was fetched begins so: "fetch:URL#GENERATION". */
#define FETCH_PREFIX "fetch:"
struct policy_document {
    enum policy_layer layer; /* one of the four file layers */
    const char *path;        /* for messages, and the base of relative managed entries */
    const char *text;
    size_t len;
};

/* Who asks, from where: what a policy's spellings are resolved against. */
struct policy_context {
    enum policy_os os;
    const char *home;    /* from the user database, absolute; NULL: the user has none */
    const char *user;    /* login name; NULL when unknown */
    const char **groups; /* group names; group_count of them */
    size_t group_count;
    const char *hostname;
    const char *cwd;    /* absolute; the job's working directory */
    const char *tmpdir; /* $TMPDIR of the caller; NULL when unset */
    bool slash_tmp;     /* /tmp is a directory */
};

/* What the command line says. Every field may be NULL / 0. */
struct policy_choice {
    const char *mode;             /* -s / --sandbox */
    const char *profile;          /* -P / --permission-profile */
    const char *const *overrides; /* -c "key=value", in order */
    size_t override_count;
};

struct policy_input {
    const struct policy_document *documents; /* any order; layers decide */
    size_t document_count;
    struct policy_context context;
    struct policy_choice choice;
};

/*
 * Reads and merges everything into *ret_policy, which lives in @arena.
 * With nothing configured the profile is ":read-only".
 *
 * CORDON_E_SYNTAX, _INVALID   fault.text is "FILE:LINE:COLUMN: what", remedy may
 *                             hold "did you mean ..."
 * CORDON_E_DENIED             the managed layers forbid the mode or profile asked for
 * CORDON_E_LIMIT, _NOMEM
 */
CORDON_MUST_USE enum cordon_err policy_load(const struct policy_input *input, struct arena *arena,
                                            struct policy **ret_policy, struct cordon_fault *fault);

/*
 * The managed part alone, as the supervisor needs it: documents of the two
 * managed layers in, rules and allowances out (profile ":read-only"). Others
 * are ignored.
 */
CORDON_MUST_USE enum cordon_err policy_load_managed(const struct policy_input *input,
                                                    struct arena *arena, struct policy **ret_policy,
                                                    struct cordon_fault *fault);

/* Compiles one set; *ret_table is malloc'ed, release with dfa_free(). */
CORDON_MUST_USE enum cordon_err policy_compile(const struct policy_ruleset *set, enum policy_os os,
                                               struct dfa **ret_table, struct cordon_fault *fault);

enum policy_question { ASK_READ, ASK_WRITE };

struct policy_verdict {
    bool allow;
    bool managed;                   /* the deciding rule is of the managed set */
    const struct policy_rule *rule; /* NULL: no entry covers the path */
};

/*
 * @path, absolute as @os has it ("C:\\x"), in the form that policy_eval() takes ("/C:/x");
 * @arena's. CORDON_E_INVALID: it is none; CORDON_E_NOMEM.
 */
CORDON_MUST_USE enum cordon_err policy_subject(const char *path, enum policy_os os,
                                               struct arena *arena, const char **ret_subject);

/*
 * The oracle: what @policy says about @path (absolute, normalised). The tables
 * are those of policy_compile() for policy->managed and policy->own.
 */
struct policy_verdict policy_eval(const struct policy *policy, const struct dfa *managed,
                                  const struct dfa *own, const char *path, size_t path_len,
                                  enum policy_question question);

/* "deny_read[2], /etc/cordon/requirements.toml:7" */
void policy_origin_text(const struct policy_origin *origin, struct strbuf *out);

/* "64 MiB (cordon.limits.memory_mib, /etc/cordon/requirements.toml:7)" */
void policy_limit_text(enum policy_limit limit, const struct policy_limit_value *value,
                       struct strbuf *out);

/* Canonical text of the whole effective policy: equal policies, equal bytes. */
void policy_dump(const struct policy *policy, struct strbuf *out);

#define POLICY_HASH_HEX 65U /* SHA-256 in hexadecimal, with its NUL */
/* SHA-256 of policy_dump(). CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err policy_hash(const struct policy *policy,
                                            char ret_hex[POLICY_HASH_HEX]);

#endif

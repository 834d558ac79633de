/* SPDX-License-Identifier: Apache-2.0 */
/* A path as people write it: what kind it is, and what it means for a caller. */
#ifndef CORDON_POLICY_SPELLING_H
#define CORDON_POLICY_SPELLING_H

#include "policy/place.h"
#include "policy/policy.h"

enum spelling_kind {
    SPELL_ABSOLUTE,
    SPELL_HOME,     /* ~ and ~/... */
    SPELL_RELATIVE, /* managed entries and sub-paths only */
    SPELL_ROOT,
    SPELL_MINIMAL,
    SPELL_WORKSPACE,
    SPELL_TMPDIR,
    SPELL_SLASH_TMP
};

struct spelling {
    enum spelling_kind kind;
    const char *rest; /* what follows the start that the kind names */
    size_t rest_len;  /* without a trailing slash and two stars, if stripped */
    bool glob;
    bool scoped; /* may have a table of sub-paths */
    bool unc;    /* the rest begins with a server and a share */
};

/*
 * Reads one spelling of a filesystem entry with @access. The fault names it.
 * CORDON_E_INVALID.
 */
CORDON_MUST_USE enum cordon_err spelling_parse(const char *text, enum policy_access access,
                                               const struct toml_pos *pos,
                                               struct spelling *ret_spelling,
                                               struct cordon_fault *fault);

/* As spelling_parse() for a sub-path of a scoped table: relative, no "..". */
CORDON_MUST_USE enum cordon_err spelling_parse_sub(const char *text, enum policy_access access,
                                                   const struct toml_pos *pos,
                                                   struct spelling *ret_spelling,
                                                   struct cordon_fault *fault);

/* As spelling_parse() for a managed deny: may be relative, not a special. */
CORDON_MUST_USE enum cordon_err spelling_parse_managed(const char *text, const struct toml_pos *pos,
                                                       struct spelling *ret_spelling,
                                                       struct cordon_fault *fault);

/*
 * @base (absolute, literal) and the spelling's rest as one normalised pattern
 * in @arena. @text and @pos are for the fault.
 * CORDON_E_INVALID  over-long, a bad glob, ".." after a wildcard; CORDON_E_NOMEM
 */
struct spelling_use {
    const char *text;
    struct toml_pos pos;
    enum policy_os os;
    struct arena *arena;
    struct cordon_fault *fault;
};
CORDON_MUST_USE enum cordon_err spelling_join(const struct spelling_use *use, const char *base,
                                              const struct spelling *spelling,
                                              const char **ret_pattern);

/* @text with what a glob would read as wildcards escaped, in @arena; NULL when exhausted. */
const char *spelling_escape(const char *text, struct arena *arena);

/*
 * @path (absolute; on Windows also "C:\..." and "\\server\share\...", which is
 * "/UNC/server/share/..." as a pattern) normalised, in @arena.
 * CORDON_E_INVALID  it is not absolute; CORDON_E_NOMEM. No fault is set.
 */
CORDON_MUST_USE enum cordon_err spelling_normal(const char *path, enum policy_os os,
                                                struct arena *arena, const char **ret_path);

/* @path is @above or lies below it, by components. */
bool spelling_covers(const char *above, const char *path, size_t path_len, bool fold_case);

#endif

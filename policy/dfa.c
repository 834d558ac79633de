/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiling a set of rules. How it is done, and what else was thought of
 * (decisions of 2026-11-23):
 *
 * - A pattern's automaton decides about the path that it matches, not about what
 *   lies below. That is remembered by the walk (dfa_pos.covered, the best rank
 *   passed so far). With it in the states, n floating rules need n times as many:
 *   each state of the names times each rule that may cover already.
 * - All rules have one order, "rank": class, then what decides within it. Glob
 *   rules of DFA_EXACT count the components of their pattern, "**" as none, and
 *   of several spellings the fewest.
 * - Patterns become a tree of tokens before they become sets of states, so that
 *   rules with one beginning share it.
 * - A small set is one automaton. A large one, or one that multiplies, has its
 *   literal patterns in one part (their tree is their automaton, and minimal) and
 *   its globs in the others, by estimated cost (dfa_split.c).
 * - An automaton that explodes is given up after a bounded amount of work, and
 *   the rule named is the one that tells most states apart: the one to change,
 *   which the last one added need not be.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/dfa_mem.h"
#include "policy/dfa_nfa.h"
#include "policy/dfa_pack.h"
#include "policy/dfa_split.h"

/* Sets that are tried as one automaton first, and what may be spent on it: a caller's first job
 * waits for that, and a larger one takes longer to make than its parts together, and has more
 * bytes. */
#define MERGE_RULES_MAX 16U
#define MERGE_BYTES_MAX (64U * 1024U)
#define MERGE_WORK_MAX (1U << 20U)
/* What may be spent on a set: well under a second. */
#define WORK_MAX (24U << 20U)
/* Spellings of all rules. */
#define SPELLINGS_MAX (1U << 20U)
/* Offsets in a table have 32 bits. */
#define TABLE_BYTES_MAX (UINT32_MAX / 2)
/* A table is at least as large as its tree of literal patterns: one state, one cell a node. */
#define LITERAL_NODE_BYTES 24U
/* The part of the literal patterns, when they have one of their own. */
#define LITERAL_PART 0U

struct ranking {
    enum dfa_class cls;
    uint32_t components;
    uint8_t prefer;
    uint32_t rule;
};

/* A spelling of a glob that is to be given a part. */
struct collected {
    size_t first; /* token */
    uint32_t count;
    uint32_t rule;
};

struct compile {
    const struct dfa_rule *rules;
    size_t count;
    bool fold_case;
    bool merged; /* everything goes to one part */
    uint64_t max_bytes;
    uint64_t used; /* bytes of the parts so far; not above max_bytes */
    uint64_t work; /* what may still be spent; see struct nfa_limits */
    struct glob_sets sets;
    uint32_t *rank;  /* by rule */
    uint32_t *order; /* rules by rank */
    struct nfa nfa[DFA_PARTS];
    struct packed packed[DFA_PARTS];
    struct collected *globs;
    size_t glob_count;
    size_t glob_cap;
    struct glob_token *tokens;
    size_t token_count;
    size_t token_cap;
    uint32_t spellings;       /* read so far in this attempt */
    uint32_t components;      /* the fewest of the spellings of the rule being ranked */
    uint32_t last[DFA_PARTS]; /* the rule that made each part's last node */
    uint32_t rule;            /* the one being read, or to blame */
    struct cordon_fault *fault;
};

static int ranking_order(const void *left, const void *right)
{
    const struct ranking *a = left;
    const struct ranking *b = right;

    if (a->cls != b->cls) {
        return a->cls > b->cls ? -1 : 1;
    }
    if (a->cls == DFA_EXACT && a->components != b->components) {
        return a->components > b->components ? -1 : 1;
    }
    if (a->cls == DFA_EXACT && a->prefer != b->prefer) {
        return a->prefer > b->prefer ? -1 : 1;
    }
    return (a->rule > b->rule) - (a->rule < b->rule);
}

/* Braces are cheap to write and dear to expand: the whole set has a share of it. */
static enum cordon_err charge_spelling(struct compile *compile)
{
    return ++compile->spellings > SPELLINGS_MAX ? CORDON_E_LIMIT : CORDON_OK;
}

static enum cordon_err visit_components(void *context, const struct glob_spelling *spelling)
{
    struct compile *compile = context;

    if (spelling->components < compile->components) {
        compile->components = spelling->components;
    }
    return charge_spelling(compile);
}

static enum cordon_err read_rule(struct compile *compile, uint32_t rule, glob_visit *visit)
{
    const struct dfa_rule *of = &compile->rules[rule];
    const struct glob_reader reader = {&compile->sets, compile->fold_case, !of->glob, visit,
                                       compile};

    compile->rule = rule;
    return glob_read(&reader, of->pattern, of->len, compile->fault);
}

static enum cordon_err rank_rules(struct compile *compile)
{
    struct ranking *all = calloc(compile->count + 1, sizeof(*all));
    enum cordon_err err = CORDON_OK;

    compile->rank = calloc(compile->count + 1, sizeof(*compile->rank));
    compile->order = calloc(compile->count + 1, sizeof(*compile->order));
    if (all == NULL || compile->rank == NULL || compile->order == NULL) {
        free(all);
        return CORDON_E_NOMEM;
    }
    for (uint32_t i = 0; i < compile->count && err == CORDON_OK; i++) {
        const struct dfa_rule *rule = &compile->rules[i];

        all[i] = (struct ranking){rule->cls, UINT32_MAX, rule->prefer, i};
        if ((unsigned)rule->cls > DFA_OVERRIDING) {
            compile->rule = i;
            err = fault_set(compile->fault, CORDON_E_INVALID, NULL, "a rule of no known class");
        } else if (rule->cls == DFA_EXACT) {
            compile->components = UINT32_MAX;
            err = read_rule(compile, i, visit_components);
            all[i].components = compile->components;
        }
    }
    if (err == CORDON_OK) {
        qsort(all, compile->count, sizeof(*all), ranking_order);
        for (uint32_t i = 0; i < compile->count; i++) {
            compile->order[i] = all[i].rule;
            compile->rank[all[i].rule] = i;
        }
    }
    free(all);
    return err;
}

/* Keeps a glob for later: which part it goes to depends on the others. */
static enum cordon_err collect(struct compile *compile, const struct glob_spelling *spelling)
{
    struct collected *globs =
        mem_reserve(compile->globs, &compile->glob_cap, compile->glob_count + 1, sizeof(*globs));
    struct glob_token *tokens;

    if (globs == NULL) {
        return CORDON_E_NOMEM;
    }
    compile->globs = globs;
    tokens = mem_reserve(compile->tokens, &compile->token_cap,
                         compile->token_count + spelling->count, sizeof(*tokens));
    if (tokens == NULL) {
        return CORDON_E_NOMEM;
    }
    compile->tokens = tokens;
    memcpy(tokens + compile->token_count, spelling->tokens, spelling->count * sizeof(*tokens));
    globs[compile->glob_count++] =
        (struct collected){compile->token_count, (uint32_t)spelling->count, compile->rule};
    compile->token_count += spelling->count;
    return compile->token_count * sizeof(*tokens) > compile->max_bytes ? CORDON_E_LIMIT : CORDON_OK;
}

static enum cordon_err visit_rule(void *context, const struct glob_spelling *spelling)
{
    struct compile *compile = context;
    struct nfa *nfa = &compile->nfa[LITERAL_PART];
    const uint64_t most = compile->merged ? MERGE_BYTES_MAX : compile->max_bytes;
    enum cordon_err err = charge_spelling(compile);

    if (err != CORDON_OK) {
        return err;
    }
    if (!compile->merged && !spelling->literal) {
        return collect(compile, spelling);
    }
    err = nfa_add(nfa, &compile->sets, spelling, compile->rank[compile->rule], compile->rule);
    if (err == CORDON_OK && (uint64_t)nfa->count * LITERAL_NODE_BYTES > most) {
        err = CORDON_E_LIMIT;
    }
    return err;
}

/* Gives the collected globs to the parts behind the literal one. */
static enum cordon_err distribute(struct compile *compile)
{
    struct split_glob *globs = calloc(compile->glob_count + 1, sizeof(*globs));
    enum cordon_err err;

    if (globs == NULL) {
        return CORDON_E_NOMEM;
    }
    for (size_t i = 0; i < compile->glob_count; i++) {
        globs[i].tokens = compile->tokens + compile->globs[i].first;
        globs[i].count = compile->globs[i].count;
    }
    err = split_globs(globs, compile->glob_count, DFA_PARTS - 1);
    for (size_t i = 0; i < compile->glob_count && err == CORDON_OK; i++) {
        const struct glob_spelling spelling = {globs[i].tokens, globs[i].count, 0, false};

        compile->rule = compile->globs[i].rule;
        err = nfa_add(&compile->nfa[LITERAL_PART + 1 + globs[i].part], &compile->sets, &spelling,
                      compile->rank[compile->rule], compile->rule);
    }
    free(globs);
    return err;
}

static enum cordon_err build_glob_part(struct compile *compile, const struct nfa *nfa,
                                       struct fsm *fsm)
{
    /* Twice, because minimising follows; what is twice too large would hardly fit after it. */
    struct nfa_limits limits = {2 * (compile->max_bytes - compile->used), compile->work};
    enum cordon_err err;

    if (compile->merged && limits.bytes > MERGE_BYTES_MAX) {
        limits.bytes = MERGE_BYTES_MAX;
    }
    err = nfa_to_fsm(nfa, &compile->sets, &limits, fsm, &compile->rule);
    compile->work = limits.work;
    return err == CORDON_OK ? fsm_minimise(fsm) : err;
}

static enum cordon_err build_part(struct compile *compile, uint32_t part)
{
    struct nfa *nfa = &compile->nfa[part];
    struct fsm fsm;
    enum cordon_err err;

    memset(&fsm, 0, sizeof(fsm));
    nfa_finish(nfa);
    nfa_classes(nfa, &compile->sets, compile->fold_case, &fsm);
    if (part == LITERAL_PART && !compile->merged) {
        err = nfa_tree_to_fsm(nfa, &fsm);
    } else {
        err = build_glob_part(compile, nfa, &fsm);
    }
    if (err == CORDON_OK) {
        err = fsm_pack(&fsm, &compile->packed[part]);
    }
    fsm_deinit(&fsm);
    nfa_deinit(nfa);
    return err;
}

static void drop_parts(struct compile *compile)
{
    for (uint32_t part = 0; part < DFA_PARTS; part++) {
        nfa_deinit(&compile->nfa[part]);
        packed_deinit(&compile->packed[part]);
    }
}

static uint64_t round_up(uint64_t size)
{
    return (size + 7U) / 8U * 8U;
}

/*
 * Sets compile->used to the size of the block so far. If that is too much,
 * compile->rule is the last one of the largest part.
 */
static enum cordon_err measure(struct compile *compile)
{
    uint64_t size = sizeof(struct dfa) + round_up(compile->count * sizeof(uint32_t));
    uint64_t largest = 0;
    uint32_t rule = compile->count > 0 ? (uint32_t)compile->count - 1 : 0;

    for (uint32_t part = 0; part < DFA_PARTS; part++) {
        const uint64_t own = packed_size(&compile->packed[part]);

        size += own;
        if (own > largest) {
            largest = own;
            rule = compile->last[part];
        }
    }
    compile->used = size;
    if (size > compile->max_bytes) {
        compile->rule = rule;
        return CORDON_E_LIMIT;
    }
    return CORDON_OK;
}

/* From rules to packed parts, as compile->merged says. */
static enum cordon_err build(struct compile *compile)
{
    enum cordon_err err = CORDON_OK;

    for (uint32_t i = 0; i < compile->count && err == CORDON_OK; i++) {
        err = read_rule(compile, i, visit_rule);
    }
    if (err == CORDON_OK && !compile->merged) {
        err = distribute(compile);
    }
    if (err == CORDON_OK) {
        err = measure(compile);
    }
    for (uint32_t part = 0; part < DFA_PARTS && err == CORDON_OK; part++) {
        if (compile->nfa[part].count > 0) {
            compile->last[part] = compile->nfa[part].nodes[compile->nfa[part].count - 1].owner;
            err = build_part(compile, part);
        }
        if (err == CORDON_OK) {
            err = measure(compile);
        }
    }
    return err;
}

static uint32_t put_bytes(struct dfa *table, uint64_t *used, const void *bytes, size_t size)
{
    const uint32_t offset = (uint32_t)*used;

    if (size > 0) {
        memcpy((unsigned char *)table + offset, bytes, size);
    }
    *used = round_up(*used + size);
    return offset;
}

/* Parts that are there come first in the table, whatever their number was. */
static enum cordon_err assemble(struct compile *compile, struct dfa **ret_table)
{
    struct dfa *table = calloc(1, (size_t)compile->used);
    uint64_t used = sizeof(*table);
    uint32_t count = 0;

    if (table == NULL) {
        return CORDON_E_NOMEM;
    }
    table->magic = DFA_MAGIC;
    table->version = DFA_VERSION;
    table->size = compile->used;
    table->ranks = (uint32_t)compile->count;
    table->ranks_off = put_bytes(table, &used, compile->order, compile->count * sizeof(uint32_t));
    for (uint32_t i = 0; i < DFA_PARTS; i++) {
        const struct packed *packed = &compile->packed[i];
        struct dfa_part *part = &table->part[count];

        if (packed->part.states > 0) {
            *part = packed->part;
            part->states_off =
                put_bytes(table, &used, packed->states, part->states * sizeof(*packed->states));
            part->cells_off =
                put_bytes(table, &used, packed->cells, part->cells * sizeof(*packed->cells));
            count++;
        }
    }
    *ret_table = table;
    return CORDON_OK;
}

static enum cordon_err attempt(struct compile *compile, bool merged, struct dfa **ret_table)
{
    enum cordon_err err;

    compile->merged = merged;
    compile->spellings = 0;
    compile->work = merged ? MERGE_WORK_MAX : WORK_MAX;
    err = build(compile);
    if (err == CORDON_OK) {
        err = assemble(compile, ret_table);
    }
    drop_parts(compile);
    return err;
}

static enum cordon_err compile_run(struct compile *compile, struct dfa **ret_table)
{
    enum cordon_err err = glob_sets_init(&compile->sets);

    if (err == CORDON_OK) {
        err = rank_rules(compile);
    }
    if (err == CORDON_OK) {
        err = CORDON_E_LIMIT;
        if (compile->count <= MERGE_RULES_MAX) {
            err = attempt(compile, true, ret_table);
        }
        if (err == CORDON_E_LIMIT) {
            err = attempt(compile, false, ret_table);
        }
    }
    return err;
}

static enum cordon_err compile_fault(const struct compile *compile, enum cordon_err err)
{
    if (err == CORDON_E_NOMEM) {
        return fault_set(compile->fault, err, NULL, "out of memory compiling %zu rules",
                         compile->count);
    }
    if (err == CORDON_E_LIMIT) {
        return fault_set(compile->fault, err,
                         "use fewer '*', '?' and \"**\" in one pattern, or fewer rules",
                         "the rules' table would pass %llu bytes with this rule",
                         (unsigned long long)compile->max_bytes);
    }
    return err;
}

enum cordon_err dfa_compile(const struct dfa_rule *rules, size_t count,
                            const struct dfa_options *options, struct dfa **ret_table,
                            uint32_t *ret_rule, struct cordon_fault *fault)
{
    struct compile *compile = calloc(1, sizeof(*compile));
    enum cordon_err err;

    if (compile == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory compiling %zu rules", count);
    }
    compile->rules = rules;
    compile->count = count;
    compile->fold_case = options->fold_case;
    compile->max_bytes =
        options->max_bytes < TABLE_BYTES_MAX ? options->max_bytes : TABLE_BYTES_MAX;
    compile->fault = fault;
    if (count >= DFA_NO_RULE) {
        err = CORDON_E_LIMIT;
    } else {
        err = compile_run(compile, ret_table);
    }
    if (err != CORDON_OK) {
        *ret_rule = compile->rule;
        err = compile_fault(compile, err);
    }
    glob_sets_deinit(&compile->sets);
    free(compile->rank);
    free(compile->order);
    free(compile->globs);
    free(compile->tokens);
    free(compile);
    return err;
}

void dfa_free(struct dfa *table)
{
    free(table);
}

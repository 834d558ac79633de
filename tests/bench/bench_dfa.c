/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The matcher's bars: time, size and memory of compiling generated corpora, and
 * time of patterns made to be slow. Prints one line each; exits 1 if one misses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "policy/dfa.h"
#include "policy/dfa_format.h"
#include "tests/support/corpus.h"

#define MIB (1024.0 * 1024.0)
#define PEAK_MIB_MAX 512.0
#define LONG_PATH 4096
#define LONG_PATH_MS_MAX 1.0
#define REFUSAL_MS_MAX 2000.0
#define ROUNDS 3

static bool missed;

static double now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double peak_mib(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024.0;
}

static const char *bar(bool holds)
{
    missed = missed || !holds;
    return holds ? "PASS" : "FAIL";
}

static uint32_t states_of(const struct dfa *table)
{
    uint32_t states = 0;

    for (uint32_t i = 0; i < DFA_PARTS; i++) {
        states += table->part[i].states;
    }
    return states;
}

/* The median of three, since one run in a busy machine says little. */
static double compile_ms(const struct dfa_rule *rules, size_t count, struct dfa **ret_table)
{
    double ms[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        struct cordon_fault fault;
        const double start = now_ms();
        uint32_t rule;

        dfa_free(*ret_table);
        if (dfa_compile(rules, count, DFA_OPTIONS(false, DFA_BYTES_MAX), ret_table, &rule,
                        &fault) != CORDON_OK) {
            (void)printf("FAIL rule %u: %s\n", rule, fault.text);
            exit(1);
        }
        ms[i] = now_ms() - start;
    }
    if ((ms[0] <= ms[1]) == (ms[1] <= ms[2])) {
        return ms[1];
    }
    return (ms[0] <= ms[2]) == (ms[2] <= ms[1]) ? ms[2] : ms[0];
}

static void bench_corpus(size_t count, double ms_max, double mib_max)
{
    static const char *const names[] = {"below /", "below a workspace", "both"};

    for (int kind = 0; kind < (int)CORPUS_KINDS; kind++) {
        struct dfa_rule *rules = corpus_new(count, (enum corpus_kind)kind, 1);
        struct dfa *table = NULL;
        const double ms = compile_ms(rules, count, &table);
        const double mib = (double)dfa_size(table) / MIB;

        (void)printf("%s %zu rules, floating %s: %.1f ms (%.0f), %.2f MiB (%.0f), %u states\n",
                     bar(ms <= ms_max && mib <= mib_max), count, names[kind], ms, ms_max, mib,
                     mib_max, states_of(table));
        dfa_free(table);
        corpus_free(rules, count);
    }
}

static struct dfa_rule glob_rule(const char *pattern)
{
    return (struct dfa_rule){pattern, strlen(pattern), true, DFA_OVERRIDING, 0};
}

static void bench_long_path(void)
{
    const struct dfa_rule rule = glob_rule("/**/**/**/*a*a*a*a*b");
    struct dfa *table = NULL;
    const double compiled = compile_ms(&rule, 1, &table);
    char path[LONG_PATH];
    uint32_t found;
    double start;
    double ms;

    memset(path, 'a', sizeof(path));
    for (size_t i = 0; i < sizeof(path); i += 64) {
        path[i] = '/';
    }
    start = now_ms();
    found = dfa_match(table, path, sizeof(path));
    ms = now_ms() - start;
    (void)printf("%s %s: compiled in %.1f ms, 4096 bytes matched in %.3f ms (%.0f)\n",
                 bar(ms <= LONG_PATH_MS_MAX && found == DFA_NO_RULE), rule.pattern, compiled, ms,
                 LONG_PATH_MS_MAX);
    dfa_free(table);
}

/* A pattern whose automaton is too large, among others that are not to blame. */
static void bench_refusal(const char *pattern)
{
    const struct dfa_rule rules[] = {glob_rule("/**/*.env"), glob_rule("/**/.git/**/config"),
                                     glob_rule(pattern), glob_rule("/srv/**/*.key")};
    struct dfa *table = NULL;
    uint32_t blamed = 0;
    const double start = now_ms();
    const enum cordon_err err =
        dfa_compile(rules, 4, DFA_OPTIONS(false, DFA_BYTES_MAX), &table, &blamed, NULL);
    const double ms = now_ms() - start;

    (void)printf("%s %s: refused in %.0f ms (%.0f), rule %u (2)\n",
                 bar(err == CORDON_E_LIMIT && blamed == 2 && ms <= REFUSAL_MS_MAX), pattern, ms,
                 REFUSAL_MS_MAX, blamed);
    dfa_free(table);
}

int main(void)
{
    bench_corpus(1000, 100.0, 8.0);
    bench_corpus(10000, 2000.0, 64.0);
    bench_long_path();
    bench_refusal("/**/*a??????????????????????");
    bench_refusal("/**/a*/**/b*/**/c*/**/*d?????????????????");
    (void)printf("%s peak memory %.0f MiB (%.0f)\n", bar(peak_mib() <= PEAK_MIB_MAX), peak_mib(),
                 PEAK_MIB_MAX);
    return missed ? 1 : 0;
}

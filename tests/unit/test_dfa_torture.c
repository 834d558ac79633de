/* SPDX-License-Identifier: Apache-2.0 */
/* The n-th allocation fails, n = 1, 2, ...: a clean error each time, and nothing left. */
#include <stdbool.h>

#include "policy/dfa.h"
#include "tests/support/check.h"

static long fail_at; /* which allocation from now on fails; 0: none */
static long live;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *old);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *old);

static bool fails(void)
{
    return fail_at > 0 && --fail_at == 0;
}

void *__wrap_malloc(size_t size)
{
    void *fresh = fails() ? NULL : __real_malloc(size);

    live += fresh != NULL;
    return fresh;
}

void *__wrap_calloc(size_t count, size_t size)
{
    void *fresh = fails() ? NULL : __real_calloc(count, size);

    live += fresh != NULL;
    return fresh;
}

void *__wrap_realloc(void *old, size_t size)
{
    void *fresh = fails() ? NULL : __real_realloc(old, size);

    live += fresh != NULL && old == NULL;
    return fresh;
}

void __wrap_free(void *old)
{
    live -= old != NULL;
    __real_free(old);
}

#define GLOB(pattern)                                                                              \
    {                                                                                              \
        pattern, sizeof(pattern) - 1, true, DFA_OVERRIDING, 0                                      \
    }

static const struct dfa_rule small[] = {
    {"/home/anna", 10, false, DFA_EXACT, 0},
    GLOB("/**/*.{pem,key}"),
    GLOB("/srv/**/x?[!a-c\xC3\xA9-\xE2\x82\xAC]/**"),
    {"/a/*/b", 6, true, DFA_EXACT, 0},
};

/* One that multiplies: the attempt as one automaton fails, the split succeeds. */
static const struct dfa_rule split[] = {
    {"/home/anna", 10, false, DFA_EXACT, 0},
    GLOB("/**/da/**/fa"),
    GLOB("/**/db/**/fb"),
    GLOB("/**/dc/**/fc"),
    GLOB("/**/dd/**/fd"),
    GLOB("/x/**/de/**/fe"),
    GLOB("/x/y/**/df/**/ff"),
    GLOB("/**/dg/**/fg"),
    GLOB("/**/dh/**/fh"),
    GLOB("/**/di/**/fi"),
    GLOB("/**/dj/**/fj"),
    GLOB("/**/dk/**/fk"),
};

static void torture(const struct dfa_rule *rules, size_t count, size_t max_bytes,
                    enum cordon_err want)
{
    const long before = live;
    enum cordon_err err = CORDON_E_NOMEM;

    for (long n = 1; err == CORDON_E_NOMEM; n++) {
        struct cordon_fault fault;
        struct dfa *table = NULL;
        uint32_t rule;

        fail_at = n;
        err = dfa_compile(rules, count, DFA_OPTIONS(true, max_bytes), &table, &rule, &fault);
        CHECK(err == CORDON_E_NOMEM ? fault.err == err && table == NULL : fail_at > 0);
        fail_at = 0;
        dfa_free(table);
        CHECK(live == before);
    }
    CHECK(err == want);
}

TEST(compiling_survives_every_failed_allocation)
{
    torture(small, sizeof(small) / sizeof(small[0]), DFA_BYTES_MAX, CORDON_OK);
}

TEST(splitting_survives_every_failed_allocation)
{
    torture(split, sizeof(split) / sizeof(split[0]), DFA_BYTES_MAX, CORDON_OK);
}

TEST(refusing_survives_every_failed_allocation)
{
    torture(split, sizeof(split) / sizeof(split[0]), 4096, CORDON_E_LIMIT);
}

TEST(checking_survives_every_failed_allocation)
{
    static const char pattern[] = "/{a,[b-d]}/**/?x*";
    const long before = live;
    enum cordon_err err = CORDON_E_NOMEM;

    for (long n = 1; err == CORDON_E_NOMEM; n++) {
        struct cordon_fault fault;

        fail_at = n;
        err = glob_check(pattern, sizeof(pattern) - 1, &fault);
        fail_at = 0;
        CHECK(live == before);
    }
    CHECK(err == CORDON_OK);
}

TEST_MAIN()

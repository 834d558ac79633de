/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unit tests' frame: TEST(rule_it_states) { CHECK(...); } and one
 * TEST_MAIN() a file. A failed CHECK names file, line and expression, ends
 * that test, and the program exits 1. Arguments select tests by substring.
 */
#ifndef CORDON_TESTS_CHECK_H
#define CORDON_TESTS_CHECK_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check_test {
    const char *name;
    void (*run)(void);
    struct check_test *next;
};

static struct check_test *check_first;
static struct check_test **check_last = &check_first;
static jmp_buf check_escape;

/* In the order of the file: without a priority Windows would run constructors from the last. */
#define TEST(id)                                                                                   \
    static void test_##id(void);                                                                   \
    static struct check_test check_##id = {#id, test_##id, NULL};                                  \
    __attribute__((constructor(101 + __COUNTER__))) static void check_add_##id(void)               \
    {                                                                                              \
        *check_last = &check_##id;                                                                 \
        check_last = &check_##id.next;                                                             \
    }                                                                                              \
    static void test_##id(void)

static inline void check_fail(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
    longjmp(check_escape, 1);
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            check_fail(__FILE__, __LINE__, #condition);                                            \
        }                                                                                          \
    } while (0)

#define CHECK_STR(got, want)                                                                       \
    do {                                                                                           \
        const char *check_got = (got);                                                             \
        const char *check_want = (want);                                                           \
        if (check_got == NULL || strcmp(check_got, check_want) != 0) {                             \
            (void)fprintf(stderr, "  got:  %s\n  want: %s\n",                                      \
                          check_got == NULL ? "(null)" : check_got, check_want);                   \
            check_fail(__FILE__, __LINE__, #got " == " #want);                                     \
        }                                                                                          \
    } while (0)

/* Apart from check_main(), so that none of its variables lives across the longjmp. */
__attribute__((noinline)) static bool check_survives(const struct check_test *test)
{
    if (setjmp(check_escape) != 0) {
        return false;
    }
    test->run();
    return true;
}

static inline int check_main(int argc, char **argv)
{
    int failed = 0;
    int passed = 0;

    for (struct check_test *test = check_first; test != NULL; test = test->next) {
        if (argc > 1 && strstr(test->name, argv[1]) == NULL) {
            continue;
        }
        if (check_survives(test)) {
            passed++;
        } else {
            (void)fprintf(stderr, "FAIL %s\n", test->name);
            failed++;
        }
    }
    (void)printf("%d passed, %d failed\n", passed, failed);
    return failed != 0 || passed == 0;
}

#define TEST_MAIN()                                                                                \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return check_main(argc, argv);                                                             \
    }

#endif

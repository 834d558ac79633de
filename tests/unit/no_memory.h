/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th allocation while @armed fails, or all from there on; what is allocated inside a call of
 * the system's (api_tap.h) does not. For a program that is linked with --wrap=malloc,--wrap=calloc,
 * --wrap=realloc.
 */
#ifndef CORDON_TESTS_NO_MEMORY_H
#define CORDON_TESTS_NO_MEMORY_H

#include "tests/support/api_tap.h"
#include "tests/support/check.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t number, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool armed, and_on; /* and all that follow it */
static unsigned allocations, fail_at;

static bool fails(void)
{
    if (!armed || api_tap_inside != 0) {
        return false;
    }
    allocations++;
    return allocations == fail_at || (and_on && allocations > fail_at);
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t number, size_t size)
{
    return fails() ? NULL : __real_calloc(number, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

/*
 * @once with each of its allocations failing, then with all from each on, until it makes no more;
 * it counts what was refused, of which there are more than @least.
 */
static void no_memory_each(bool (*once)(unsigned *refused), unsigned least)
{
    for (unsigned way = 0; way < 2; way++) {
        unsigned refused = 0;

        and_on = way == 1;
        fail_at = 1;
        while (once(&refused)) {
            fail_at++;
        }
        CHECK(refused > least);
    }
}

#endif

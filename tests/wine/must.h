/* SPDX-License-Identifier: Apache-2.0 */
/* CHECK() of what tests share: the jump of the other one belongs to a test's own file. */
#ifndef CORDON_TESTS_WINE_MUST_H
#define CORDON_TESTS_WINE_MUST_H

#include <stdio.h>
#include <stdlib.h>

#include <windows.h>

/* What is printed besides, where a file has something to say. */
#ifndef MUST_TELL
#define MUST_TELL ""
#endif

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: failed: %s (error %lu)\n%s", __FILE__, __LINE__,         \
                          #condition, GetLastError(), MUST_TELL);                                  \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#endif

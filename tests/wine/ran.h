/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_TESTS_WINE_RAN_H
#define CORDON_TESTS_WINE_RAN_H

#include <windows.h>

struct ran {
    DWORD status;
    char out[16384], err[4096];
};

/* Runs a program of the build tree ("client\\cordon") with @args in C:\, until its end; what goes
 * wrong with that ends the test program. */
struct ran ran_run(const char *program, const WCHAR *args);

/* Whether @part is in @text; if not, that is said. */
bool ran_says(const char *text, const char *part);

#define SAYS(text, part) CHECK(ran_says((text), (part)))

#endif

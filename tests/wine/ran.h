/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_TESTS_WINE_RAN_H
#define CORDON_TESTS_WINE_RAN_H

#include <stdbool.h>

#include <windows.h>

struct ran {
    DWORD status;
    char out[16384], err[4096];
};

/* Runs a program of the build tree ("client\\cordon") with @args in C:\, until its end; what goes
 * wrong with that ends the test program. */
struct ran ran_run(const char *program, const WCHAR *args);

/* The arguments for this program as the command, with @rest; until the next call. */
const WCHAR *ran_sandbox(const WCHAR *options, const WCHAR *rest);

/* Something is at @path. */
bool ran_there(const char *path);

/* Whether @part is in @text; if not, that is said. */
bool ran_says(const char *text, const char *part);

#define SAYS(text, part) CHECK(ran_says((text), (part)))

#endif

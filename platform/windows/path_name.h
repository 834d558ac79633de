/* SPDX-License-Identifier: Apache-2.0 */
/* Private to path*.c. */
#ifndef CORDON_PLATFORM_WINDOWS_PATH_NAME_H
#define CORDON_PLATFORM_WINDOWS_PATH_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* The first @len bytes, letters of ASCII in either case. */
bool win_ascii_equal(const char *a, const char *b, size_t len);

#endif

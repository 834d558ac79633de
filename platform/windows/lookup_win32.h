/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_PLATFORM_WINDOWS_LOOKUP_WIN32_H
#define CORDON_PLATFORM_WINDOWS_LOOKUP_WIN32_H

#include <stdbool.h>

#include "platform/base/strbuf.h"

/* What the helper prints about @words (host_lookup_main()); false: too much, or nobody. */
bool lookup_words(int count, char **words, struct strbuf *out);

#endif

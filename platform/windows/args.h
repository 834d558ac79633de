/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments as the one text that a process is given here. */
#ifndef CORDON_PLATFORM_WINDOWS_ARGS_H
#define CORDON_PLATFORM_WINDOWS_ARGS_H

#include <stdint.h>

#include "platform/base/strbuf.h"

/* Appends @arg so that the C library's rules ("Parsing C command-line arguments") give it back. */
void args_quote(struct strbuf *out, const char *arg);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_PLATFORM_WINDOWS_MANAGED_WIN32_H
#define CORDON_PLATFORM_WINDOWS_MANAGED_WIN32_H

#include "platform/host.h"

/* The folder that managed things lie below. */
bool managed_base(const struct managed_places *places, char *ret_path, size_t size);

#endif

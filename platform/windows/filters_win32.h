/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_PLATFORM_WINDOWS_FILTERS_WIN32_H
#define CORDON_PLATFORM_WINDOWS_FILTERS_WIN32_H

#include "platform/windows/around.h"

/* The calls about filters. */
void win32_filters(struct around_api *api);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Where the service keeps what it must remember. */
#ifndef CORDON_PLATFORM_WINDOWS_PLACE_WIN32_H
#define CORDON_PLATFORM_WINDOWS_PLACE_WIN32_H

#include "platform/windows/state.h"

/* Principals of jobs are this and one number more, on every machine: an entry of ours is known as
 * ours whatever else was lost. Drawn by lot; no domain's. */
#define PLACE_DOMAIN "S-1-5-21-1703120208-1153663838-3032156983"

/* %ProgramData%\cordon; the string stays. NULL: it cannot be told. */
const char *place_folder(void);
/* The state of the service's access lists, in a folder of its own in that; lost, entries are looked
 * for in the users' profiles. The strings stay. */
bool place_state(struct state_config *ret_config);

#endif

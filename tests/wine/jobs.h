/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_TESTS_WINE_JOBS_H
#define CORDON_TESTS_WINE_JOBS_H

#include "platform/windows/launch.h"

/* The system's own calls, but for the limits of job objects: Wine heeds them and says, asked for
 * them, that there are none. test_wine_launch.c fails when that is over. */
const struct launch_api *wine_launch(void);

#endif

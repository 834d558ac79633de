/* SPDX-License-Identifier: Apache-2.0 */
/* A file of its own, since the tests' program has one in its place. */
#include "platform/windows/backend.h"
#include "platform/windows/place_win32.h"

bool windows_state(struct state_config *ret_config)
{
    return place_state(ret_config);
}

struct job_host windows_tables(void)
{
    return (struct job_host){
        .token = token_win32(), .around = around_win32(), .launch = launch_win32()};
}

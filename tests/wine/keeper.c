/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What cordond-test keeps of entries: where the real one does, but that Wine keeps no lists of
 * folders, which are not looked at then, and that entries are keys'. With CORDON_TEST_PRETEND a
 * job's token is one that Wine can make and be asked about.
 */
#include "platform/windows/backend.h"
#include "platform/windows/place_win32.h"
#include "tests/wine/jobs.h"

bool windows_state(struct state_config *ret_config)
{
    static const char *const roots[] = {"HKLM\\Software\\cordon-test"};

    if (!place_state(ret_config)) {
        return false;
    }
    ret_config->unchecked = true;
    ret_config->root_object = API_KEY;
    ret_config->roots = roots;
    ret_config->root_count = 1;
    return true;
}

struct job_host windows_tables(void)
{
    const bool pretend = GetEnvironmentVariableA("CORDON_TEST_PRETEND", NULL, 0) > 0;

    return (struct job_host){.token = pretend ? wine_tokens(WINE_ALL) : token_win32(),
                             .around = around_win32(),
                             .launch = pretend ? wine_launch() : launch_win32()};
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What cordond-test keeps of entries: where the real one does, but that Wine keeps no lists of
 * folders, which are not looked at then, and that entries are keys'.
 */
#include "platform/windows/backend.h"
#include "platform/windows/place_win32.h"

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

/* SPDX-License-Identifier: Apache-2.0 */
/* What is installed, really; a program of the tests has parts of its own, which come first. */
#include "platform/siblings.h"
#include "platform/windows/install.h"
#include "platform/windows/place_win32.h"

bool install_parts(struct install *ret_what)
{
    static const char *const names[INSTALL_PROGRAMS] = {"cordond", "cordon-worker", "cordon-init"};
    static char paths[INSTALL_PROGRAMS][API_NAME_MAX];
    static struct state_config state;
    struct install what = {.api = install_win32(),
                           .account = account_win32(),
                           .state = &state,
                           .folder = place_folder()};
    struct cordon_fault fault;

    for (size_t i = 0; i < INSTALL_PROGRAMS; i++) {
        if (sibling_path(names[i], paths[i], sizeof(paths[i]), &fault) != CORDON_OK) {
            return false;
        }
        what.programs[i] = paths[i];
    }
    if (what.folder == NULL || !place_state(&state)) {
        return false;
    }
    *ret_what = what;
    return true;
}

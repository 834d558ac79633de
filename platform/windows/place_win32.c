/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/place_win32.h"

#include "platform/windows/managed_win32.h"
#include "platform/windows/win32.h"

#define PROFILES L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList"
#define PATH_MAX_BYTES 512U

const char *place_folder(void)
{
    static char folder[PATH_MAX_BYTES];
    char base[PATH_MAX_BYTES - 16];
    const struct managed_places real = {"", 0};

    if (!managed_base(&real, base, sizeof(base))) {
        return NULL;
    }
    (void)snprintf(folder, sizeof(folder), "%s\\cordon", base);
    return folder;
}

static bool profiles(char *ret_path, size_t size)
{
    WCHAR wide[MAX_PATH];
    DWORD len = sizeof(wide);

    return RegGetValueW(HKEY_LOCAL_MACHINE, PROFILES, L"ProfilesDirectory", RRF_RT_REG_SZ, NULL,
                        wide, &len) == ERROR_SUCCESS &&
           win32_narrow(wide, wcslen(wide), ret_path, size) == API_OK;
}

bool place_state(struct state_config *ret_config)
{
    static char folder[PATH_MAX_BYTES], users[PATH_MAX_BYTES];
    static const char *const roots[] = {users};
    const char *above = place_folder();
    struct state_config config = {.api = api_win32(),
                                  .folder = folder,
                                  .root_object = API_FILE,
                                  .roots = roots,
                                  .root_count = 1,
                                  .walk_objects = 1000000,
                                  .walk_depth = 64,
                                  .walk_ms = 30000};

    if (above == NULL || !profiles(users, sizeof(users)) ||
        sid_from_text(PLACE_DOMAIN, &config.domain) != CORDON_OK) {
        return false;
    }
    (void)snprintf(folder, sizeof(folder), "%s\\state", above);
    *ret_config = config;
    return true;
}

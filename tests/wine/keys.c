/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/wine/keys.h"

#include <aclapi.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/sddl.h"

#define LIST_PREFIX "HKLM\\"

static struct sd sd;
static uint8_t bytes[SD_WRITTEN_MAX];

static uint32_t open_key(const char *key, REGSAM access, HKEY *ret_key)
{
    return (uint32_t)RegOpenKeyExA(HKEY_LOCAL_MACHINE, key + strlen(LIST_PREFIX), 0, access,
                                   ret_key);
}

static bool make_key(const char *key)
{
    HKEY made;
    BOOL present, defaulted;
    ACL *list;
    size_t len;
    bool done;

    if (RegCreateKeyExA(HKEY_LOCAL_MACHINE, key + strlen(LIST_PREFIX), 0, NULL, 0, KEY_ALL_ACCESS,
                        NULL, &made, NULL) != ERROR_SUCCESS) {
        return false;
    }
    done = sddl_read("D:(A;CI;KA;;;WD)", &sd) &&
           sd_write(&sd, bytes, sizeof(bytes), &len) == CORDON_OK &&
           GetSecurityDescriptorDacl(bytes, &present, &list, &defaulted) &&
           SetSecurityInfo((HANDLE)made, SE_REGISTRY_KEY, DACL_SECURITY_INFORMATION, NULL, NULL,
                           list, NULL) == ERROR_SUCCESS;
    (void)RegCloseKey(made);
    return done;
}

static void delete_files(void)
{
    static const char *const names[] = {"acl.log", "acl.new", "acl.bad", "acl.lock"};
    char path[64];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s\\%s", KEYS_FOLDER, names[i]);
        (void)DeleteFileA(path);
    }
}

bool keys_make(void)
{
    (void)CreateDirectoryA(KEYS_FOLDER, NULL);
    delete_files();
    (void)RegDeleteTreeA(HKEY_LOCAL_MACHINE, &KEYS_TOP[strlen(LIST_PREFIX)]);
    return make_key(KEYS_TOP) && make_key(KEYS_A) && make_key(KEYS_B) && make_key(KEYS_BELOW);
}

static void print_key(const char *key, struct strbuf *out)
{
    HKEY open;
    DWORD len = 0;

    if (open_key(key, READ_CONTROL, &open) != ERROR_SUCCESS) {
        return;
    }
    if (GetKernelObjectSecurity((HANDLE)open, DACL_SECURITY_INFORMATION, bytes, sizeof(bytes),
                                &len) &&
        sd_parse(bytes, len, &sd) == CORDON_OK) {
        strbuf_printf(out, "%s ", key);
        sd_print(&sd, out);
        strbuf_puts(out, "\n");
    }
    (void)RegCloseKey(open);
}

void keys_print(struct strbuf *out)
{
    static const char *const keys[] = {KEYS_TOP,   KEYS_A,         KEYS_B,
                                       KEYS_BELOW, KEYS_TOP "\\n", KEYS_NEW};

    strbuf_deinit(out);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        print_key(keys[i], out);
    }
}

bool keys_name(const char *sid)
{
    struct strbuf lists = STRBUF_INIT;
    bool found;

    keys_print(&lists);
    found = strstr(strbuf_text(&lists), sid) != NULL;
    strbuf_deinit(&lists);
    return found;
}

uint32_t keys_open_here(const char *key)
{
    HKEY open;
    const uint32_t code = open_key(key, KEY_QUERY_VALUE, &open);

    if (code == ERROR_SUCCESS) {
        (void)RegCloseKey(open);
    }
    return code;
}

uint32_t keys_open_as(HANDLE token, const char *key)
{
    char program[MAX_PATH], line[MAX_PATH + 300];
    STARTUPINFOA start = {.cb = sizeof(start)};
    PROCESS_INFORMATION child;
    DWORD status = 0xffff;

    if (GetModuleFileNameA(NULL, program, sizeof(program)) == 0) {
        return GetLastError();
    }
    (void)snprintf(line, sizeof(line), "\"%s\" --open %s", program, key);
    if (!CreateProcessAsUserA(token, NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &start,
                              &child)) {
        return GetLastError() + 0x10000U;
    }
    (void)WaitForSingleObject(child.hProcess, 20000);
    (void)GetExitCodeProcess(child.hProcess, &status);
    (void)CloseHandle(child.hProcess);
    (void)CloseHandle(child.hThread);
    return status;
}

bool keys_child(int argc, char **argv, int *ret_status)
{
    if (argc != 3 || strcmp(argv[1], "--open") != 0) {
        return false;
    }
    *ret_status = (int)keys_open_here(argv[2]);
    return true;
}

struct state_config keys_config(const struct api *api)
{
    static const char *const roots[] = {KEYS_TOP};
    struct state_config config = {.api = api,
                                  .folder = KEYS_FOLDER,
                                  .unchecked = true,
                                  .root_object = API_KEY,
                                  .roots = roots,
                                  .root_count = 1,
                                  .walk_objects = 1000,
                                  .walk_depth = 16,
                                  .walk_ms = 20000};

    if (sid_from_text(KEYS_DOMAIN, &config.domain) != CORDON_OK) {
        config.domain.len = 0;
    }
    return config;
}

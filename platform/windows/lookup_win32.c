/* SPDX-License-Identifier: Apache-2.0 */
/* The user database, asked in a process of its own: a domain's controller may take its time. */
#include <stdlib.h>
#include <string.h>

#include "platform/windows/io.h"
#include "platform/windows/lookup_win32.h"

#include <sddl.h>

#define PROFILES L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\"

static void put(struct strbuf *out, const char *text)
{
    strbuf_add(out, text, strlen(text) + 1);
}

static void put_wide(struct strbuf *out, const WCHAR *text)
{
    char narrow[1024];

    put(out, win32_narrow(text, wcslen(text), narrow, sizeof(narrow)) == API_OK ? narrow : "");
}

/* Where the user's profile is; only what the system itself wrote down. */
static void put_home(struct strbuf *out, const WCHAR *sid)
{
    WCHAR key[sizeof(PROFILES) / sizeof(WCHAR) + SID_TEXT_MAX];
    WCHAR path[MAX_PATH] = L"";
    DWORD size = sizeof(path);

    (void)swprintf(key, sizeof(key) / sizeof(key[0]), L"%ls%ls", PROFILES, sid);
    if (RegGetValueW(HKEY_LOCAL_MACHINE, key, L"ProfileImagePath", RRF_RT_REG_SZ, NULL, path,
                     &size) != ERROR_SUCCESS) {
        path[0] = L'\0';
    }
    put_wide(out, path);
}

static bool put_name(struct strbuf *out, const char *text, bool home)
{
    WCHAR name[256], domain[256];
    DWORD name_len = 256, domain_len = 256;
    SID_NAME_USE use;
    WCHAR *wide;
    PSID sid = NULL;
    bool found = false;

    if (win32_wide("", text, &wide) != API_OK) {
        return false;
    }
    if (home) {
        put_home(out, wide);
    }
    if (ConvertStringSidToSidW(wide, &sid)) {
        found = LookupAccountSidW(NULL, sid, name, &name_len, domain, &domain_len, &use) != 0;
        (void)LocalFree(sid);
    }
    free(wide);
    if (found) {
        put_wide(out, name);
    }
    return found;
}

bool lookup_words(int count, char **words, struct strbuf *out)
{
    if (count < 1) {
        return false;
    }
    if (!put_name(out, words[0], true)) {
        put(out, "");
    }
    for (int i = 1; i < count; i++) {
        (void)put_name(out, words[i], false);
    }
    return !out->failed && out->len < HOST_USER_BYTES_MAX;
}

bool host_lookup_files(char *const *words, const char *root, struct strbuf *out)
{
    (void)words;
    (void)root;
    (void)out;
    return false;
}

int host_lookup_main(int argc, char **argv)
{
    struct strbuf out = STRBUF_INIT;
    const bool ok = lookup_words(argc, argv, &out);

    if (ok) {
        host_write(1, out.data, out.len);
    }
    strbuf_deinit(&out);
    return ok ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The administrator's files below %ProgramData%. Each is opened component by component, no link on
 * the way is followed, and it is believed only if trust.h finds nobody else who could have changed
 * what was opened.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/io.h"
#include "platform/windows/managed_win32.h"
#include "platform/windows/trust.h"

#define CHAIN_MAX 40U
#define PATH_MAX_BYTES 1024U
#define FOLDER 0x0001U /* FILE_LIST_DIRECTORY, and FILE_READ_DATA of a file */
#define LOOK (READ_CONTROL | FILE_READ_ATTRIBUTES | SYNCHRONIZE)

static const struct {
    enum policy_layer layer;
    const char *path; /* below %ProgramData% */
    bool directory;
} places_table[] = {
    {LAYER_MANAGED_CODEX, "OpenAI\\Codex\\requirements.toml", false},
    {LAYER_MANAGED, "cordon\\requirements.toml", false},
    {LAYER_MANAGED, "cordon\\requirements.d", true},
};
#define PLACE_COUNT (sizeof(places_table) / sizeof(places_table[0]))

/* What an administrator may have written that nothing here reads: then no job starts. */
#define FETCH_FILE "cordon\\fetch.toml"
#define PROFILES L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList"
#define POLICY_KEY L"SOFTWARE\\Policies\\cordon"

/* What a path leads through, from the root of its volume on. */
struct chain {
    size_t count;
    api_handle handles[CHAIN_MAX];
    struct sd *sds; /* CHAIN_MAX of them */
    struct trust_object objects[CHAIN_MAX];
    char names[CHAIN_MAX][PATH_MAX_BYTES];
};

bool managed_base(const struct managed_places *places, char *ret_path, size_t size)
{
    WCHAR wide[MAX_PATH];
    DWORD len = sizeof(wide);
    int used;

    if (places->root[0] != '\0') {
        used = snprintf(ret_path, size, "%s", places->root);
        return used > 0 && (size_t)used < size;
    }
    /* Where Windows itself keeps %ProgramData%: the variable is whoever's who started us. */
    return RegGetValueW(HKEY_LOCAL_MACHINE, PROFILES, L"ProgramData", RRF_RT_REG_SZ, NULL, wide,
                        &len) == ERROR_SUCCESS &&
           win32_narrow(wide, wcslen(wide), ret_path, size) == API_OK;
}

static void chain_free(struct chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        (void)CloseHandle((HANDLE)chain->handles[i]);
    }
    free(chain->sds);
    free(chain);
}

static struct chain *chain_new(void)
{
    struct chain *chain = calloc(1, sizeof(*chain));

    if (chain != NULL) {
        chain->sds = calloc(CHAIN_MAX, sizeof(*chain->sds));
        if (chain->sds == NULL) {
            free(chain);
            return NULL;
        }
    }
    return chain;
}

static enum cordon_err read_list(const char *name, api_handle handle, struct sd *sd,
                                 struct cordon_fault *fault)
{
    static uint8_t bytes[SD_WRITTEN_MAX];
    size_t len = 0;
    const uint32_t code =
        api_win32()->get_security(api_win32()->self, handle, bytes, sizeof(bytes), &len);

    if (code != API_OK) {
        return api_fault(fault, code, NULL, "reading the access list of %s", name);
    }
    return sd_parse(bytes, len, sd) == CORDON_OK
               ? CORDON_OK
               : fault_set(fault, CORDON_E_DENIED, NULL, "the access list of %s cannot be read",
                           name);
}

/* Opens @name, the first @path_len bytes of @path, below what was opened last. */
static enum cordon_err chain_add(struct chain *chain, const char *name, const char *path,
                                 size_t path_len, struct cordon_fault *fault)
{
    const struct api *api = api_win32();
    const size_t at = chain->count;
    const struct api_open how = {.object = API_FILE,
                                 .parent = at == 0 ? 0 : chain->handles[at - 1],
                                 .name = name,
                                 .access = LOOK | FOLDER};
    struct api_info info = {.container = false};
    uint32_t code;

    if (at == CHAIN_MAX || path_len >= PATH_MAX_BYTES) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "%s: too deep", path);
    }
    (void)snprintf(chain->names[at], PATH_MAX_BYTES, "%.*s", (int)path_len, path);
    code = api->open(api->self, &how, &chain->handles[at]);
    if (code != API_OK) {
        return api_fault(fault, code, NULL, "opening %s", chain->names[at]);
    }
    chain->count++;
    code = api->info(api->self, API_FILE, chain->handles[at], &info);
    if (code != API_OK) {
        return api_fault(fault, code, NULL, "looking at %s", chain->names[at]);
    }
    chain->objects[at] = (struct trust_object){.name = chain->names[at],
                                               .kind = TRUST_FILE,
                                               .role = TRUST_ABOVE,
                                               .link = info.reparse,
                                               .sd = &chain->sds[at]};
    return read_list(chain->names[at], chain->handles[at], &chain->sds[at], fault);
}

/* @path from its root "C:\" on; what lies behind byte @base is managed things' own. */
static enum cordon_err chain_open(struct chain *chain, const char *path, size_t base,
                                  struct cordon_fault *fault)
{
    char name[PATH_MAX_BYTES];
    size_t end = 3;
    enum cordon_err err;

    if (!host_is_absolute(path) || path[1] != ':') {
        return fault_set(fault, CORDON_E_INVALID, NULL, "%s: not on a drive", path);
    }
    (void)snprintf(name, sizeof(name), "%.3s", path);
    err = chain_add(chain, name, path, end, fault);
    while (err == CORDON_OK && path[end] != '\0') {
        const size_t len = strcspn(path + end, "\\/");

        (void)snprintf(name, sizeof(name), "%.*s", (int)len, path + end);
        end += len;
        err = chain_add(chain, name, path, end, fault);
        if (err == CORDON_OK && end > base) {
            chain->objects[chain->count - 1].role = TRUST_HOLDER;
        }
        end += path[end] != '\0' ? 1 : 0;
    }
    return err;
}

static enum cordon_err read_text(HANDLE file, struct managed_file *into, struct cordon_fault *fault)
{
    LARGE_INTEGER size;
    DWORD len = 0;

    if (!GetFileSizeEx(file, &size)) {
        return api_fault(fault, GetLastError(), NULL, "looking at %s", into->path);
    }
    if ((uint64_t)size.QuadPart > POLICY_FILE_MAX) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "%s: larger than %zu bytes", into->path,
                         (size_t)POLICY_FILE_MAX);
    }
    into->text = malloc((size_t)size.QuadPart + 1);
    if (into->text == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "%s: out of memory", into->path);
    }
    if (!ReadFile(file, into->text, (DWORD)size.QuadPart, &len, NULL)) {
        return api_fault(fault, GetLastError(), NULL, "reading %s", into->path);
    }
    into->text[len] = '\0';
    into->len = len;
    return len == (DWORD)size.QuadPart ? CORDON_OK
                                       : fault_set(fault, CORDON_E_STATE, "try again",
                                                   "%s: changed while being read", into->path);
}

static enum cordon_err add_file(const struct chain *chain, enum policy_layer layer,
                                struct managed_files *files, struct cordon_fault *fault)
{
    const size_t last = chain->count - 1;
    struct managed_file *file = &files->items[files->count];

    if (files->count == MANAGED_FILES_MAX) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "%s: more than %u managed files",
                         chain->names[last], MANAGED_FILES_MAX);
    }
    *file = (struct managed_file){.layer = layer, .path = _strdup(chain->names[last])};
    if (file->path == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "managed policy: out of memory");
    }
    files->count++;
    return read_text((HANDLE)chain->handles[last], file, fault);
}

/* A file; or of a folder, the names of the files in it. */
struct reading {
    const char *base;
    enum policy_layer layer;
    bool directory;
    struct managed_files *files;
    char (*names)[API_NAME_MAX];
    size_t name_count;
};

static bool is_toml(const char *name)
{
    const size_t len = strlen(name);

    return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".toml") == 0;
}

static enum cordon_err list(struct reading *reading, api_handle folder, struct cordon_fault *fault)
{
    const struct api *api = api_win32();
    char name[API_NAME_MAX];
    uint32_t code;

    for (uint32_t i = 0;; i++) {
        code = api->next(api->self, API_FILE, folder, i, name);
        if (code != API_OK) {
            break;
        }
        if (is_toml(name)) {
            if (reading->name_count == MANAGED_FILES_MAX) {
                return fault_set(fault, CORDON_E_LIMIT, NULL, "more than %u managed files",
                                 MANAGED_FILES_MAX);
            }
            (void)snprintf(reading->names[reading->name_count++], API_NAME_MAX, "%s", name);
        }
    }
    return code == API_NO_MORE_FILES ? CORDON_OK
                                     : api_fault(fault, code, NULL, "listing %s", "managed files");
}

static enum cordon_err read_path(struct reading *reading, const char *path,
                                 struct cordon_fault *fault)
{
    struct chain *chain = chain_new();
    enum cordon_err err;

    if (chain == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "managed policy: out of memory");
    }
    err = chain_open(chain, path, strlen(reading->base), fault);
    if (err == CORDON_OK && !reading->directory) {
        chain->objects[chain->count - 1].role = TRUST_SOURCE;
    }
    if (err == CORDON_OK) {
        err = trust_check(chain->objects, chain->count, fault);
    }
    if (err == CORDON_OK) {
        err = reading->directory ? list(reading, chain->handles[chain->count - 1], fault)
                                 : add_file(chain, reading->layer, reading->files, fault);
    }
    chain_free(chain);
    return err == CORDON_E_NOT_FOUND ? CORDON_OK : err;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(a, b);
}

static enum cordon_err read_directory(struct reading *reading, const char *path,
                                      struct cordon_fault *fault)
{
    enum cordon_err err;

    reading->names = calloc(MANAGED_FILES_MAX, sizeof(*reading->names));
    if (reading->names == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "managed policy: out of memory");
    }
    err = read_path(reading, path, fault);
    qsort(reading->names, reading->name_count, sizeof(*reading->names), by_bytes);
    reading->directory = false;
    for (size_t i = 0; err == CORDON_OK && i < reading->name_count; i++) {
        char full[PATH_MAX_BYTES + API_NAME_MAX];

        (void)snprintf(full, sizeof(full), "%s\\%s", path, reading->names[i]);
        err = read_path(reading, full, fault);
    }
    free(reading->names);
    return err;
}

/* What is meant to narrow and is not read must not be passed over. */
static enum cordon_err refuse_unread(const char *base, struct cordon_fault *fault)
{
    char path[PATH_MAX_BYTES];
    WIN32_FILE_ATTRIBUTE_DATA there;
    WCHAR *wide = NULL;
    HKEY key;

    (void)snprintf(path, sizeof(path), "%s\\%s", base, FETCH_FILE);
    if (win32_wide("", path, &wide) != API_OK) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "managed policy: out of memory");
    }
    if (GetFileAttributesExW(wide, GetFileExInfoStandard, &there) ||
        !api_is_absent(GetLastError())) {
        free(wide);
        return fault_set(fault, CORDON_E_UNSUPPORTED, "put the requirements in a file",
                         "%s: requirements are not fetched on Windows yet", path);
    }
    free(wide);
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, POLICY_KEY, 0, KEY_QUERY_VALUE, &key) !=
        ERROR_FILE_NOT_FOUND) {
        return fault_set(fault, CORDON_E_UNSUPPORTED, "put the requirements in a file",
                         "HKLM\\SOFTWARE\\Policies\\cordon: is not read yet");
    }
    return CORDON_OK;
}

enum cordon_err managed_read(const struct managed_places *places, struct managed_files *ret_files,
                             struct cordon_fault *fault)
{
    struct managed_files files = {calloc(MANAGED_FILES_MAX, sizeof(struct managed_file)), 0};
    char base[PATH_MAX_BYTES];
    enum cordon_err err = CORDON_OK;

    if (files.items == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "managed policy: out of memory");
    }
    if (!managed_base(places, base, sizeof(base))) {
        err = fault_set(fault, CORDON_E_OS, NULL, "the folder of managed policy is unknown");
    } else {
        err = refuse_unread(base, fault);
    }
    for (size_t i = 0; err == CORDON_OK && i < PLACE_COUNT; i++) {
        struct reading reading = {.base = base,
                                  .layer = places_table[i].layer,
                                  .directory = places_table[i].directory,
                                  .files = &files};
        char path[PATH_MAX_BYTES * 2];

        (void)snprintf(path, sizeof(path), "%s\\%s", base, places_table[i].path);
        err = (reading.directory ? read_directory : read_path)(&reading, path, fault);
    }
    if (err != CORDON_OK) {
        managed_files_deinit(&files);
        return err;
    }
    *ret_files = files;
    return CORDON_OK;
}

void managed_files_deinit(struct managed_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->items[i].path);
        free(files->items[i].text);
    }
    free(files->items);
    files->items = NULL;
    files->count = 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy names, once per rule, and the directories with access lists of their own kind. */
#include <stdlib.h>
#include <string.h>

#include "platform/base/ascii.h"
#include "platform/windows/acl.h"
#include "platform/windows/look_parts.h"
#include "platform/windows/path.h"
#include "platform/windows/plan_scan.h"

#define GITDIR_MAX 4096U
#define SYSTEM_DIRS 3U
#define READ_RIGHTS 0x001200a9U /* FILE_GENERIC_READ, FILE_GENERIC_EXECUTE */
#define LIST_RIGHT 0x1U
#define GROUPS_MAX 4U
#define INVALID_DATA 13U /* ERROR_INVALID_DATA */

struct looking {
    struct look *look;
    struct arena *arena;
    struct cordon_fault *fault;
};

static enum cordon_err no_memory(const struct looking *l)
{
    return fault_set(l->fault, CORDON_E_NOMEM, NULL, "out of memory for what is on the disk");
}

/* The directory that @path lies in; *ret_above NULL: it is a root, or nothing that has one. */
static enum cordon_err parent_of(const struct looking *l, const char *path, const char **ret_above)
{
    const char *cut = strrchr(path, '\\');
    struct win_path read;
    const enum cordon_err err = win_path_read(path, strlen(path), NULL, l->arena, &read, l->fault);

    *ret_above = NULL;
    if (err == CORDON_E_NOMEM) {
        return err;
    }
    if (err != CORDON_OK || read.depth == 0 || cut == NULL) {
        return CORDON_OK;
    }
    *ret_above = arena_strndup(l->arena, path, (size_t)(cut - path) + (read.depth == 1 ? 1U : 0U));
    return *ret_above == NULL ? no_memory(l) : CORDON_OK;
}

/* ---- one path ---- */

/* What @path leads to that is missing, if it is @above that is there. */
static enum cordon_err append_rest(const struct looking *l, const char *path, const char *above,
                                   const struct win_entry *there, struct plan_fact *fact)
{
    const char *rest = path + strlen(above);
    size_t len = strlen(there->target);

    len -= there->target[len - 1] == '\\' ? 1U : 0U;
    rest += rest[0] == '\\' ? 1 : 0;
    fact->resolved = arena_printf(l->arena, "%.*s\\%s", (int)len, there->target, rest);
    return fact->resolved == NULL ? no_memory(l) : CORDON_OK;
}

/* Of what is missing: its longest existing parent resolved, with the rest appended; where that may
 * not be looked at, as it is spelled. */
static enum cordon_err resolve_missing(const struct looking *l, const char *path,
                                       struct plan_fact *fact)
{
    const char *above;
    enum cordon_err err = parent_of(l, path, &above);

    while (err == CORDON_OK && above != NULL) {
        struct win_entry entry;

        err = look_place(l->look, above, l->arena, &entry, l->fault);
        if (err == CORDON_OK) {
            return append_rest(l, path, above, &entry, fact);
        }
        if (err == CORDON_E_NOT_FOUND) {
            err = parent_of(l, above, &above);
        }
    }
    return err == CORDON_E_DENIED ? CORDON_OK : err;
}

/* "gitdir: PATH" of a file named .git: what protects a worktree's real directory. */
static enum cordon_err read_gitdir(const struct looking *l, const char *path,
                                   struct plan_fact *fact)
{
    const struct api *api = l->look->api;
    const char *cut = strrchr(path, '\\'), *base = NULL;
    char text[GITDIR_MAX];
    struct win_path read;
    struct win_entry entry;
    api_handle handle;
    size_t len = 0;
    uint32_t code;
    enum cordon_err err;

    if (cut == NULL || strlen(cut) != 5 || !ascii_equal(cut, "\\.git", 5) ||
        fact->object != PLAN_FILE) {
        return CORDON_OK;
    }
    err = parent_of(l, path, &base);
    if (err != CORDON_OK || base == NULL) {
        return err;
    }
    code = api->file_open(api->self, path, API_READ, &handle);
    if (code == API_OK) {
        code = api->file_read(api->self, handle, (uint8_t *)text, sizeof(text) - 1, &len);
        (void)api->close(api->self, handle);
    }
    if (code != API_OK) {
        return api_fault(l->fault, code, NULL, "reading %s", path);
    }
    text[len] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    /* What it does not say properly git does not follow either; the same of what is not there. */
    if (strncmp(text, "gitdir: ", 8) != 0) {
        return CORDON_OK;
    }
    err = win_path_read(text + 8, strlen(text + 8), base, l->arena, &read, l->fault);
    if (err != CORDON_OK) {
        return err == CORDON_E_NOMEM ? err : CORDON_OK;
    }
    err = look_place(l->look, read.text, l->arena, &entry, l->fault);
    if (err == CORDON_OK) {
        fact->gitdir = entry.target;
    }
    return err == CORDON_E_NOT_FOUND || err == CORDON_E_DENIED ? CORDON_OK : err;
}

/* What the code of the first look says of @path. */
static enum cordon_err refuse(const struct looking *l, uint32_t code, const char *path)
{
    return api_fault(l->fault, code, "name what the caller can see, or its folder",
                     "looking at %s, which is named", path);
}

static enum cordon_err look_up(const struct looking *l, const char *path, struct plan_fact *fact)
{
    const struct api_open how = {.object = API_FILE, .name = path, .access = LOOK_AT};
    struct seen seen;
    uint32_t code = look_open(l->look, &how, true, &seen, NULL);

    if (look_leads_nowhere(code)) {
        return resolve_missing(l, path, fact);
    }
    if (code != API_OK) {
        return refuse(l, code, path);
    }
    fact->link = look_is_link(l->look, &how, &seen.info, &seen, &code);
    if (look_leads_nowhere(code)) {
        return CORDON_OK; /* a link that dangles */
    }
    if (code != API_OK) {
        return refuse(l, code, path);
    }
    fact->object = seen.info.container ? PLAN_DIRECTORY : PLAN_FILE;
    /* Also where it is the same: a match of a glob is compared with it as text. */
    fact->resolved = arena_strdup(l->arena, seen.path);
    return fact->resolved == NULL ? no_memory(l) : read_gitdir(l, path, fact);
}

/* As @who from here to the end of it. */
static enum cordon_err look_up_as(const struct looking *l, api_handle who, const char *path,
                                  struct plan_fact *fact)
{
    bool acts;
    const uint32_t code = api_act(l->look->api, who, &acts);
    enum cordon_err err;

    if (code != API_OK) {
        return api_fault(l->fault, code, NULL, "acting as the caller");
    }
    err = look_up(l, path, fact);
    api_act_end(l->look->api, acts);
    return err;
}

static enum cordon_err look_up_set(const struct looking *l, const struct policy_ruleset *set,
                                   api_handle who, const struct plan_fact **ret_facts)
{
    struct plan_fact *facts = arena_array(l->arena, set->count, sizeof(*facts));
    enum cordon_err err = facts == NULL ? no_memory(l) : CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < set->count; i++) {
        const char *path = set->rules[i].glob ? "" : win_native(set->rules[i].pattern, l->arena);

        if (path == NULL) {
            err = no_memory(l);
        } else if (path[0] != '\0') {
            err = look_up_as(l, who, path, &facts[i]);
        } else if (!set->rules[i].glob) {
            facts[i].object = PLAN_DIRECTORY; /* all volumes */
        }
    }
    *ret_facts = facts;
    return err;
}

/* ---- directories with lists of their own kind ---- */

/* Reads the list of an open object and closes it. */
static uint32_t read_list(const struct looking *l, api_handle handle, struct sd *ret_sd)
{
    const struct api *api = l->look->api;
    uint8_t *bytes = malloc(SD_WRITTEN_MAX);
    uint32_t code = API_NO_MEMORY;
    size_t len;

    if (bytes != NULL) {
        code = api->get_security(api->self, handle, bytes, SD_WRITTEN_MAX, &len);
    }
    if (code == API_OK && sd_parse(bytes, len, ret_sd) != CORDON_OK) {
        code = INVALID_DATA;
    }
    free(bytes);
    (void)api->close(api->self, handle);
    return code;
}

/* What somebody is granted at @path who is of these groups and nobody in particular. A Win32 code.
 */
static uint32_t granted_to(const struct looking *l, const char *path, const char *const *groups,
                           size_t count, uint32_t *ret_granted)
{
    const struct api *api = l->look->api;
    const struct api_open how = {
        .object = API_FILE, .name = path, .access = LOOK_AT | SD_READ_CONTROL, .follow = true};
    struct sd_member members[GROUPS_MAX] = {0};
    const struct sd_token token = {.members = members, .member_count = count};
    struct sd *sd = malloc(sizeof(*sd));
    uint32_t code = sd == NULL ? API_NO_MEMORY : API_OK;
    api_handle handle = 0;

    for (size_t i = 0; code == API_OK && i < count; i++) {
        code = sid_from_text(groups[i], &members[i].sid) == CORDON_OK ? API_OK : INVALID_DATA;
    }
    code = code == API_OK ? api->open(api->self, &how, &handle) : code;
    code = code == API_OK ? read_list(l, handle, sd) : code;
    if (code == API_OK) {
        *ret_granted = sd_granted(sd, &token, acl_mapping(API_FILE));
    }
    free(sd);
    return code;
}

/* Other users may not list it. Not known: it gets no grant, and what is closed stays closed. */
static bool is_private(const struct looking *l, const char *path)
{
    static const char *const others[] = {"S-1-5-32-545", "S-1-5-11", "S-1-5-2", "S-1-1-0"};
    uint32_t granted;

    return granted_to(l, path, others, 4, &granted) == API_OK && (granted & LIST_RIGHT) == 0;
}

struct dirs {
    const char **paths;
    size_t count;
};

static void add_dir(struct dirs *dirs, const char *path)
{
    for (size_t i = 0; i < dirs->count; i++) {
        if (acl_same_path(dirs->paths[i], path)) {
            return;
        }
    }
    dirs->paths[dirs->count++] = path;
}

/* Adds the first private directory on the way to @path, itself included, if there is one; never the
 * root of a volume, which gets no entry. */
static enum cordon_err add_private(const struct looking *l, const char *path, struct dirs *dirs)
{
    const char *found = NULL, *above;
    enum cordon_err err = parent_of(l, path, &above);

    while (err == CORDON_OK && above != NULL) {
        found = is_private(l, path) ? path : found;
        path = above;
        err = parent_of(l, path, &above);
    }
    if (err == CORDON_OK && found != NULL) {
        add_dir(dirs, found);
    }
    return err;
}

/* A directory of the system's, or the caller's profile. A Win32 code. */
static uint32_t folder(const struct looking *l, enum api_folder which, api_handle token,
                       const char **ret_path)
{
    const struct api *api = l->look->api;
    const uint32_t code =
        api->folder(api->self, which, token, l->look->found, sizeof(l->look->found));

    *ret_path = code == API_OK ? arena_strdup(l->arena, l->look->found) : NULL;
    return code == API_OK && *ret_path == NULL ? (uint32_t)API_NO_MEMORY : code;
}

static enum cordon_err find_private(const struct looking *l, const struct look_order *order,
                                    struct dirs *dirs)
{
    const char *profile;
    const uint32_t code = folder(l, API_FOLDER_PROFILE, l->look->caller, &profile);
    enum cordon_err err = CORDON_OK;

    dirs->paths = arena_array(l->arena, order->private_count + 2, sizeof(*dirs->paths));
    if (dirs->paths == NULL || code == API_NO_MEMORY) {
        return no_memory(l);
    }
    if (code == API_OK) {
        err = add_private(l, profile, dirs);
    }
    for (size_t i = 0; err == CORDON_OK && i < order->private_count; i++) {
        err = add_private(l, order->private_dirs[i], dirs);
    }
    return err == CORDON_OK ? add_private(l, order->cwd, dirs) : err;
}

/* One that is not known of would be readable with the others, whatever the policy says of it. */
static enum cordon_err find_system(const struct looking *l, struct dirs *dirs)
{
    static const enum api_folder which[SYSTEM_DIRS] = {API_FOLDER_WINDOWS, API_FOLDER_PROGRAMS,
                                                       API_FOLDER_PROGRAMS_32};
    static const char *const packages[] = {"S-1-15-2-1"};

    dirs->paths = arena_array(l->arena, SYSTEM_DIRS, sizeof(*dirs->paths));
    if (dirs->paths == NULL) {
        return no_memory(l);
    }
    for (size_t i = 0; i < SYSTEM_DIRS; i++) {
        const char *path;
        uint32_t granted = 0, code = folder(l, which[i], 0, &path);

        if (code == API_OK) {
            code = granted_to(l, path, packages, 1, &granted);
        }
        if (code != API_OK && !look_leads_nowhere(code)) {
            return api_fault(l->fault, code, NULL, "looking at the system's directories");
        }
        if (code == API_OK && (granted & READ_RIGHTS) == READ_RIGHTS) {
            add_dir(dirs, path);
        }
    }
    return CORDON_OK;
}

/* ---- the whole ---- */

static enum cordon_err find_windows(const struct looking *l, const struct look_order *order,
                                    const struct plan_windows_facts **ret_windows)
{
    struct plan_windows_facts *windows = arena_alloc(l->arena, sizeof(*windows));
    struct dirs private_dirs = {0}, system_dirs = {0};
    bool acts;
    const uint32_t code = api_act(l->look->api, l->look->caller, &acts);
    enum cordon_err err;

    if (code != API_OK) {
        return api_fault(l->fault, code, NULL, "acting as the caller");
    }
    err = windows == NULL ? no_memory(l) : find_private(l, order, &private_dirs);
    err = err == CORDON_OK ? find_system(l, &system_dirs) : err;
    api_act_end(l->look->api, acts);
    if (err != CORDON_OK) {
        return err;
    }
    *windows = (struct plan_windows_facts){.tree = &l->look->tree,
                                           .scan_entries = order->names,
                                           .private_dirs = private_dirs.paths,
                                           .private_count = private_dirs.count,
                                           .system_dirs = system_dirs.paths,
                                           .system_count = system_dirs.count};
    *ret_windows = windows;
    return CORDON_OK;
}

enum cordon_err look_facts(struct look *look, const struct policy *policy,
                           const struct look_order *order, struct arena *arena,
                           struct plan_facts *ret_facts, struct cordon_fault *fault)
{
    const struct looking l = {.look = look, .arena = arena, .fault = fault};
    struct plan_facts facts = {.privileged = order->privileged, .principal = order->principal};
    struct plan_fact cwd = {.object = PLAN_MISSING};
    enum cordon_err err = look_up_set(&l, &policy->own, look->caller, &facts.own);

    if (err == CORDON_OK) {
        err = look_up_set(&l, &policy->managed, 0, &facts.managed);
    }
    if (err == CORDON_OK) {
        err = look_up_as(&l, look->caller, order->cwd, &cwd);
    }
    if (err == CORDON_OK) {
        err = find_windows(&l, order, &facts.windows);
    }
    if (err != CORDON_OK) {
        return err;
    }
    facts.cwd = cwd.resolved == NULL ? order->cwd : cwd.resolved;
    facts.cwd_object = cwd.object;
    *ret_facts = facts;
    return CORDON_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fake_install.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/eventlog.h"

#define CALL(...)                                                                                  \
    struct fake_install *fake = self;                                                              \
    uint32_t code;                                                                                 \
    if (!api_tap_begin(fake->tap, &code, __VA_ARGS__)) {                                           \
        return code;                                                                               \
    }
/* Nothing else may be asked for. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)
#define RETURN(what) return api_tap_end(fake->tap, (what))

/* ---- folders ---- */

static bool f_is_administrator(void *self)
{
    return ((struct fake_install *)self)->administrator;
}

static uint32_t f_make_folder(void *self, const char *path, const char *list)
{
    char folder[FAKE_PATH], read[512];

    CALL("make-folder %s %s", path, list);
    if (fake_find(fake->world, API_FILE, path) != NULL) {
        RETURN(API_ALREADY_EXISTS);
    }
    (void)snprintf(folder, sizeof(folder), "%s\\", path);
    MUST(strncmp(list, "O:BAD:", 6) == 0); /* the reader of lists wants a group */
    (void)snprintf(read, sizeof(read), "O:BAG:BAD:%s", list + 6);
    (void)fake_add(fake->world, API_FILE, folder, read);
    RETURN(API_OK);
}

/* Whether @path is "FOLDER\something". */
static bool is_in(const char *path, const char *folder)
{
    const size_t len = strlen(folder);

    return strncmp(path, folder, len) == 0 && path[len] == '\\';
}

static uint32_t f_remove_folder(void *self, const char *path)
{
    struct fake_node *node;

    CALL("remove-folder %s", path);
    node = fake_find(fake->world, API_FILE, path);
    if (node == NULL) {
        RETURN(API_FILE_NOT_FOUND);
    }
    for (size_t i = 0; i < fake->world->node_count; i++) {
        if (is_in(fake->world->nodes[i].path, path)) {
            RETURN(API_DIR_NOT_EMPTY);
        }
    }
    for (size_t i = 0; i < fake->world->file_count; i++) {
        if (is_in(fake->world->files[i].path, path)) {
            RETURN(API_DIR_NOT_EMPTY);
        }
    }
    node->path[0] = '\0';
    RETURN(API_OK);
}

static uint32_t f_remove_file(void *self, const char *path)
{
    struct fake_file *file;

    CALL("remove-file %s", path);
    file = fake_file(fake->world, path);
    if (file == NULL) {
        RETURN(API_FILE_NOT_FOUND);
    }
    if (file->locked) {
        RETURN(API_SHARING_VIOLATION);
    }
    file->path[0] = '\0';
    RETURN(API_OK);
}

/* ---- event log ---- */

static uint32_t f_set_source(void *self, const char *name, const char *file)
{
    CALL("set-source %s %s", name, file);
    MUST(strcmp(name, EVENTS_SOURCE) == 0);
    fake->source = true;
    RETURN(API_OK);
}

static uint32_t f_remove_source(void *self, const char *name)
{
    const bool was = ((struct fake_install *)self)->source;

    CALL("remove-source %s", name);
    fake->source = false;
    RETURN(was ? (uint32_t)API_OK : (uint32_t)API_FILE_NOT_FOUND);
}

/* ---- control manager ---- */

static uint32_t f_make_service(void *self, const struct scm_entry *entry)
{
    CALL("make-service %s \"%s\" %s", entry->name, entry->title, entry->command_line);
    if (fake->service) {
        RETURN(fake->is_going ? (uint32_t)SCM_IS_GOING : (uint32_t)SCM_IS_THERE);
    }
    fake->service = true;
    fake->settings = 0;
    (void)snprintf(fake->command_line, sizeof(fake->command_line), "%s", entry->command_line);
    RETURN(API_OK);
}

static uint32_t f_change_service(void *self, const struct scm_entry *entry)
{
    CALL("change-service %s \"%s\" %s", entry->name, entry->title, entry->command_line);
    (void)snprintf(fake->command_line, sizeof(fake->command_line), "%s", entry->command_line);
    RETURN(fake->service ? (uint32_t)API_OK : (uint32_t)SCM_NOT_THERE);
}

/* What is set, as far as it is not the same for all services. */
static void print_setting(struct fake_install *fake, const struct scm_entry *entry,
                          enum scm_setting setting)
{
    if (setting == SCM_DESCRIPTION) {
        strbuf_printf(&fake->tap->trace, " \"%s\"", entry->description);
    }
    for (size_t i = 0; setting == SCM_PRIVILEGES && entry->privileges[i] != NULL; i++) {
        strbuf_printf(&fake->tap->trace, " %s", entry->privileges[i]);
    }
}

static uint32_t f_set_service(void *self, const struct scm_entry *entry, enum scm_setting setting)
{
    static const char *const names[SCM_SETTINGS] = {"description", "failures", "sid", "privileges"};

    CALL("set-service %s %s", entry->name, names[setting]);
    print_setting(fake, entry, setting);
    fake->settings |= 1U << setting;
    RETURN(fake->service ? (uint32_t)API_OK : (uint32_t)SCM_NOT_THERE);
}

static uint32_t f_remove_service(void *self, const char *name)
{
    CALL("remove-service %s", name);
    if (!fake->service) {
        RETURN(SCM_NOT_THERE);
    }
    if (fake->is_going) {
        RETURN(SCM_IS_GOING);
    }
    fake->service = false;
    RETURN(API_OK);
}

static uint32_t f_start_service(void *self, const char *name, uint32_t wait_ms)
{
    const struct api *api = &((struct fake_install *)self)->world->api;

    CALL("start-service %s %u", name, (unsigned)wait_ms);
    if (!fake->service) {
        RETURN(SCM_NOT_THERE);
    }
    code = fake->running ? (uint32_t)API_OK
                         : api->file_open(api->self, fake->lock, API_LOCK, &fake->held);
    fake->running = code == API_OK;
    RETURN(code);
}

static uint32_t f_stop_service(void *self, const char *name, uint32_t wait_ms)
{
    const struct api *api = &((struct fake_install *)self)->world->api;

    CALL("stop-service %s %u", name, (unsigned)wait_ms);
    if (fake->running) {
        (void)api->close(api->self, fake->held);
        fake->running = false;
    }
    RETURN(fake->service ? (uint32_t)API_OK : (uint32_t)SCM_NOT_THERE);
}

/* ---- the account ---- */

static uint32_t f_random(void *self, uint8_t *bytes, size_t len)
{
    CALL("random");
    memset(bytes, 7, len);
    RETURN(API_OK);
}

static uint32_t f_find(void *self, const char *name, struct account_facts *ret_facts)
{
    CALL("find-account %s", name);
    if (!fake->is_account) {
        RETURN(ACCOUNT_NOT_FOUND);
    }
    *ret_facts = (struct account_facts){.sid = sid_nt(21, 1000), .comment = ACCOUNT_COMMENT};
    if (fake->is_others) {
        ret_facts->comment[0] = '\0';
    }
    RETURN(API_OK);
}

static uint32_t f_make(void *self, const char *name, const char *password, const char *comment)
{
    CALL("make-account %s", name);
    MUST(password[0] != '\0');
    MUST(strcmp(comment, ACCOUNT_COMMENT) == 0);
    fake->is_account = true;
    RETURN(API_OK);
}

static uint32_t f_join(void *self, const struct sid *account, const struct sid *group)
{
    CALL("join-group");
    MUST(account->len != 0 && group->len != 0);
    fake->member = true;
    RETURN(API_OK);
}

static uint32_t f_deny_logons(void *self, const struct sid *account, bool deny)
{
    CALL("deny-logons %d", deny);
    MUST(account->len != 0);
    fake->denied = deny;
    RETURN(API_OK);
}

static uint32_t f_hide(void *self, const char *name, bool hidden)
{
    CALL("hide-account %s %d", name, hidden);
    fake->hidden = hidden;
    RETURN(API_OK);
}

static uint32_t f_erase(void *self, const char *name)
{
    CALL("erase-account %s", name);
    fake->is_account = fake->member = false;
    RETURN(API_OK);
}

void fake_install_init(struct fake_install *fake, struct api_tap *tap, struct fake *world,
                       const char *lock)
{
    *fake = (struct fake_install){
        .install = {fake, f_is_administrator, f_make_folder, f_remove_folder, f_remove_file,
                    f_set_source, f_remove_source, f_make_service, f_change_service, f_set_service,
                    f_remove_service, f_start_service, f_stop_service},
        .account = {fake, f_random, f_find, f_make, f_join, f_deny_logons, f_hide, f_erase},
        .tap = tap,
        .world = world,
        .lock = lock,
        .administrator = true};
}

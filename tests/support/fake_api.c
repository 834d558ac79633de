/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/fake_parts.h"

#define INVALID_PARAMETER 87U
#define CANT_RESOLVE_FILENAME 1921U

/* ---- handles ---- */

uint32_t fake_new_handle(struct fake *fake, bool is_file, size_t index, uint32_t access,
                         api_handle *ret_handle)
{
    for (size_t i = 0; i < FAKE_HANDLES; i++) {
        if (!fake->handles[i].open) {
            fake->handles[i] = (struct fake_handle){
                .open = true, .is_file = is_file, .index = index, .access = access};
            *ret_handle = i + 1;
            return API_OK;
        }
    }
    abort();
}

struct fake_handle *fake_get(struct fake *fake, api_handle handle)
{
    if (handle == 0 || handle > FAKE_HANDLES || !fake->handles[handle - 1].open) {
        abort(); /* a handle that is not open: a bug of the code under test */
    }
    return &fake->handles[handle - 1];
}

static struct fake_node *node_of(struct fake *fake, api_handle handle)
{
    return &fake->nodes[fake_get(fake, handle)->index];
}

static bool has_children(const struct fake *fake, const struct fake_node *node)
{
    const size_t len = strlen(node->path);

    for (size_t i = 0; i < fake->node_count; i++) {
        if (fake->nodes[i].object == node->object &&
            fake_same(fake->nodes[i].path, node->path, len) && fake->nodes[i].path[len] == '\\') {
            return true;
        }
    }
    return false;
}

static uint32_t fake_close(void *self, api_handle handle)
{
    struct fake *fake = self;
    struct fake_handle *open = fake_get(fake, handle);

    if (open->is_file) {
        fake->files[open->index].locked = false;
    } else if (open->erased) {
        fake->nodes[open->index].path[0] = '\0';
    }
    open->open = false;
    return API_OK;
}

/* ---- identity ---- */

static uint32_t fake_impersonate(void *self, api_handle token)
{
    ((struct fake *)self)->acting = token;
    return API_OK;
}

static uint32_t fake_revert(void *self)
{
    ((struct fake *)self)->acting = 0;
    return API_OK;
}

static const struct sd_token *token_of(const struct fake *fake, api_handle token)
{
    return &fake->tokens[token - FAKE_TOKEN_FIRST].token;
}

static uint32_t fake_granted(void *self, api_handle token, enum api_object object,
                             const uint8_t *bytes, size_t len, uint32_t *ret_mask)
{
    struct fake *fake = self;

    if (sd_parse(bytes, len, &fake->scratch) != CORDON_OK) {
        return INVALID_PARAMETER;
    }
    *ret_mask = sd_granted(&fake->scratch, token_of(fake, token), fake_mapping(object));
    return API_OK;
}

/* ---- objects ---- */

static uint32_t open_node(struct fake *fake, struct fake_node *node, uint32_t access,
                          api_handle *ret_handle)
{
    if (fake->acting != 0) {
        fake_load(node, &fake->scratch);
        if (!sd_access_check(&fake->scratch, token_of(fake, fake->acting),
                             fake_mapping(node->object), access)) {
            return API_ACCESS_DENIED;
        }
    }
    return fake_new_handle(fake, false, (size_t)(node - fake->nodes), access, ret_handle);
}

static uint32_t fake_open(void *self, const struct api_open *how, api_handle *ret_handle)
{
    struct fake *fake = self;
    char path[FAKE_PATH], spelled[FAKE_PATH], parent[FAKE_PATH];
    struct fake_node *node;

    if (how->parent == 0) {
        (void)snprintf(spelled, sizeof(spelled), "%s", how->name);
    } else {
        (void)snprintf(spelled, sizeof(spelled), "%.100s%s%.90s", node_of(fake, how->parent)->path,
                       how->name[0] == '\0' ? "" : "\\", how->name);
    }
    if (spelled[0] != '\0' && spelled[strlen(spelled) - 1] == '\\') {
        spelled[strlen(spelled) - 1] = '\0';
    }
    fake_resolve(fake, how->object, spelled, path);
    node = fake_find(fake, how->object, path);
    for (unsigned hops = 0; how->follow && node != NULL && node->leads[0] != '\0'; hops++) {
        if (hops == 8) {
            return CANT_RESOLVE_FILENAME;
        }
        (void)snprintf(spelled, sizeof(spelled), "%s", node->leads);
        if (spelled[strlen(spelled) - 1] == '\\') {
            spelled[strlen(spelled) - 1] = '\0';
        }
        fake_resolve(fake, how->object, spelled, path);
        node = fake_find(fake, how->object, path);
    }
    if (node != NULL) {
        return open_node(fake, node, how->access, ret_handle);
    }
    /* Of a key the system does not say which part of its path is missing. */
    return how->object == API_KEY ||
                   (fake_parent(path, parent) && fake_find(fake, how->object, parent) != NULL)
               ? API_FILE_NOT_FOUND
               : API_PATH_NOT_FOUND;
}

static uint32_t fake_open_id(void *self, const char *near, const struct api_id *id, uint32_t access,
                             api_handle *ret_handle)
{
    struct fake *fake = self;

    (void)near;
    for (size_t i = 0; i < fake->node_count; i++) {
        struct fake_node *node = &fake->nodes[i];

        if (node->path[0] != '\0' && node->object == API_FILE && node->info.id.file == id->file) {
            return open_node(fake, node, access, ret_handle);
        }
    }
    return INVALID_PARAMETER;
}

static uint32_t fake_make(void *self, enum api_object object, const char *path, bool container,
                          api_handle *ret_handle)
{
    struct fake *fake = self;
    char real[FAKE_PATH], parent[FAKE_PATH], name[FAKE_PATH + 1];
    struct fake_node *above;

    fake_resolve(fake, object, path, real);
    if (fake_find(fake, object, real) != NULL) {
        return API_ALREADY_EXISTS;
    }
    if (!fake_parent(real, parent) || (above = fake_find(fake, object, parent)) == NULL) {
        return API_PATH_NOT_FOUND;
    }
    fake_load(above, &fake->scratch);
    if (fake->acting != 0 && !sd_access_check(&fake->scratch, token_of(fake, fake->acting),
                                              fake_mapping(object), container ? 4U : 2U)) {
        return API_ACCESS_DENIED;
    }
    (void)snprintf(name, sizeof(name), "%s%s", real, container ? "\\" : "");
    return fake_new_handle(fake, false, (size_t)(fake_add(fake, object, name, NULL) - fake->nodes),
                           UINT32_MAX, ret_handle);
}

static uint32_t fake_info(void *self, enum api_object object, api_handle handle,
                          struct api_info *ret_info)
{
    struct fake_node *node = node_of(self, handle);

    *ret_info = node->info;
    if (object == API_KEY) {
        ret_info->empty = node->info.empty && !has_children(self, node);
    }
    return API_OK;
}

static uint32_t fake_path(void *self, enum api_object object, api_handle handle, char *ret_path,
                          size_t size)
{
    const struct fake_node *node = node_of(self, handle);

    (void)snprintf(ret_path, size, "%s%s", node->path,
                   object == API_FILE && strlen(node->path) == 2 ? "\\" : "");
    return API_OK;
}

static uint32_t fake_next(void *self, enum api_object object, api_handle handle, uint32_t index,
                          char ret_name[API_NAME_MAX])
{
    struct fake *fake = self;
    struct fake_handle *open = fake_get(fake, handle);
    const char *path = fake->nodes[open->index].path;
    const size_t len = strlen(path);

    open->next = index == 0 ? 0 : open->next;
    while (open->next < fake->node_count) {
        const struct fake_node *node = &fake->nodes[open->next++];

        if (node->object == object && fake_same(node->path, path, len) && node->path[len] == '\\' &&
            strchr(node->path + len + 1, '\\') == NULL) {
            (void)snprintf(ret_name, API_NAME_MAX, "%s", node->path + len + 1);
            return API_OK;
        }
    }
    return API_NO_MORE_FILES;
}

static uint32_t fake_get_security(void *self, api_handle handle, uint8_t *bytes, size_t size,
                                  size_t *ret_len)
{
    const struct fake_node *node = node_of(self, handle);

    if (node->sd_len > size) {
        return API_INSUFFICIENT_BUFFER;
    }
    memcpy(bytes, node->sd, node->sd_len);
    *ret_len = node->sd_len;
    return API_OK;
}

static void propagate(struct fake *fake, const struct fake_node *from)
{
    const size_t len = strlen(from->path);

    /* Parents were added before their children, so one pass reaches all levels. */
    for (size_t i = 0; i < fake->node_count; i++) {
        struct fake_node *node = &fake->nodes[i];

        if (node->object == from->object && fake_same(node->path, from->path, len) &&
            node->path[len] == '\\') {
            fake_inherit(fake, node);
        }
    }
}

/* As Wine does: what has no Unix permission to stand for it is left out. */
static void leave_denials_out(struct sd *sd)
{
    struct sd_ace ace;

    for (uint32_t at = 0; sd_next(sd, &at, &ace);) {
        if (ace.type == SD_DENIED) {
            (void)sd_remove(sd, &ace);
            at = 0;
        }
    }
}

static uint32_t fake_set_security(void *self, enum api_object object, api_handle handle,
                                  const uint8_t *bytes, size_t len, bool below)
{
    struct fake *fake = self;
    struct fake_node *node = node_of(fake, handle);

    if ((fake_get(fake, handle)->access & SD_WRITE_DAC) == 0) {
        return API_ACCESS_DENIED;
    }
    if (sd_parse(bytes, len, &fake->scratch) != CORDON_OK) {
        return INVALID_PARAMETER;
    }
    /* Only the list: the owner stays. */
    fake_load(node, &fake->scratch2);
    fake->scratch.owner = fake->scratch2.owner;
    fake->scratch.group = fake->scratch2.group;
    if (fake->lists_do_not_stick && object == API_FILE) {
        leave_denials_out(&fake->scratch);
    }
    fake_store(node, &fake->scratch);
    if (below && (object == API_FILE || fake->keys_propagate)) {
        propagate(fake, node);
    }
    return API_OK;
}

static uint32_t fake_set_owner(void *self, enum api_object object, api_handle handle,
                               const struct sid *sid)
{
    struct fake *fake = self;
    struct fake_node *node = node_of(fake, handle);

    (void)object;
    if ((fake_get(fake, handle)->access & SD_WRITE_OWNER) == 0) {
        return API_ACCESS_DENIED;
    }
    /* Whom one acts as, and nobody else, may be made the owner. */
    if (fake->acting != 0 && !sid_equal(&token_of(fake, fake->acting)->members[0].sid, sid)) {
        return 1307; /* ERROR_INVALID_OWNER */
    }
    fake_load(node, &fake->scratch);
    fake->scratch.owner = *sid;
    fake_store(node, &fake->scratch);
    return API_OK;
}

static uint32_t fake_erase(void *self, enum api_object object, api_handle handle)
{
    struct fake *fake = self;
    struct fake_handle *open = fake_get(fake, handle);

    (void)object;
    if ((open->access & SD_DELETE) == 0) {
        return API_ACCESS_DENIED;
    }
    if (has_children(fake, &fake->nodes[open->index])) {
        return API_DIR_NOT_EMPTY;
    }
    open->erased = true;
    return API_OK;
}

static uint32_t fake_folder(void *self, enum api_folder which, api_handle token, char *ret_path,
                            size_t size)
{
    static const char *const paths[] = {"C:\\Users\\a", "C:\\Windows", "C:\\Program Files"};

    (void)self;
    (void)token;
    if ((size_t)which >= sizeof(paths) / sizeof(paths[0])) {
        return API_FILE_NOT_FOUND;
    }
    (void)snprintf(ret_path, size, "%s", paths[which]);
    return API_OK;
}

static uint64_t fake_now_ms(void *self)
{
    return ((struct fake *)self)->now_ms++;
}

/* ---- the whole ---- */

void fake_init(struct fake *fake)
{
    static const char everyone[] = "O:SYG:SYD:(A;OICI;FA;;;WD)";

    memset(fake, 0, sizeof(*fake));
    fake->api = (struct api){.self = fake,
                             .impersonate = fake_impersonate,
                             .revert = fake_revert,
                             .open = fake_open,
                             .open_id = fake_open_id,
                             .make = fake_make,
                             .close = fake_close,
                             .info = fake_info,
                             .path = fake_path,
                             .next = fake_next,
                             .get_security = fake_get_security,
                             .set_security = fake_set_security,
                             .set_owner = fake_set_owner,
                             .granted = fake_granted,
                             .erase = fake_erase,
                             .folder = fake_folder,
                             .now_ms = fake_now_ms};
    fake_files_init(&fake->api);
    (void)fake_add(fake, API_FILE, "C:\\", everyone);
    (void)fake_add(fake, API_FILE, "D:\\", everyone);
    (void)fake_add(fake, API_KEY, "HKLM", "O:SYG:SYD:(A;CI;KA;;;WD)");
}

size_t fake_open_handles(const struct fake *fake)
{
    size_t count = 0;

    for (size_t i = 0; i < FAKE_HANDLES; i++) {
        count += fake->handles[i].open ? 1U : 0U;
    }
    return count;
}

void fake_deinit(struct fake *fake)
{
    for (size_t i = 0; i < fake->file_count; i++) {
        strbuf_deinit(&fake->files[i].text);
        strbuf_deinit(&fake->files[i].durable);
    }
}

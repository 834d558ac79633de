/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/ascii.h"
#include "tests/support/fake_parts.h"
#include "tests/support/sddl.h"

#define VOLUME 7U

bool fake_same(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (ascii_lower(a[i]) != ascii_lower(b[i])) {
            return false;
        }
        if (a[i] == '\0') {
            return true;
        }
    }
    return true;
}

const struct sd_mapping *fake_mapping(enum api_object object)
{
    return object == API_KEY ? &sd_mapping_key : &sd_mapping_file;
}

/* ---- the tree ---- */

struct fake_node *fake_find(struct fake *fake, enum api_object object, const char *path)
{
    for (size_t i = 0; i < fake->node_count; i++) {
        struct fake_node *node = &fake->nodes[i];

        if (node->path[0] != '\0' && node->object == object &&
            fake_same(node->path, path, FAKE_PATH)) {
            return node;
        }
    }
    return NULL;
}

/* @path without its last component; "C:" of "C:\a" as well as of "C:\". */
bool fake_parent(const char *path, char parent[FAKE_PATH])
{
    const char *cut = strrchr(path, '\\');

    if (cut == NULL) {
        return false;
    }
    (void)snprintf(parent, FAKE_PATH, "%.*s", (int)(cut - path), path);
    return true;
}

/* Follows junctions in all but the last component of @path. */
void fake_resolve(struct fake *fake, enum api_object object, const char *path, char out[FAKE_PATH])
{
    char next[FAKE_PATH];

    (void)snprintf(out, FAKE_PATH, "%s", path);
    for (unsigned hops = 0; hops < 8; hops++) {
        bool again = false;

        for (size_t i = 0; i < fake->node_count && !again; i++) {
            const struct fake_node *node = &fake->nodes[i];
            const size_t len = strlen(node->path);

            if (node->leads[0] != '\0' && node->object == object &&
                fake_same(node->path, out, len) && out[len] == '\\') {
                (void)snprintf(next, sizeof(next), "%s", out + len);
                (void)snprintf(out, FAKE_PATH, "%.90s%.100s", node->leads, next);
                again = true;
            }
        }
        if (!again) {
            return;
        }
    }
}

void fake_store(struct fake_node *node, struct sd *sd)
{
    sd->control = node->control;
    if (sd_write(sd, node->sd, sizeof(node->sd), &node->sd_len) != CORDON_OK) {
        abort();
    }
}

void fake_load(const struct fake_node *node, struct sd *sd)
{
    if (sd_parse(node->sd, node->sd_len, sd) != CORDON_OK) {
        abort();
    }
}

void fake_inherit(struct fake *fake, struct fake_node *node)
{
    char parent[FAKE_PATH];
    struct fake_node *above =
        fake_parent(node->path, parent) ? fake_find(fake, node->object, parent) : NULL;

    fake_load(node, &fake->scratch);
    if (above != NULL) {
        fake_load(above, &fake->scratch2);
        if (sd_inherit(&fake->scratch2, node->info.container, fake_mapping(node->object),
                       &fake->scratch) != CORDON_OK) {
            abort();
        }
    }
    fake_store(node, &fake->scratch);
}

struct fake_node *fake_add(struct fake *fake, enum api_object object, const char *path,
                           const char *sddl)
{
    struct fake_node *node = &fake->nodes[fake->node_count];
    size_t len = strlen(path);

    if (fake->node_count == FAKE_NODES || len >= FAKE_PATH) {
        abort();
    }
    fake->node_count++;
    *node = (struct fake_node){.object = object};
    node->info.container = path[len - 1] == '\\' || object == API_KEY;
    len -= path[len - 1] == '\\' ? 1U : 0U;
    (void)snprintf(node->path, FAKE_PATH, "%.*s", (int)len, path);
    node->info.links = 1;
    node->info.empty = true;
    if (object == API_FILE) {
        node->info.id = (struct api_id){VOLUME, 1000 + fake->node_count};
    }
    if (!sddl_read(sddl == NULL ? "O:SYG:SYD:" : sddl, &fake->scratch)) {
        abort();
    }
    node->control = (uint16_t)(fake->scratch.control | SD_SELF_RELATIVE);
    fake_store(node, &fake->scratch);
    if (sddl == NULL) {
        fake_inherit(fake, node);
    }
    return node;
}

const char *fake_list(struct fake *fake, enum api_object object, const char *path)
{
    static struct strbuf text;
    const struct fake_node *node = fake_find(fake, object, path);

    strbuf_deinit(&text);
    if (node != NULL) {
        fake_load(node, &fake->scratch);
        fake->scratch.owner.len = 0;
        fake->scratch.group.len = 0;
        sd_print(&fake->scratch, &text);
    }
    return strbuf_text(&text);
}

api_handle fake_token(struct fake *fake, const char *sids)
{
    struct fake_token *token = &fake->tokens[fake->token_count++];
    size_t len;

    if (fake->token_count > FAKE_TOKENS) {
        abort();
    }
    token->token.members = token->members;
    for (const char *at = sids; *at != '\0'; at += len + (at[len] == ' ')) {
        len = strcspn(at, " ");
        if (token->token.member_count == 6 ||
            !sddl_sid(at, len, &token->members[token->token.member_count++].sid)) {
            abort();
        }
    }
    return FAKE_TOKEN_FIRST + fake->token_count - 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a security descriptor. What parses is written and read back alike, edited and
 * edited back to what it was, inherited from and asked; a denial that went in denies.
 */
#include <stdlib.h>
#include <string.h>

#include "platform/windows/sd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sd sd, other;
static uint8_t bytes[SD_WRITTEN_MAX];

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void same_list(const struct sd *a, const struct sd *b)
{
    require(a->dacl == b->dacl && a->ace_count == b->ace_count && a->ace_len == b->ace_len);
    require(memcmp(a->aces, b->aces, a->ace_len) == 0);
}

static void edit(const struct sd_ace *ace)
{
    const struct sd_member member = {ace->sid, false};
    const struct sd_token token = {.members = &member, .member_count = 1};
    bool added = false;
    enum cordon_err err;

    sd_copy(&other, &sd);
    err = sd_add(&other, ace, &added);
    require(err == CORDON_OK || !added);
    if (err != CORDON_OK) {
        same_list(&sd, &other);
        return;
    }
    if (ace->type == SD_DENIED) {
        require(sd_denies(&other, &ace->sid, ace->mask, &sd_mapping_file));
        /* What an owner may is his whatever a list says. */
        require((sd_granted(&other, &token, &sd_mapping_file) & ace->mask &
                 ~(SD_READ_CONTROL | SD_WRITE_DAC)) == 0);
    }
    if (added) {
        require(sd_count(&other, ace) == sd_count(&sd, ace) + 1);
        require(sd_remove(&other, ace));
        if (sd_count(&sd, ace) == 0) {
            same_list(&sd, &other);
        }
    }
}

static void inherit(bool container)
{
    const uint16_t count = sd.ace_count;

    sd_init(&other, SD_DACL_LIST);
    if (sd_inherit(&sd, container, &sd_mapping_file, &other) == CORDON_OK) {
        require(other.ace_count <= 2U * count);
    } else {
        require(other.ace_count == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sd_ace deny = {SD_DENIED, SD_TREE, 0x000d017f, sid_nt(21, 7)};
    const struct sd_ace allow = {SD_ALLOWED, 0, 1, sid_everyone()};
    struct strbuf text = STRBUF_INIT;
    struct sd_ace ace;
    size_t len;

    if (sd_parse(data, size, &sd) != CORDON_OK) {
        return 0;
    }
    require(sd_write(&sd, bytes, sizeof(bytes), &len) == CORDON_OK);
    require(sd_parse(bytes, len, &other) == CORDON_OK);
    same_list(&sd, &other);
    edit(&deny);
    edit(&allow);
    for (uint32_t at = 0; sd_next(&sd, &at, &ace);) {
        if (ace.type <= SD_DENIED && (ace.flags & SD_INHERITED) == 0) {
            require(sd_count(&sd, &ace) > 0);
        }
    }
    inherit(true);
    inherit(false);
    (void)sd_canonical(&sd);
    sd_print(&sd, &text);
    strbuf_deinit(&text);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a child inherits: [MS-DTYP] 2.5.3.4, as far as entries and not objects of a type go. */
#include <string.h>

#include "platform/windows/le.h"
#include "platform/windows/sd.h"

/* Counts what is to be inherited, then, with room made, writes it. */
struct heir {
    struct sd *child;
    const struct sd_mapping *mapping;
    bool writes;
    uint32_t len;
};

static void bequeath(struct heir *heir, const uint8_t *ace, uint32_t size, uint8_t flags)
{
    uint8_t *to = heir->child->aces + heir->child->ace_len;

    heir->len += size;
    if (heir->writes) {
        memcpy(to, ace, size);
        to[1] = flags;
        heir->child->ace_len += size;
        heir->child->ace_count++;
    }
}

/* As it counts on the child itself: no generic rights, and no one who is yet to be known. */
static void bequeath_effective(struct heir *heir, const struct sd_ace *ace, const uint8_t *bytes,
                               uint32_t size)
{
    const struct sid owner = sid_creator_owner(), group = sid_creator_group();
    const struct sd *child = heir->child;
    const uint32_t mask = sd_map(heir->mapping, ace->mask);
    uint8_t made[8 + SID_BYTES_MAX];
    const struct sid *sid = &ace->sid;

    if (ace->type != SD_ALLOWED && ace->type != SD_DENIED) {
        bequeath(heir, bytes, size, SD_INHERITED);
        return;
    }
    if (sid_equal(sid, &owner) && child->owner.len != 0) {
        sid = &child->owner;
    } else if (sid_equal(sid, &group) && child->group.len != 0) {
        sid = &child->group;
    }
    made[0] = ace->type;
    le_put16(made + 2, 8U + sid->len);
    le_put32(made + 4, mask);
    memcpy(made + 8, sid->bytes, sid->len);
    bequeath(heir, made, 8U + sid->len, SD_INHERITED);
}

static bool depends_on_child(const struct heir *heir, const struct sd_ace *ace)
{
    const struct sid owner = sid_creator_owner(), group = sid_creator_group();

    return sd_map(heir->mapping, ace->mask) != ace->mask || sid_equal(&ace->sid, &owner) ||
           sid_equal(&ace->sid, &group);
}

static void to_container(struct heir *heir, const struct sd_ace *ace, const uint8_t *bytes,
                         uint32_t size)
{
    const bool onwards = (ace->flags & SD_NO_PROPAGATE) == 0;
    const uint8_t kept = onwards ? (uint8_t)(ace->flags & SD_TREE) : 0;

    if ((ace->flags & SD_CONTAINER_INHERIT) == 0) {
        if (kept != 0) {
            bequeath(heir, bytes, size, (uint8_t)(kept | SD_INHERIT_ONLY | SD_INHERITED));
        }
        return;
    }
    if (!depends_on_child(heir, ace)) {
        bequeath(heir, bytes, size, (uint8_t)(kept | SD_INHERITED));
        return;
    }
    bequeath_effective(heir, ace, bytes, size);
    if (kept != 0) {
        bequeath(heir, bytes, size, (uint8_t)(kept | SD_INHERIT_ONLY | SD_INHERITED));
    }
}

static void run(struct heir *heir, const struct sd *parent, bool container)
{
    struct sd_ace ace;
    uint32_t from = 0;

    for (uint32_t at = 0; sd_next(parent, &at, &ace); from = at) {
        const uint8_t *bytes = parent->aces + from;

        if (container) {
            to_container(heir, &ace, bytes, at - from);
        } else if ((ace.flags & SD_OBJECT_INHERIT) != 0) {
            bequeath_effective(heir, &ace, bytes, at - from);
        }
    }
}

/* Bytes of the explicit entries; with @drop the others are taken out. */
static uint32_t explicit_len(struct sd *sd, bool drop)
{
    uint32_t from = 0, kept = 0, at = 0;
    uint16_t count = 0;
    struct sd_ace ace;

    for (; sd_next(sd, &at, &ace); from = at) {
        if ((ace.flags & SD_INHERITED) != 0) {
            continue;
        }
        if (drop) {
            memmove(sd->aces + kept, sd->aces + from, at - from);
        }
        kept += at - from;
        count++;
    }
    if (drop) {
        sd->ace_len = kept;
        sd->ace_count = count;
    }
    return kept;
}

enum cordon_err sd_inherit(const struct sd *parent, bool container,
                           const struct sd_mapping *mapping, struct sd *child)
{
    struct heir heir = {.child = child, .mapping = mapping};

    if ((child->control & SD_DACL_PROTECTED) != 0 || child->dacl != SD_DACL_LIST) {
        return CORDON_OK;
    }
    run(&heir, parent, container);
    if (heir.len > SD_ACES_MAX - explicit_len(child, false)) {
        return CORDON_E_LIMIT;
    }
    (void)explicit_len(child, true);
    heir.writes = true;
    run(&heir, parent, container);
    if (parent->revision > child->revision) {
        child->revision = parent->revision;
    }
    return CORDON_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names from before the job: asked of cordon-index, or looked for by a walk of
 * our own where there is none. The index tells of files with several names only,
 * as they are when it is asked. So it is asked again when a file with several is
 * opened that may have got one since.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "platform/linux/init/index_ask.h"
#include "platform/linux/init/names.h"
#include "platform/linux/init/sys.h"

#define LINKED_BITS (1U << 20)

bool older_init(struct names *names)
{
    names->linked = calloc(LINKED_BITS / 64, sizeof(uint64_t));
    return names->linked != NULL;
}

static uint64_t linked_bit(const struct object *object, size_t *ret_word)
{
    uint64_t bit = object_hash(object) % LINKED_BITS;

    *ret_word = (size_t)(bit / 64);
    return 1ULL << (bit % 64);
}

void older_created(struct names *names, const struct object *object)
{
    size_t word;
    uint64_t bit = linked_bit(object, &word);

    names->linked[word] |= bit;
}

static bool linked_has(const struct names *names, const struct object *object)
{
    size_t word;
    uint64_t bit = linked_bit(object, &word);

    return (names->linked[word] & bit) != 0;
}

static bool index_judge(void *context, const struct object *object, const char *path)
{
    struct names *names = context;

    return !verdict_by_name(names->watch, path, strlen(path)).denied || names_denied(names, object);
}

/* Asks the index, or walks. What happens to names meanwhile is queued and taken in after it. */
static bool index_take(struct names *names, struct names_index *index)
{
    struct index_question question = {.socket = names->watch->index,
                                      .dev = index->dev,
                                      .host = &names->watch->init->host,
                                      .take = index_judge,
                                      .context = names};
    uint64_t build_us;

    index->links_alone = index_ask(&question, &build_us) == CORDON_OK;
    return (index->links_alone || walk_device(names, index->dev)) && names_drain(names);
}

/* Once for each file system, when an object with several names is opened first. */
static bool index_has(struct names *names, uint64_t dev)
{
    struct names_index index = {.dev = dev};
    struct names_index *grown;

    for (size_t i = 0; i < names->indexed_count; i++) {
        if (names->indexed[i].dev == dev) {
            return true;
        }
    }
    grown = realloc(names->indexed, (names->indexed_count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return false;
    }
    names->indexed = grown;
    if (!index_take(names, &index)) {
        return false;
    }
    names->indexed[names->indexed_count++] = index;
    return true;
}

bool older_renew(struct names *names, const struct object *object)
{
    bool ok = true;

    if (!linked_has(names, object)) {
        return true;
    }
    memset(names->linked, 0, LINKED_BITS / 8);
    for (size_t i = 0; ok && i < names->indexed_count; i++) {
        ok = !names->indexed[i].links_alone || index_take(names, &names->indexed[i]);
    }
    return ok;
}

/* By the mount: what stat(2) tells differs within a file system that has sub-volumes or layers. */
bool older_known(struct names *names, int fd)
{
    const struct mount_entry *mount = NULL;
    uint64_t id;

    if (sys_mount_id(fd, &id) == 0) {
        mount = mounts_find(&names->watch->mounts, id);
    }
    return mount != NULL && index_has(names, mount->dev);
}

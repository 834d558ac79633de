/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/ring.h"

#include <stdlib.h>
#include <string.h>

/* In two lists, both in the order of the numbers: of its ring, and of all. */
struct ring_entry {
    struct ring_entry *next, *next_of_all, *before_of_all;
    struct ring *ring;
    size_t size; /* of what follows, as it is told */
    struct ipc_record record;
    char texts[];
};

struct ring {
    struct ring *next;
    uint32_t uid;
    uint64_t total;
    struct ring_entry *oldest, *newest;
    size_t count, bytes;
};

static struct ring *ring_find(const struct rings *rings, uint32_t uid)
{
    struct ring *ring = rings->first;

    while (ring != NULL && ring->uid != uid) {
        ring = ring->next;
    }
    return ring;
}

static struct ring *ring_get(struct rings *rings, uint32_t uid)
{
    struct ring *ring = ring_find(rings, uid);

    if (ring == NULL) {
        ring = calloc(1, sizeof(*ring));
        if (ring != NULL) {
            ring->uid = uid;
            ring->next = rings->first;
            rings->first = ring;
        }
    }
    return ring;
}

static void drop_oldest(struct rings *rings, struct ring *ring)
{
    struct ring_entry *entry = ring == NULL ? NULL : ring->oldest;

    if (entry == NULL) {
        return;
    }
    ring->oldest = entry->next;
    ring->newest = entry->next == NULL ? NULL : ring->newest;
    ring->count--;
    ring->bytes -= entry->size;
    rings->bytes -= entry->size;
    if (entry->before_of_all == NULL) {
        rings->oldest = entry->next_of_all;
    } else {
        entry->before_of_all->next_of_all = entry->next_of_all;
    }
    if (entry->next_of_all == NULL) {
        rings->newest = entry->before_of_all;
    } else {
        entry->next_of_all->before_of_all = entry->before_of_all;
    }
    free(entry);
}

static struct ring *largest(const struct rings *rings)
{
    struct ring *found = rings->first;

    for (struct ring *ring = rings->first; ring != NULL; ring = ring->next) {
        found = ring->bytes > found->bytes ? ring : found;
    }
    return found;
}

/* The one who fills his own ring loses his own records; all together, who has most. */
static void make_room(struct rings *rings, struct ring *ring, size_t size)
{
    while (ring->oldest != NULL &&
           (ring->count >= RING_RECORDS_MAX || ring->bytes + size > RING_BYTES_MAX)) {
        drop_oldest(rings, ring);
    }
    while (rings->oldest != NULL && rings->bytes + size > RINGS_BYTES_MAX) {
        drop_oldest(rings, largest(rings)); /* not empty, as long as any is not */
    }
}

static void append(struct rings *rings, struct ring *ring, struct ring_entry *entry)
{
    entry->ring = ring;
    entry->next = NULL;
    entry->next_of_all = NULL;
    entry->before_of_all = rings->newest;
    if (ring->newest == NULL) {
        ring->oldest = entry;
    } else {
        ring->newest->next = entry;
    }
    if (rings->newest == NULL) {
        rings->oldest = entry;
    } else {
        rings->newest->next_of_all = entry;
    }
    ring->newest = entry;
    rings->newest = entry;
    ring->count++;
    ring->bytes += entry->size;
    rings->bytes += entry->size;
}

static struct ring_entry *entry_make(const struct ring_denial *denial, uint64_t number)
{
    const struct ipc_violation *what = denial->what;
    const size_t rule_len = strlen(denial->text->rule);
    const size_t origin_len = strlen(denial->text->origin);
    const size_t texts = what->path_len + rule_len + origin_len;
    struct ring_entry *entry = malloc(sizeof(*entry) + texts);

    if (entry == NULL) {
        return NULL;
    }
    memset(entry, 0, sizeof(*entry));
    entry->size = sizeof(entry->record) + texts;
    entry->record.number = number;
    entry->record.job = denial->job;
    entry->record.time_ms = what->time_ms;
    entry->record.uid = denial->uid;
    entry->record.pid = what->pid;
    entry->record.operation = what->operation;
    entry->record.mechanism = what->mechanism;
    entry->record.path_len = what->path_len;
    entry->record.rule_len = (uint16_t)rule_len;
    entry->record.origin_len = (uint16_t)origin_len;
    memcpy(entry->record.comm, what->comm, sizeof(entry->record.comm) - 1);
    memcpy(entry->texts, what->path, what->path_len);
    memcpy(entry->texts + what->path_len, denial->text->rule, rule_len);
    memcpy(entry->texts + what->path_len + rule_len, denial->text->origin, origin_len);
    return entry;
}

void rings_add(struct rings *rings, const struct ring_denial *denial)
{
    const bool recorded = denial->what->operation != IPC_OPERATION_NONE;
    const uint64_t count = denial->what->lost + (recorded ? 1U : 0U);
    struct ring *ring = ring_get(rings, denial->uid);
    struct ring_entry *entry;

    rings->total += count;
    if (ring == NULL) {
        return;
    }
    ring->total += count;
    entry = recorded ? entry_make(denial, rings->last_number + 1) : NULL;
    if (entry != NULL) {
        rings->last_number++;
        make_room(rings, ring, entry->size);
        append(rings, ring, entry);
    }
}

void rings_deinit(struct rings *rings)
{
    while (rings->first != NULL) {
        struct ring *ring = rings->first;

        rings->first = ring->next;
        while (ring->oldest != NULL) {
            drop_oldest(rings, ring);
        }
        free(ring);
    }
    memset(rings, 0, sizeof(*rings));
}

static const struct ring_entry *entry_match(const struct ring_entry *entry,
                                            const struct ring_query *query)
{
    while (entry != NULL && (entry->record.number <= query->after ||
                             (query->job != 0 && entry->record.job != query->job))) {
        entry = query->all ? entry->next_of_all : entry->next;
    }
    return entry;
}

static const struct ring_entry *entry_first(const struct rings *rings,
                                            const struct ring_query *query)
{
    const struct ring *ring = query->all ? NULL : ring_find(rings, query->uid);
    const struct ring_entry *entry = ring == NULL ? NULL : ring->oldest;

    return entry_match(query->all ? rings->oldest : entry, query);
}

static const struct ring_entry *entry_next(const struct ring_entry *entry,
                                           const struct ring_query *query)
{
    return entry_match(query->all ? entry->next_of_all : entry->next, query);
}

bool rings_has(const struct rings *rings, const struct ring_query *query)
{
    return entry_first(rings, query) != NULL;
}

static uint64_t total_of(const struct rings *rings, const struct ring_query *query)
{
    const struct ring *ring = query->all ? NULL : ring_find(rings, query->uid);

    if (query->job != 0) {
        return 0;
    }
    return query->all ? rings->total : ring == NULL ? 0 : ring->total;
}

void rings_read(const struct rings *rings, const struct ring_query *query, struct strbuf *out)
{
    struct ipc_records_head head;
    struct strbuf body = STRBUF_INIT;
    const struct ring_entry *entry = entry_first(rings, query);

    memset(&head, 0, sizeof(head));
    head.magic = IPC_MAGIC;
    head.next = query->after;
    head.total = total_of(rings, query);
    while (entry != NULL && sizeof(head) + body.len + entry->size <= IPC_RECORDS_MAX) {
        strbuf_add(&body, (const char *)&entry->record, sizeof(entry->record));
        strbuf_add(&body, entry->texts, entry->size - sizeof(entry->record));
        head.next = entry->record.number;
        head.count++;
        entry = entry_next(entry, query);
    }
    head.more = entry == NULL ? 0 : 1;
    strbuf_add(out, (const char *)&head, sizeof(head));
    if (body.failed) {
        out->failed = true;
    } else if (body.len > 0) {
        strbuf_add(out, strbuf_text(&body), body.len);
    }
    strbuf_deinit(&body);
}

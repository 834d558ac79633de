/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/wire.h"

#include <string.h>

/* Of one object; the handle's bytes and the names follow. Not aligned. */
struct record {
    uint32_t size; /* with this head */
    uint32_t name_count;
    uint32_t handle_len;
    int32_t handle_type;
};

void index_begin(struct strbuf *out)
{
    const struct index_head head = {.magic = INDEX_MAGIC, .size = sizeof(head)};

    out->len = 0;
    strbuf_add(out, (const char *)&head, sizeof(head));
}

size_t index_object_begin(struct strbuf *out, const struct object *object)
{
    const struct record record = {.handle_len = object->len, .handle_type = object->type};
    size_t at = out->len;

    strbuf_add(out, (const char *)&record, sizeof(record));
    strbuf_add(out, (const char *)object->bytes, object->len);
    return at;
}

void index_name_add(struct strbuf *out, const char *name)
{
    strbuf_add(out, name, strlen(name) + 1);
}

void index_object_end(struct strbuf *out, size_t at)
{
    struct index_head head;
    struct record record;

    if (out->failed) {
        return;
    }
    memcpy(&record, out->data + at, sizeof(record));
    record.size = (uint32_t)(out->len - at);
    for (size_t i = at + sizeof(record) + record.handle_len; i < out->len; i++) {
        record.name_count += out->data[i] == '\0';
    }
    memcpy(out->data + at, &record, sizeof(record));
    memcpy(&head, out->data, sizeof(head));
    head.objects++;
    head.size = out->len;
    memcpy(out->data, &head, sizeof(head));
}

bool index_open(const void *block, size_t len, struct index_cursor *ret_cursor)
{
    struct index_head head;

    if (len < sizeof(head)) {
        return false;
    }
    memcpy(&head, block, sizeof(head));
    if (head.magic != INDEX_MAGIC || head.size != len) {
        return false;
    }
    *ret_cursor = (struct index_cursor){(const char *)block + sizeof(head),
                                        (const char *)block + len, head.objects};
    return true;
}

static bool names_check(const char *names, size_t len, uint32_t count)
{
    uint32_t found = 0;

    for (size_t i = 0; i < len; i++) {
        found += names[i] == '\0';
    }
    return found == count && (len == 0 || names[len - 1] == '\0');
}

bool index_next(struct index_cursor *cursor, struct index_entry *ret_entry)
{
    size_t room = (size_t)(cursor->end - cursor->at);
    struct record record;
    size_t names;

    if (cursor->left == 0 || room < sizeof(record)) {
        return false;
    }
    memcpy(&record, cursor->at, sizeof(record));
    if (record.handle_len > OBJECT_BYTES_MAX || record.size > room ||
        record.size < sizeof(record) + record.handle_len) {
        return false;
    }
    names = sizeof(record) + record.handle_len;
    if (!names_check(cursor->at + names, record.size - names, record.name_count)) {
        return false;
    }
    ret_entry->object.len = record.handle_len;
    ret_entry->object.type = record.handle_type;
    memcpy(ret_entry->object.bytes, cursor->at + sizeof(record), record.handle_len);
    ret_entry->names = cursor->at + names;
    ret_entry->name_count = record.name_count;
    cursor->at += record.size;
    cursor->left--;
    return true;
}

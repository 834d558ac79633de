/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/record.h"

#include <string.h>

/* The handle's bytes and the path with its NUL follow. */
struct head {
    uint32_t size; /* with this head */
    uint32_t uid;
    uint64_t dev;
    uint32_t is_directory;
    uint32_t handle_len;
    int32_t handle_type;
    uint32_t path_size;
};

size_t record_size(const struct former *former)
{
    size_t size = sizeof(struct head) + former->object.len + strlen(former->path) + 1;

    return (size + 7) & ~(size_t)7;
}

void record_put(char *at, const struct former *former)
{
    const struct head head = {.size = (uint32_t)record_size(former),
                              .uid = former->uid,
                              .dev = former->dev,
                              .is_directory = former->is_directory,
                              .handle_len = former->object.len,
                              .handle_type = former->object.type,
                              .path_size = (uint32_t)strlen(former->path) + 1};

    memset(at, 0, head.size);
    memcpy(at, &head, sizeof(head));
    memcpy(at + sizeof(head), former->object.bytes, head.handle_len);
    memcpy(at + sizeof(head) + head.handle_len, former->path, head.path_size);
}

bool record_get(const char **at, const char *end, struct former *ret_former)
{
    size_t room = (size_t)(end - *at);
    struct head head;
    const char *path;

    if (room < sizeof(head)) {
        return false;
    }
    memcpy(&head, *at, sizeof(head));
    if (head.handle_len > OBJECT_BYTES_MAX || head.path_size == 0 ||
        head.path_size > RECORD_PATH_MAX || head.size > room || head.size % 8 != 0 ||
        head.size < sizeof(head) + head.handle_len + head.path_size) {
        return false;
    }
    path = *at + sizeof(head) + head.handle_len;
    if (memchr(path, '\0', head.path_size) != path + head.path_size - 1) {
        return false;
    }
    *ret_former = (struct former){.uid = head.uid,
                                  .dev = head.dev,
                                  .is_directory = head.is_directory != 0,
                                  .object = {.len = head.handle_len, .type = head.handle_type},
                                  .path = path};
    memcpy(ret_former->object.bytes, *at + sizeof(head), head.handle_len);
    *at += head.size;
    return true;
}

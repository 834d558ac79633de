/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_MIN 4096U

struct arena_block {
    struct arena_block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) unsigned char data[];
};

void arena_init(struct arena *arena, size_t limit)
{
    arena->blocks = NULL;
    arena->used = 0;
    arena->limit = limit;
}

void arena_deinit(struct arena *arena)
{
    struct arena_block *block;

    if (arena == NULL) {
        return;
    }
    while ((block = arena->blocks) != NULL) {
        arena->blocks = block->next;
        free(block);
    }
    arena->used = 0;
}

static struct arena_block *arena_grow(struct arena *arena, size_t size)
{
    size_t want = size < ARENA_BLOCK_MIN ? ARENA_BLOCK_MIN : size;
    struct arena_block *block;

    if (want > SIZE_MAX - sizeof(*block)) {
        return NULL;
    }
    block = malloc(sizeof(*block) + want);
    if (block == NULL) {
        return NULL;
    }
    block->size = want;
    block->used = 0;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *arena_room(struct arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    struct arena_block *block = arena->blocks;
    size_t padded;
    void *data;

    if (size > SIZE_MAX - align) {
        return NULL;
    }
    padded = size == 0 ? align : (size + align - 1) / align * align;
    if (padded > arena->limit - arena->used) {
        return NULL;
    }
    if (block == NULL || block->size - block->used < padded) {
        block = arena_grow(arena, padded);
        if (block == NULL) {
            return NULL;
        }
    }
    data = block->data + block->used;
    block->used += padded;
    arena->used += padded;
    return data;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    void *data = arena_room(arena, size);

    return data == NULL ? NULL : memset(data, 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    return arena_alloc(arena, count * size);
}

void *arena_widen(struct arena *arena, void *old, size_t count, size_t *size, size_t element)
{
    const size_t wanted = *size == 0 ? 64 : *size * 2;
    void *wider;

    if (count < *size) {
        return old;
    }
    wider = arena_array(arena, wanted, element);
    if (wider == NULL) {
        return NULL;
    }
    if (count > 0) {
        memcpy(wider, old, count * element);
    }
    *size = wanted;
    return wider;
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
    char *copy;

    if (len == SIZE_MAX) {
        return NULL;
    }
    copy = arena_alloc(arena, len + 1);
    if (copy != NULL && len > 0) {
        memcpy(copy, text, len);
    }
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
    va_list args;
    char *text;
    int len;

    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0) {
        return NULL;
    }
    text = arena_alloc(arena, (size_t)len + 1);
    if (text != NULL) {
        va_start(args, fmt);
        (void)vsnprintf(text, (size_t)len + 1, fmt, args);
        va_end(args);
    }
    return text;
}

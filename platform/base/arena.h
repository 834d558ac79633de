/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bump allocator with a byte budget: what one request, one policy or one
 * message needs, freed in one step. Nothing is freed singly.
 */
#ifndef CORDON_BASE_ARENA_H
#define CORDON_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "platform/base/err.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first; owned */
    size_t used;                /* bytes handed out, padding included */
    size_t limit;               /* bytes that may be handed out */
};

/* Prepares an empty arena; allocates nothing. */
void arena_init(struct arena *arena, size_t limit);

/* Frees everything; the arena is empty and usable again. NULL is allowed. */
void arena_deinit(struct arena *arena);

/*
 * @size zeroed bytes aligned for any type. NULL when the budget or the heap is
 * exhausted; a size of 0 gives a valid unique pointer.
 */
void *arena_alloc(struct arena *arena, size_t size) CORDON_MUST_USE;
/* The same, of bytes that are about to be written. */
void *arena_room(struct arena *arena, size_t size) CORDON_MUST_USE;

/* As arena_alloc() for @count elements of @size bytes; overflow gives NULL. */
void *arena_array(struct arena *arena, size_t count, size_t size) CORDON_MUST_USE;

/*
 * Room for one more than the @count elements of @element bytes in @old: that, or a copy with twice
 * the room, which *@size counts. NULL when exhausted; then @old and *@size stay.
 */
void *arena_widen(struct arena *arena, void *old, size_t count, size_t *size,
                  size_t element) CORDON_MUST_USE;

/* A NUL-terminated copy of @len bytes of @text; NULL when exhausted. */
char *arena_strndup(struct arena *arena, const char *text, size_t len) CORDON_MUST_USE;
char *arena_strdup(struct arena *arena, const char *text) CORDON_MUST_USE;

/* Formatted text; NULL when exhausted. */
char *arena_printf(struct arena *arena, const char *fmt, ...) CORDON_PRINTF(2, 3) CORDON_MUST_USE;

#endif

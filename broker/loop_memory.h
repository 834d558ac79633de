/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libevent keeps a note of 16 bytes for every descriptor's number that it ever saw, as long as the
 * loop is there. They come when most is busy; each would keep a page of the heap from being given
 * back. So they lie together.
 */
#ifndef CORDON_BROKER_LOOP_MEMORY_H
#define CORDON_BROKER_LOOP_MEMORY_H

#include <stddef.h>

/* malloc(3), realloc(3), free(3) for libevent alone. Not for threads. */
void *loop_memory_take(size_t size);
void *loop_memory_resize(void *memory, size_t size);
void loop_memory_give(void *memory);

#endif

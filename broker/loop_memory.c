/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/loop_memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOTES 2048U

union note {
    union note *next; /* of the free ones */
    _Alignas(max_align_t) unsigned char bytes[16];
};

static union note notes[NOTES]; /* takes memory as far as it was used */
static size_t used;
static union note *unused;

static bool is_note(const void *memory)
{
    const uintptr_t at = (uintptr_t)memory;

    return at >= (uintptr_t)notes && at < (uintptr_t)(notes + NOTES);
}

void *loop_memory_take(size_t size)
{
    union note *note = unused;

    if (size > sizeof(*note) || (note == NULL && used == NOTES)) {
        return malloc(size);
    }
    if (note == NULL) {
        return &notes[used++];
    }
    unused = note->next;
    return note;
}

void loop_memory_give(void *memory)
{
    union note *note = memory;

    if (!is_note(memory)) {
        free(memory);
        return;
    }
    note->next = unused;
    unused = note;
}

void *loop_memory_resize(void *memory, size_t size)
{
    void *larger;

    if (!is_note(memory)) {
        return realloc(memory, size);
    }
    if (size <= sizeof(union note)) {
        return memory;
    }
    larger = malloc(size);
    if (larger != NULL) {
        memcpy(larger, memory, sizeof(union note));
        loop_memory_give(memory);
    }
    return larger;
}

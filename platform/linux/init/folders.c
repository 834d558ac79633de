/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/folders.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void folders_init(struct folders *folders)
{
    *folders = (struct folders){.threads = 1};
    (void)pthread_mutex_init(&folders->lock, NULL);
    (void)pthread_cond_init(&folders->more, NULL);
}

struct folder *folder_new(int fd)
{
    struct folder *folder = malloc(sizeof(*folder));

    if (folder == NULL) {
        (void)close(fd);
    } else {
        *folder = (struct folder){fd, 1};
    }
    return folder;
}

/* Without the lock: to close one that was read takes as long as some reads do. */
void folder_release(struct folder *folder)
{
    if (__atomic_sub_fetch(&folder->users, 1, __ATOMIC_ACQ_REL) == 0) {
        (void)close(folder->fd);
        free(folder);
    }
}

void folder_item_free(struct folder_item *item)
{
    free(item->name);
    folder_release(item->in);
}

void folders_deinit(struct folders *folders)
{
    for (unsigned who = 0; who < FOLDERS_THREADS; who++) {
        struct folder_list *list = &folders->list[who];

        for (size_t i = list->first; i < list->end; i++) {
            folder_item_free(&list->items[i]);
        }
        free(list->items);
    }
    (void)pthread_cond_destroy(&folders->more);
    (void)pthread_mutex_destroy(&folders->lock);
}

/* Makes room for @count more at the end, and half as much again to come: moved seldom. */
static bool list_reserve(struct folder_list *list, size_t count)
{
    size_t held = list->end - list->first;
    size_t room = 2 * (held + count);
    struct folder_item *items = list->items;

    if (held > 0 && list->first > 0) {
        memmove(items, items + list->first, held * sizeof(*items));
    }
    list->first = 0;
    list->end = held;
    if (room > list->room) {
        items = reallocarray(items, room, sizeof(*items));
        if (items == NULL) {
            return false;
        }
        list->items = items;
        list->room = room;
    }
    return true;
}

enum cordon_err folders_add(struct folders *folders, unsigned who, struct folder *in,
                            struct folder_item *items, size_t count)
{
    struct folder_list *list = &folders->list[who];
    enum cordon_err err = CORDON_OK;

    if (count == 0) {
        return CORDON_OK;
    }
    (void)pthread_mutex_lock(&folders->lock);
    if (list->room - list->end < count && !list_reserve(list, count)) {
        err = CORDON_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        if (err == CORDON_OK) {
            items[i].in = in;
            __atomic_add_fetch(&in->users, 1, __ATOMIC_RELAXED);
            list->items[list->end++] = items[i];
        } else {
            free(items[i].name);
        }
    }
    if (folders->waiting > 0) {
        (void)pthread_cond_signal(&folders->more);
    }
    (void)pthread_mutex_unlock(&folders->lock);
    return err;
}

/* The last of one's own, else the first of the other's. */
static bool take(struct folders *folders, unsigned who, struct folder_item *ret_item)
{
    for (unsigned i = 0; i < FOLDERS_THREADS; i++) {
        struct folder_list *list = &folders->list[(who + i) % FOLDERS_THREADS];

        if (list->first < list->end) {
            *ret_item = list->items[i == 0 ? --list->end : list->first++];
            return true;
        }
    }
    return false;
}

bool folders_next(struct folders *folders, unsigned who, struct folder_item *ret_item)
{
    bool found = false;

    (void)pthread_mutex_lock(&folders->lock);
    while (!folders->ended && !(found = take(folders, who, ret_item))) {
        if (folders->waiting + 1 == folders->threads) {
            folders->ended = true; /* whoever could find more waits, too */
            (void)pthread_cond_broadcast(&folders->more);
        } else {
            folders->waiting++;
            (void)pthread_cond_wait(&folders->more, &folders->lock);
            folders->waiting--;
        }
    }
    (void)pthread_mutex_unlock(&folders->lock);
    return found;
}

void folders_join(struct folders *folders)
{
    (void)pthread_mutex_lock(&folders->lock);
    folders->threads++;
    (void)pthread_mutex_unlock(&folders->lock);
}

void folders_leave(struct folders *folders)
{
    (void)pthread_mutex_lock(&folders->lock);
    folders->threads--;
    (void)pthread_cond_broadcast(&folders->more);
    (void)pthread_mutex_unlock(&folders->lock);
}

void folders_end(struct folders *folders)
{
    (void)pthread_mutex_lock(&folders->lock);
    folders->ended = true;
    (void)pthread_cond_broadcast(&folders->more);
    (void)pthread_mutex_unlock(&folders->lock);
}

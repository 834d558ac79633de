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

static void item_free(struct folder_item *item)
{
    free(item->name);
    if (--item->in->users == 0) {
        (void)close(item->in->fd);
        free(item->in);
    }
}

void folders_deinit(struct folders *folders)
{
    for (unsigned who = 0; who < FOLDERS_THREADS; who++) {
        struct folder_list *list = &folders->list[who];

        for (size_t i = list->first; i < list->end; i++) {
            item_free(&list->items[i]);
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

/* As folders_add(), with the lock; false: nothing was taken. */
static bool list_add(struct folders *folders, unsigned who, struct folder *folder,
                     const struct folder_item *items, size_t count)
{
    struct folder_list *list = &folders->list[who];

    if (list->room - list->end < count && !list_reserve(list, count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        list->items[list->end] = items[i];
        list->items[list->end++].in = folder;
    }
    if (folders->waiting > 0) {
        (void)pthread_cond_signal(&folders->more);
    }
    return true;
}

enum cordon_err folders_add(struct folders *folders, unsigned who, int fd,
                            struct folder_item *items, size_t count)
{
    struct folder *folder = count == 0 ? NULL : malloc(sizeof(*folder));
    bool added = false;

    if (folder != NULL) {
        *folder = (struct folder){fd, count};
        (void)pthread_mutex_lock(&folders->lock);
        added = list_add(folders, who, folder, items, count);
        (void)pthread_mutex_unlock(&folders->lock);
    }
    if (!added) {
        for (size_t i = 0; i < count; i++) {
            free(items[i].name);
        }
        (void)close(fd);
        free(folder);
    }
    return added || count == 0 ? CORDON_OK : CORDON_E_NOMEM;
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

void folders_done(struct folders *folders, struct folder_item *item)
{
    (void)pthread_mutex_lock(&folders->lock);
    item_free(item);
    (void)pthread_mutex_unlock(&folders->lock);
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

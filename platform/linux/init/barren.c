/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/barren.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "platform/linux/fstype.h"
#include "platform/linux/order.h"

#define WORTH 64U      /* so few are read as fast as they are looked up */
#define STALE_PART 16U /* all is told again when more than one in so many is new */
#define NS_PER_S INT64_C(1000000000)
#define REST_NS (2 * NS_PER_S) /* longer than any file system's second */

struct barren {
    int out;                         /* where it is told; owned */
    int64_t before_ns;               /* what changed later is not kept */
    const struct barren_place *kept; /* mapped; NULL: nothing was */
    size_t kept_count;
    bool *met; /* which of those still hold; owned */
    struct barren_list found;
};

/* ---- beginning ---- */

static int64_t now_ns(void)
{
    struct timespec now;

    return clock_gettime(CLOCK_REALTIME_COARSE, &now) != 0
               ? 0
               : (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void barren_free(struct barren *barren)
{
    union {
        const struct barren_place *in;
        void *out;
    } kept = {barren->kept};

    if (kept.out != NULL) {
        (void)munmap(kept.out, barren->kept_count * sizeof(*kept.in));
    }
    (void)close(barren->out);
    free(barren->met);
    free(barren->found.places);
    free(barren);
}

/* A descriptor of what is behind the number @fd, which stays taken, as all of them do until they
 * are closed together; -1: it is no file. */
static int file_take(int fd)
{
    struct stat st;
    int file = -1;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        file = fcntl(fd, F_DUPFD_CLOEXEC, INIT_FD_COUNT);
        if (dup3(INIT_FD_TALLY, fd, O_CLOEXEC) < 0) {
            (void)close(fd);
        }
    }
    return file;
}

/* It is sealed, signed and of whole places: who kept it has seen to that. */
static void kept_map(struct barren *barren)
{
    const int fd = file_take(INIT_FD_KEPT);
    struct stat st;
    void *data;

    if (fd < 0) {
        return;
    }
    barren->kept_count = fstat(fd, &st) == 0 ? (size_t)st.st_size / sizeof(struct barren_place) : 0;
    barren->met = calloc(barren->kept_count + 1, sizeof(*barren->met));
    data = barren->met == NULL || barren->kept_count == 0
               ? MAP_FAILED
               : mmap(NULL, barren->kept_count * sizeof(struct barren_place), PROT_READ,
                      MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
        barren->kept_count = 0;
    } else {
        barren->kept = data;
    }
    (void)close(fd);
}

struct barren *barren_begin(void)
{
    const int out = file_take(INIT_FD_FOUND);
    struct barren *barren = out < 0 ? NULL : calloc(1, sizeof(*barren));

    if (barren == NULL) {
        if (out >= 0) {
            (void)close(out);
        }
        return NULL;
    }
    barren->out = out;
    barren->before_ns = now_ns() - REST_NS;
    kept_map(barren);
    return barren;
}

/* ---- asking ---- */

/* A 9p server says which number it has; but its files have no handles. */
bool barren_tells(int fd)
{
    struct file_handle handle = {.handle_bytes = 0};
    struct statfs fs;
    int mount;

    return fstatfs(fd, &fs) == 0 && fstype_dates((uint32_t)fs.f_type) &&
           name_to_handle_at(fd, "", &handle, &mount, AT_EMPTY_PATH) != 0 && errno == EOVERFLOW;
}

bool barren_any(const struct barren *barren)
{
    return barren->kept_count > 0;
}

/* False: what is there is never kept. Names that are encrypted are others once there is a key, and
 * nothing has changed. */
static bool place_make(const struct dfa_pos *pos, const struct sys_place *place,
                       struct barren_place *ret)
{
    if (!S_ISDIR(place->mode) || (place->attributes & SYS_PLACE_ENCRYPTED) != 0 ||
        place->ctime.s < 0 || place->ctime.s >= INT64_MAX / NS_PER_S) {
        return false;
    }
    *ret = (struct barren_place){.dev = makedev(place->dev_major, place->dev_minor),
                                 .ino = place->ino,
                                 .changed_ns = place->ctime.s * NS_PER_S + place->ctime.ns,
                                 .pos = *pos,
                                 .size = (uint32_t)place->size};
    return true;
}

static int place_compare(const void *left, const void *right)
{
    const struct barren_place *a = left;
    const struct barren_place *b = right;

    if (a->dev != b->dev) {
        return a->dev < b->dev ? -1 : 1;
    }
    return (a->ino > b->ino) - (a->ino < b->ino);
}

/* The first that is not before @place. */
static size_t place_find(const struct barren *barren, const struct barren_place *place)
{
    size_t low = 0;
    size_t high = barren->kept_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (place_compare(&barren->kept[middle], place) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool barren_has(struct barren *barren, const struct dfa_pos *pos, const struct sys_place *place)
{
    struct barren_place wanted;

    if (!place_make(pos, place, &wanted)) {
        return false;
    }
    for (size_t i = place_find(barren, &wanted);
         i < barren->kept_count && place_compare(&barren->kept[i], &wanted) == 0; i++) {
        if (memcmp(&barren->kept[i], &wanted, sizeof(wanted)) == 0) {
            __atomic_store_n(&barren->met[i], true, __ATOMIC_RELAXED);
            return true;
        }
    }
    return false;
}

/* False: there is no memory, or that would be too many to be kept. */
static bool list_reserve(struct barren_list *list, size_t count)
{
    const size_t room = 2 * (list->count + count);
    struct barren_place *places = list->places;

    if (list->count + count > BARREN_PLACES_MAX) {
        return false;
    }
    if (list->room - list->count < count) {
        places = reallocarray(places, room, sizeof(*places));
        if (places == NULL) {
            return false;
        }
        list->places = places;
        list->room = room;
    }
    return true;
}

void barren_found(const struct barren *barren, struct barren_list *list, const struct dfa_pos *pos,
                  const struct sys_place *place)
{
    struct barren_place found;

    if (place_make(pos, place, &found) && found.changed_ns < barren->before_ns &&
        list_reserve(list, 1)) {
        list->places[list->count++] = found;
    }
}

/* As many as there may be. */
static void list_add(struct barren_list *list, const struct barren_place *places, size_t count)
{
    const size_t left = BARREN_PLACES_MAX - list->count;
    const size_t added = count < left ? count : left;

    if (added > 0 && list_reserve(list, added)) {
        memcpy(list->places + list->count, places, added * sizeof(*places));
        list->count += added;
    }
}

void barren_join(struct barren *barren, struct barren_list *list)
{
    list_add(&barren->found, list->places, list->count);
    free(list->places);
    *list = (struct barren_list){0};
}

/* ---- the end ---- */

/* Each is true by itself, should there be no room for all. */
static void tell(int out, const struct barren_place *places, size_t count)
{
    const char *bytes = (const char *)places;
    const size_t size = count * sizeof(*places);
    ssize_t len = 1;

    for (size_t done = 0; len > 0 && done<size; done += len> 0 ? (size_t)len : 0) {
        len = write(out, bytes + done, size - done);
    }
}

static void save(struct barren *barren)
{
    size_t held = 0;

    for (size_t i = 0; i < barren->kept_count; i++) {
        held += barren->met[i];
    }
    if (barren->found.count < WORTH || barren->found.count * STALE_PART <= held ||
        held + WORTH > BARREN_PLACES_MAX) {
        return;
    }
    if (barren->found.count > BARREN_PLACES_MAX - held) {
        barren->found.count = BARREN_PLACES_MAX - held;
    }
    for (size_t i = 0; i < barren->kept_count; i++) {
        if (barren->met[i]) {
            list_add(&barren->found, &barren->kept[i], 1);
        }
    }
    qsort(barren->found.places, barren->found.count, sizeof(*barren->found.places), place_compare);
    tell(barren->out, barren->found.places, barren->found.count);
}

void barren_end(struct barren *barren, bool done)
{
    if (barren != NULL) {
        if (done) {
            save(barren);
        }
        barren_free(barren);
    }
}

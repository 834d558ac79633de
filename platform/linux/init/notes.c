/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/notes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "platform/linux/init/sys.h"

#define REST_S 2 /* longer than any file system's second */

struct note {
    char *path;
    uint32_t set; /* enum order_set: with whose rights it is looked up */
    bool follow;
    bool by_folder; /* a note of its folder tells whether anything is there now: to be dropped */
    bool dated;     /* a folder that does: its date must be the same as well */
    int code;       /* errno; 0: it is there */
    struct sys_place place;
};

enum cordon_err note_add(struct init *init, uint32_t set, const char *path, bool follow)
{
    struct note *note;

    if (!init->ahead) {
        return CORDON_OK;
    }
    if ((init->note_count & (init->note_count - 1)) == 0) {
        const size_t room = init->note_count == 0 ? 1 : init->note_count * 2;
        struct note *grown = realloc(init->notes, room * sizeof(*grown));

        if (grown == NULL) {
            return fault_set(&init->fault, CORDON_E_NOMEM, NULL, "out of memory");
        }
        init->notes = grown;
    }
    note = &init->notes[init->note_count];
    memset(note, 0, sizeof(*note));
    note->path = strdup(path);
    if (note->path == NULL) {
        return fault_set(&init->fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    note->set = set;
    note->follow = follow;
    init->note_count++;
    return CORDON_OK;
}

/* ---- looking ---- */

static void look_at(struct note *note)
{
    const unsigned flags = AT_NO_AUTOMOUNT | (note->follow ? 0U : (unsigned)AT_SYMLINK_NOFOLLOW);

    note->code = sys_place_at(note->path, flags, &note->place) == 0 ? 0 : errno;
}

/* As the set-up does: what is managed is looked up for root where the caller may not. */
static void look(const struct init *init, struct note *note)
{
    look_at(note);
    if (note->code == EACCES && note->set == ORDER_SET_MANAGED) {
        identity_as_setup(init);
        look_at(note);
        identity_as_caller(init);
    }
}

static bool is_same(const struct note *a, const struct note *b)
{
    return a->code == b->code &&
           (a->code != 0 ||
            (a->place.ino == b->place.ino && a->place.dev_major == b->place.dev_major &&
             a->place.dev_minor == b->place.dev_minor && a->place.mode == b->place.mode &&
             a->place.mount_id == b->place.mount_id)) &&
           (!a->dated ||
            (a->place.ctime.s == b->place.ctime.s && a->place.ctime.ns == b->place.ctime.ns &&
             a->place.size == b->place.size)); /* that tells of a new btrfs subvolume before 5.19 */
}

/* ---- folders ---- */

/* Its file system dates directories. Those of encrypted names change when the key comes. */
static bool is_dated(const struct init *init, const struct sys_place *place)
{
    const uint64_t dev = makedev(place->dev_major, place->dev_minor);

    for (size_t i = 0; i < init->host.count; i++) {
        if (init->host.mounts[i].dev == dev) {
            return init->host.mounts[i].dated && (place->attributes & SYS_PLACE_ENCRYPTED) == 0;
        }
    }
    return false;
}

static bool is_at_rest(const struct sys_place *place)
{
    struct timespec now;

    return clock_gettime(CLOCK_REALTIME, &now) == 0 && place->ctime.s < now.tv_sec - REST_S;
}

/* The bytes of the folder's name; 0: @path names nothing in one. */
static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? "" : slash + 1;

    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return 0;
    }
    return slash == path ? 1 : (size_t)(slash - path);
}

/* @folder is the one that @note's name would be in. */
static bool is_folder_of(const struct note *folder, const struct note *note, size_t len)
{
    return folder->set == note->set && strlen(folder->path) == len &&
           strncmp(folder->path, note->path, len) == 0;
}

/* A note before @at of the folder of that one, which was looked at; or SIZE_MAX. */
static size_t folder_find(const struct init *init, size_t at, size_t len)
{
    for (size_t i = at; i-- > 0;) {
        if (init->notes[i].follow && is_folder_of(&init->notes[i], &init->notes[at], len)) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* Notes it, and looks at it. */
static enum cordon_err folder_add(struct init *init, size_t at, size_t len)
{
    char *path = strndup(init->notes[at].path, len);
    enum cordon_err err = path == NULL
                              ? fault_set(&init->fault, CORDON_E_NOMEM, NULL, "out of memory")
                              : note_add(init, init->notes[at].set, path, true);

    free(path);
    if (err == CORDON_OK) {
        look(init, &init->notes[init->note_count - 1]);
    }
    return err;
}

/* The folder of the note @at; *ret: its number, whether or not it tells anything. */
static enum cordon_err folder_note(struct init *init, size_t at, size_t len, size_t *ret)
{
    enum cordon_err err = CORDON_OK;
    struct note *folder;

    *ret = folder_find(init, at, len);
    if (*ret == SIZE_MAX) {
        err = folder_add(init, at, len);
        *ret = init->note_count - 1;
    }
    if (err == CORDON_OK) {
        folder = &init->notes[*ret];
        folder->dated = folder->code == 0 && S_ISDIR(folder->place.mode) &&
                        is_dated(init, &folder->place) && is_at_rest(&folder->place);
    }
    return err;
}

/* Nothing has that name: neither a link that leads nowhere. After the folder was looked at. */
static bool is_nothing(const struct init *init, const struct note *note)
{
    struct note itself = *note;

    itself.follow = false;
    look(init, &itself);
    return itself.code == ENOENT;
}

static void drop_told(struct init *init)
{
    size_t kept = 0;

    for (size_t i = 0; i < init->note_count; i++) {
        if (init->notes[i].by_folder) {
            free(init->notes[i].path);
        } else {
            init->notes[kept++] = init->notes[i];
        }
    }
    init->note_count = kept;
}

enum cordon_err notes_look(struct init *init)
{
    const size_t count = init->note_count; /* folders come behind them */
    enum cordon_err err = CORDON_OK;
    size_t folder = SIZE_MAX;

    identity_as_caller(init);
    for (size_t i = 0; err == CORDON_OK && i < count; i++) {
        const size_t len = folder_len(init->notes[i].path);

        look(init, &init->notes[i]);
        if (init->notes[i].code != ENOENT || len == 0) {
            continue;
        }
        if (folder == SIZE_MAX || !is_folder_of(&init->notes[folder], &init->notes[i], len)) {
            err = folder_note(init, i, len, &folder);
        }
        if (err == CORDON_OK && init->notes[folder].dated) {
            init->notes[i].by_folder = is_nothing(init, &init->notes[i]);
        }
    }
    identity_as_setup(init);
    drop_told(init);
    return err;
}

bool notes_hold(const struct init *init)
{
    bool hold = true;

    identity_as_caller(init);
    for (size_t i = 0; hold && i < init->note_count; i++) {
        struct note now = init->notes[i];

        look(init, &now);
        hold = is_same(&now, &init->notes[i]);
    }
    identity_as_setup(init);
    return hold;
}

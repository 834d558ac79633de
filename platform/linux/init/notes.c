/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/notes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "platform/linux/init/sys.h"

struct note {
    char *path;
    uint32_t set; /* enum order_set: with whose rights it is looked up */
    bool follow;
    int code; /* errno; 0: it is there */
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
             a->place.mount_id == b->place.mount_id));
}

void notes_look(struct init *init)
{
    identity_as_caller(init);
    for (size_t i = 0; i < init->note_count; i++) {
        look(init, &init->notes[i]);
    }
    identity_as_setup(init);
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

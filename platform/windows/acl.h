/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The access-list engine: one entry on one object, by handle, for one principal. Every change is
 * read back, and its effect checked: a denial that did not stick is an error of the apply.
 * Which objects, for whom, and what is kept of it: state.h.
 */
#ifndef CORDON_PLATFORM_WINDOWS_ACL_H
#define CORDON_PLATFORM_WINDOWS_ACL_H

#include "platform/windows/api.h"
#include "platform/windows/sd.h"

/* For whom, and with what. Large (three lists): one per process, on the heap. */
struct acl {
    const struct api *api;
    struct sid principal;
    api_handle token;  /* of the principal, for the system's own check; 0: ours alone */
    api_handle caller; /* acted as while his paths are opened and made; 0: as ourselves */
    struct sid owner;  /* the caller; len 0: Administrators */
    /* Where else an object to be denied may lie that has no @resolved: what a rule names through a
     * junction has an entry by that name and one by its own. Borrowed. */
    const char *const *places;
    size_t place_count;
    struct sd before, after;
    uint8_t bytes[SD_WRITTEN_MAX];
};

/* What an object is to get. Strings are borrowed. */
struct acl_target {
    enum api_object object;
    uint8_t type;  /* SD_DENIED or SD_ALLOWED */
    uint32_t mask; /* no generic rights */
    bool link;     /* the reparse point itself; else an object that is one is refused */
    bool alone;    /* not for what lies below */
    bool managed;  /* an administrator's rule: opened as ourselves, not as the caller */
    const char *path;
    const char *resolved; /* where the object was found to lie; NULL: at @path */
};

/* An object held open between the look and the change. */
struct acl_object {
    api_handle handle; /* 0: not open */
    struct api_info info;
    struct sd_ace ace; /* the entry, with the flags that this kind of object needs */
    bool present;      /* the very same entry stands there in force already */
};

/*
 * Opens @target and looks at it; nothing is changed but one thing: an object to be denied that the
 * principal owns becomes the caller's, since an owner may always take a denial back. Close with
 * acl_close().
 *
 * CORDON_E_NOT_FOUND    there is no such object
 * CORDON_E_DENIED       the caller may not change its list; it is a reparse point, or lies
 *                       elsewhere than it did; it is the root of a volume; a grant on a file with
 *                       other names; the principal owns it, and the caller may not take it over
 * CORDON_E_UNSUPPORTED  it has no list: everything is granted to everyone
 */
CORDON_MUST_USE enum cordon_err acl_open(struct acl *acl, const struct acl_target *target,
                                         struct acl_object *ret_object, struct cordon_fault *fault);

/*
 * Puts the entry on, reads it back, and checks the effect; where it is present, checks alone.
 * CORDON_E_LIMIT: the list is full. CORDON_E_STATE: what was set is not what is there, or does not
 * have the effect; the object may have the entry then: take it back with acl_remove().
 */
CORDON_MUST_USE enum cordon_err acl_set(struct acl *acl, const struct acl_target *target,
                                        const struct acl_object *object,
                                        struct cordon_fault *fault);

/*
 * Takes exactly @object's entry off it and reads back that it is gone. CORDON_OK as well if it was
 * not there. Of @target only the kind and, for messages, the path count.
 */
CORDON_MUST_USE enum cordon_err acl_remove(struct acl *acl, const struct acl_target *target,
                                           const struct acl_object *object,
                                           struct cordon_fault *fault);

void acl_close(struct acl *acl, struct acl_object *object);

/* Whether two paths are one to NTFS: spelled alike but for case, as upcase.h has it. */
bool acl_same_path(const char *a, const char *b);

/* What a handle is to be good for, besides being looked at. */
enum acl_use {
    ACL_LOOK,
    ACL_EDIT, /* its list is written */
    ACL_LIST, /* what is in it is named */
    ACL_ERASE
};
/* The rights that this needs of such an object. */
uint32_t acl_access(enum acl_use use, enum api_object object);

/*
 * The thread acts as the caller from here, where @target is opened and made as him: *@ret_acts. A
 * Win32 code: not 0, it acts as itself.
 */
CORDON_MUST_USE uint32_t acl_act_begin(const struct acl *acl, const struct acl_target *target,
                                       bool *ret_acts);
/* Ends that, or the process: nothing is done as who knows whom. */
void acl_act_end(const struct acl *acl, bool acts);

/* The mapping of generic rights of this kind of object. */
const struct sd_mapping *acl_mapping(enum api_object object);

/* Reads and parses the list of an open object into @sd. */
CORDON_MUST_USE enum cordon_err acl_read(struct acl *acl, api_handle handle, const char *path,
                                         struct sd *ret_sd, struct cordon_fault *fault);

/* ---- what lies below ---- */

struct acl_walk {
    uint32_t objects;     /* to be looked at, at most; exceeded: CORDON_E_LIMIT */
    uint32_t depth;       /* levels below the first */
    uint64_t deadline_ms; /* of api->now_ms(); CORDON_E_TIMEOUT */
    enum api_object object;
    /* Called for each object with its list and full path; *@ret_below false: nothing below it. */
    enum cordon_err (*visit)(void *context, const char *path, const struct api_info *info,
                             const struct sd *sd, bool *ret_below);
    void *context;
};

/*
 * Visits what is below the open container at @path, without following a reparse point; names that
 * vanish meanwhile are passed over, anything else that cannot be read is an error. @acl->before is
 * used up.
 */
CORDON_MUST_USE enum cordon_err acl_below(struct acl *acl, struct acl_walk *walk, api_handle handle,
                                          const char *path, struct cordon_fault *fault);

#endif

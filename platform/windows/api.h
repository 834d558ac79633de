/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Win32 calls that the access-list engine and its state make, as one table: the real one is
 * api_win32.c; tests have one with a disk in memory, so that every call's failure, and a crash
 * between any two, can be had on every host. Nothing here decides anything.
 *
 * Each call returns a Win32 error code (winerror.h), 0 for success; results are untouched on error.
 * Paths are UTF-8, native ("C:\a", "HKLM\Software\x") and at most API_PATH_MAX bytes with the NUL.
 */
#ifndef CORDON_PLATFORM_WINDOWS_API_H
#define CORDON_PLATFORM_WINDOWS_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"
#include "platform/windows/sid.h"

/* What a Windows path can have (32767 units), as UTF-8. */
#define API_PATH_MAX 98304U
#define API_NAME_MAX 1024U /* one component: 255 units of a file, 255 of a key */

/* Codes that somebody here asks for. */
enum api_code {
    API_OK = 0,
    API_FILE_NOT_FOUND = 2,
    API_PATH_NOT_FOUND = 3,
    API_ACCESS_DENIED = 5,
    API_INVALID_HANDLE = 6,
    API_NO_MEMORY = 8,
    API_NO_MORE_FILES = 18,
    API_SHARING_VIOLATION = 32,
    API_FILE_EXISTS = 80,
    API_INSUFFICIENT_BUFFER = 122,
    API_DIR_NOT_EMPTY = 145,
    API_ALREADY_EXISTS = 183,
    API_TIMEOUT = 258
};

/* What a code says of an object: it is not there, whatever part of its path is missing. */
bool api_is_absent(uint32_t code);

/* fault_set() for a call that failed: CORDON_E_NOT_FOUND, CORDON_E_DENIED or CORDON_E_OS by the
 * code, with its number and a word for it behind the text. */
enum cordon_err api_fault(struct cordon_fault *fault, uint32_t code, const char *remedy,
                          const char *fmt, ...) CORDON_PRINTF(4, 5);

enum api_object { API_FILE, API_KEY }; /* files and folders; keys of the registry */

typedef uintptr_t api_handle; /* 0: none */

/* Which object it is, whatever its name is now. All zero: the kind of object has no number. */
struct api_id {
    uint64_t volume; /* serial number */
    uint64_t file;   /* 64-bit file id */
};

bool api_has_id(const struct api_id *id);
/* What has no number is the same as nothing. */
bool api_same_id(const struct api_id *a, const struct api_id *b);

struct api_info {
    bool container; /* a folder, or a key */
    bool reparse;   /* the object is a reparse point (junction, link, cloud placeholder) */
    uint32_t links; /* names of the object on its volume; 1 for keys */
    bool empty;     /* a file without bytes, a key without values and keys; a folder always */
    struct api_id id;
};

/* How an object is opened. */
struct api_open {
    enum api_object object;
    api_handle parent; /* @name is one component below it, "" itself; 0: @name is a whole path */
    const char *name;
    uint32_t access; /* ACCESS_MASK */
    bool follow;     /* through a reparse point at its end, too; files alone */
};

/* Directories that somebody else decided the place of. */
enum api_folder {
    API_FOLDER_PROFILE, /* of a token's user; of token 0 our own */
    API_FOLDER_WINDOWS,
    API_FOLDER_PROGRAMS,
    API_FOLDER_PROGRAMS_32 /* of programs for the other size of pointers; there may be none */
};

enum api_mode {
    API_READ,    /* must exist */
    API_APPEND,  /* made if missing */
    API_REPLACE, /* made or emptied */
    API_LOCK     /* made if missing; nobody else can open it so until it is closed */
};

struct api {
    void *self; /* first argument of every call */

    /* The thread acts as @token until revert(). A revert() that fails must end the process. */
    uint32_t (*impersonate)(void *self, api_handle token);
    uint32_t (*revert)(void *self);

    /* NtCreateFile with FILE_OPEN_REPARSE_POINT (unless it follows) and backup semantics, sharing
     * everything; RegOpenKeyExW with REG_OPTION_OPEN_LINK. */
    uint32_t (*open)(void *self, const struct api_open *how, api_handle *ret_handle);
    /* The file with this id on the volume that @beside is on (OpenFileById). */
    uint32_t (*open_id)(void *self, const char *beside, const struct api_id *id, uint32_t access,
                        api_handle *ret_handle);
    /* A new, empty file, folder or key; API_ALREADY_EXISTS or API_FILE_EXISTS if there is one.
     * The handle may read and write its list and delete it. */
    uint32_t (*make)(void *self, enum api_object object, const char *path, bool container,
                     api_handle *ret_handle);
    uint32_t (*close)(void *self, api_handle handle);
    uint32_t (*info)(void *self, enum api_object object, api_handle handle,
                     struct api_info *ret_info);
    /* The object's own full path, free of links (GetFinalPathNameByHandleW without its prefix). */
    uint32_t (*path)(void *self, enum api_object object, api_handle handle, char *ret_path,
                     size_t size);
    /* The names in a container, one a call with @index counting up from 0, never "." or "..";
     * API_NO_MORE_FILES behind the last. */
    uint32_t (*next)(void *self, enum api_object object, api_handle handle, uint32_t index,
                     char ret_name[API_NAME_MAX]);
    /* Owner, group and DACL, self-relative. API_INSUFFICIENT_BUFFER: more than @size. */
    uint32_t (*get_security)(void *self, api_handle handle, uint8_t *bytes, size_t size,
                             size_t *ret_len);
    /* The DACL of a self-relative descriptor becomes the object's. With @below, what is below
     * inherits it before this returns, and the object its parent's (SetSecurityInfo); else it is
     * taken as it is (SetKernelObjectSecurity). */
    uint32_t (*set_security)(void *self, enum api_object object, api_handle handle,
                             const uint8_t *bytes, size_t len, bool below);
    /* @sid becomes the owner: of oneself, or of a group that may own, as whoever the thread acts.
     */
    uint32_t (*set_owner)(void *self, enum api_object object, api_handle handle,
                          const struct sid *sid);
    /* All that @token may do with an object of this descriptor (AccessCheck, MAXIMUM_ALLOWED). */
    uint32_t (*granted)(void *self, api_handle token, enum api_object object, const uint8_t *bytes,
                        size_t len, uint32_t *ret_mask);
    /* The object goes with its last handle (FILE_DISPOSITION_INFO); NtDeleteKey. */
    uint32_t (*erase)(void *self, enum api_object object, api_handle handle);

    /* The state's own files; handles go to close(), too. */
    uint32_t (*file_open)(void *self, const char *path, enum api_mode mode, api_handle *ret_handle);
    uint32_t (*file_read)(void *self, api_handle handle, uint8_t *bytes, size_t size,
                          size_t *ret_len);
    uint32_t (*file_write)(void *self, api_handle handle, const void *bytes, size_t len);
    uint32_t (*file_flush)(void *self, api_handle handle); /* FlushFileBuffers */
    /* MoveFileExW with REPLACE_EXISTING and WRITE_THROUGH. */
    uint32_t (*file_replace)(void *self, const char *from, const char *to);

    uint32_t (*folder)(void *self, enum api_folder which, api_handle token, char *ret_path,
                       size_t size);
    uint64_t (*now_ms)(void *self); /* monotonic (GetTickCount64) */
};

/* The thread acts as @who from here (0: as itself, and nothing is called): *@ret_acts. A Win32
 * code: not 0, it acts as itself. */
CORDON_MUST_USE uint32_t api_act(const struct api *api, api_handle who, bool *ret_acts);
/* Ends that, or the process: nothing is done as who knows whom. */
void api_act_end(const struct api *api, bool acts);

/* The system's own calls; only where there are any. */
const struct api *api_win32(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of platform/windows/api.h over a disk, a registry and the state's files in memory.
 * Access lists are checked, inherited and propagated as Windows does it; what was written and not
 * flushed is lost in a crash.
 */
#ifndef CORDON_TESTS_FAKE_API_H
#define CORDON_TESTS_FAKE_API_H

#include "platform/windows/api.h"
#include "platform/windows/sd.h"

#define FAKE_NODES 256U
#define FAKE_FILES 8U
#define FAKE_HANDLES 256U
#define FAKE_TOKENS 8U
#define FAKE_TOKEN_FIRST 0x1000U /* the handle of tokens[0] */
#define FAKE_PATH 200U
#define FAKE_SD 4096U /* bytes of a descriptor */

struct fake_node {
    char path[FAKE_PATH];  /* "" once deleted */
    char leads[FAKE_PATH]; /* a junction: to where */
    enum api_object object;
    struct api_info info;
    uint8_t sd[FAKE_SD];
    size_t sd_len;
    uint16_t control; /* of its descriptor: the file system keeps these, not the setter */
};

struct fake_file {
    char path[FAKE_PATH];
    struct strbuf text, durable;
    bool locked;
};

struct fake_handle {
    bool open, is_file, erased;
    size_t index; /* of the node or file */
    size_t next;  /* of a listing */
    uint32_t access;
};

struct fake_token {
    struct sd_member members[6];
    struct sd_token token;
};

struct fake {
    struct api api; /* what is handed out */
    struct fake_node nodes[FAKE_NODES];
    size_t node_count;
    struct fake_file files[FAKE_FILES];
    size_t file_count;
    struct fake_handle handles[FAKE_HANDLES];
    struct fake_token tokens[FAKE_TOKENS];
    size_t token_count;
    api_handle acting; /* whom the thread acts as; 0: the service */
    uint64_t now_ms;
    /* How this system differs from Windows. */
    bool lists_do_not_stick; /* as Wine's files: denials of made-up SIDs are not kept */
    bool keys_propagate;     /* Wine's keys do not */
    struct sd scratch, scratch2;
};

/* An empty world with C:\, D:\ and HKLM, which everyone may use. */
void fake_init(struct fake *fake);
void fake_deinit(struct fake *fake);

/* An object; its list as sddl_read() takes it, or NULL: inherited. Folders end with "\". */
struct fake_node *fake_add(struct fake *fake, enum api_object object, const char *path,
                           const char *sddl);
struct fake_node *fake_find(struct fake *fake, enum api_object object, const char *path);
/* Its list as sd_print() says it; valid until the next call. "" if there is no such object. */
const char *fake_list(struct fake *fake, enum api_object object, const char *path);

/* A token of these SIDs ("S-1-5-21-1 WD"), the user first. */
api_handle fake_token(struct fake *fake, const char *sids);

/* The process ends: handles are closed, locks are free, what was not flushed is gone; with @torn
 * half of it, from its start, is there. */
void fake_crash(struct fake *fake, bool torn);

size_t fake_open_handles(const struct fake *fake);
struct fake_file *fake_file(struct fake *fake, const char *path);

#endif

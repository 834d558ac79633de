/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service put on a machine and taken off again: its folder, its account, its source in the
 * event log, its entry with the control manager. Either is a list of steps that stops at the first
 * one that fails; each does nothing where it is done already, so that a second run finishes what
 * the first one did not. The Win32 calls are a table, as in api.h.
 */
#ifndef CORDON_PLATFORM_WINDOWS_INSTALL_H
#define CORDON_PLATFORM_WINDOWS_INSTALL_H

#include "platform/windows/account.h"
#include "platform/windows/scm.h"
#include "platform/windows/state.h"

struct install_api {
    void *self;
    bool (*is_administrator)(void *self);
    /* With this owner and list (SDDL) from its first moment; API_ALREADY_EXISTS. */
    uint32_t (*make_folder)(void *self, const char *path, const char *list);
    uint32_t (*remove_folder)(void *self, const char *path); /* API_DIR_NOT_EMPTY */
    uint32_t (*remove_file)(void *self, const char *path);
    /* What the event log shows from @name, with the messages that are in the program @file. */
    uint32_t (*set_source)(void *self, const char *name, const char *file);
    uint32_t (*remove_source)(void *self, const char *name);
    /* scm.h */
    uint32_t (*make_service)(void *self, const struct scm_entry *entry);
    uint32_t (*change_service)(void *self, const struct scm_entry *entry);
    uint32_t (*set_service)(void *self, const struct scm_entry *entry, enum scm_setting setting);
    uint32_t (*remove_service)(void *self, const char *name);
    uint32_t (*start_service)(void *self, const char *name, uint32_t wait_ms);
    uint32_t (*stop_service)(void *self, const char *name, uint32_t wait_ms);
};

const struct install_api *install_win32(void);

#define INSTALL_PROGRAMS 3U

/* What is installed, and with what. */
struct install {
    const struct install_api *api;
    const struct account_api *account;
    const struct state_config *state;           /* its folder lies in @folder */
    const char *folder;                         /* the administrator's own files, too */
    const char *programs[INSTALL_PROGRAMS + 1]; /* NULL behind the last; the service's first */
};

/*
 * Everything is there and the service runs; one that ran was stopped, with its jobs.
 *
 * CORDON_E_DENIED  not an administrator; programs or folders that others may change; somebody
 *                  else's account of that name
 */
CORDON_MUST_USE enum cordon_err install_run(const struct install *what, struct cordon_fault *fault);

/*
 * Nothing of it is there any more but the programs and what an administrator wrote. The service is
 * stopped, and what its jobs left on the disk taken off; as long as anything of that stays, so does
 * the record of it, and the rest. What is left for people to see to goes into @notices, a line
 * each.
 *
 * CORDON_E_STATE  entries or objects of jobs are left
 */
CORDON_MUST_USE enum cordon_err install_undo(const struct install *what, struct strbuf *notices,
                                             struct cordon_fault *fault);

/* This machine's, with the service of this program; false: it cannot be said where that is. The
 * strings stay. Tests have one of their own. */
bool install_parts(struct install *ret_what);

#endif

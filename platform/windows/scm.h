/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service control manager: being a service, and being installed as one. Codes are Win32's.
 */
#ifndef CORDON_PLATFORM_WINDOWS_SCM_H
#define CORDON_PLATFORM_WINDOWS_SCM_H

#include <stdbool.h>
#include <stdint.h>

#define SCM_CORDON "cordond"   /* the service's name */
#define SCM_OPTION "--service" /* what its program is started with */

struct scm_service {
    const char *name;
    /* Prepares; not 0: the service ends with that code and was never running. NULL: run() prepares,
     * and calls scm_running(). */
    uint32_t (*start)(void *context);
    /* Works until it is to stop; its code is the service's. */
    uint32_t (*run)(void *context);
    /* From another thread, once or more: run() is to return. */
    void (*stop)(void *context);
    void *context;
};

/* From run(): prepared. Nothing happens where no manager started this process. */
void scm_running(void);
bool scm_started_us(void);

/* Is that service of the process that the manager started; one a process. Returns at its end.
 * 1063 (ERROR_FAILED_SERVICE_CONTROLLER_CONNECT): somebody else started this process. */
uint32_t scm_serve(const struct scm_service *service);

enum scm_code {
    SCM_NOT_THERE = 1060, /* ERROR_SERVICE_DOES_NOT_EXIST */
    SCM_IS_GOING = 1072,  /* ERROR_SERVICE_MARKED_FOR_DELETE: with the last handle of others */
    SCM_IS_THERE = 1073   /* ERROR_SERVICE_EXISTS */
};

/* What a service's entry says besides this: LocalSystem's, alone in its process, started with the
 * system. */
struct scm_entry {
    const char *name, *title, *description, *command_line;
    const char *const *privileges; /* all that its process has; NULL behind the last */
};

enum scm_setting {
    SCM_DESCRIPTION,
    SCM_FAILURES,   /* started again when it ended without having stopped */
    SCM_SID,        /* "NT SERVICE\NAME" is one of its process's groups */
    SCM_PRIVILEGES, /* ... and what entry->privileges does not name its process has not */
    SCM_SETTINGS
};

uint32_t scm_make(const struct scm_entry *entry);   /* SCM_IS_THERE */
uint32_t scm_change(const struct scm_entry *entry); /* one that is there says what @entry says */
uint32_t scm_set(const struct scm_entry *entry, enum scm_setting setting);
uint32_t scm_remove(const char *name);
/* Both wait until it is so, @wait_ms at most; 1053 (ERROR_SERVICE_REQUEST_TIMEOUT): it is not.
 * One that runs, or does not, is no error. One that was stopped here has no process any more. */
uint32_t scm_start(const char *name, uint32_t wait_ms, uint32_t *ret_pid);
uint32_t scm_stop(const char *name, uint32_t wait_ms);

#endif

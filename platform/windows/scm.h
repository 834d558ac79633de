/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service control manager: being a service, and being installed as one. Codes are Win32's.
 */
#ifndef CORDON_PLATFORM_WINDOWS_SCM_H
#define CORDON_PLATFORM_WINDOWS_SCM_H

#include <stdbool.h>
#include <stdint.h>

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

/* Is that service of the process that the manager started; one a process. Returns at its end.
 * 1063 (ERROR_FAILED_SERVICE_CONTROLLER_CONNECT): somebody else started this process. */
uint32_t scm_serve(const struct scm_service *service);

/* As LocalSystem, started with the system and again after a failure. */
uint32_t scm_install(const char *name, const char *title, const char *command_line);
uint32_t scm_remove(const char *name); /* stops it, too */
/* Both wait until it is so, @wait_ms at most; 1053 (ERROR_SERVICE_REQUEST_TIMEOUT): it is not. */
uint32_t scm_start(const char *name, uint32_t wait_ms, uint32_t *ret_pid);
uint32_t scm_stop(const char *name, uint32_t wait_ms);

#endif

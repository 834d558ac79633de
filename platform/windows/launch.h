/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a job's first process: with the principal's token, in a job object that nothing leaves and
 * that ends everything in it with its last handle, with the handles listed and no others, on a
 * desktop of its own. The entries of its policy are on before this is called (state.h).
 *
 * The Win32 calls are a table, as in api.h: each returns an error code, 0 for success.
 */
#ifndef CORDON_PLATFORM_WINDOWS_LAUNCH_H
#define CORDON_PLATFORM_WINDOWS_LAUNCH_H

#include "platform/windows/api.h"

#define LAUNCH_HANDLES_MAX 8U

/* JOBOBJECT_EXTENDED_LIMIT_INFORMATION, the part that is used; 0: no limit. */
struct launch_limits {
    uint32_t flags; /* JOB_OBJECT_LIMIT_* */
    uint32_t processes;
    uint64_t memory; /* bytes of the whole job */
};
#define LAUNCH_LIMIT_PROCESSES 0x0008U
#define LAUNCH_LIMIT_MEMORY 0x0200U
#define LAUNCH_BREAKAWAY 0x0800U
#define LAUNCH_SILENT_BREAKAWAY 0x1000U
#define LAUNCH_KILL_ON_CLOSE 0x2000U

/* What CreateProcessAsUserW is given. Strings are UTF-8 and borrowed. */
struct launch_process {
    api_handle token; /* primary */
    api_handle job;   /* in it from its first instruction (PROC_THREAD_ATTRIBUTE_JOB_LIST) */
    const char *command_line;
    const char *folder;      /* working directory */
    const char *environment; /* "A=1\0B=2\0\0" */
    /* "WinSta0\name"; NULL: the service's own; "": that of the token's logon. */
    const char *desktop;
    api_handle console; /* its terminal (around.h), which is all it has then; 0: none */
    /* Who may open it, self-relative: of the process and its first thread; NULL: as @token has it.
     */
    const uint8_t *list;
    size_t list_len;
    /* The first three are standard input, output and error; nothing else is inherited. */
    api_handle handles[LAUNCH_HANDLES_MAX];
    size_t handle_count;
};

struct launch_api {
    void *self;
    uint32_t (*job_make)(void *self, api_handle *ret_job);
    uint32_t (*job_limit)(void *self, api_handle job, const struct launch_limits *limits);
    uint32_t (*job_limits)(void *self, api_handle job, struct launch_limits *ret_limits);
    /* No handles, clipboard, settings or desktops of others (JOBOBJECT_BASIC_UI_RESTRICTIONS). */
    uint32_t (*job_restrict_ui)(void *self, api_handle job);
    /* Suspended. */
    uint32_t (*process_make)(void *self, const struct launch_process *what, api_handle *ret_process,
                             api_handle *ret_thread);
    uint32_t (*is_in_job)(void *self, api_handle process, api_handle job, bool *ret_is);
    uint32_t (*resume)(void *self, api_handle thread);
    /* Ends every process in the job: begins to, the system goes on with it by itself. */
    uint32_t (*job_end)(void *self, api_handle job, uint32_t status);
    /* Until there is no process in it, but not longer; API_TIMEOUT: there is. */
    uint32_t (*job_wait)(void *self, api_handle job, uint32_t wait_ms);
    uint32_t (*close)(void *self, api_handle handle);
};

const struct launch_api *launch_win32(void);

struct launch_order {
    struct launch_process process; /* .job is not looked at */
    uint32_t processes;            /* at most; 0: no limit */
    uint64_t memory;               /* bytes; 0: no limit */
    /* Nothing is denied to it: a job object is there to end it, and need not keep anything in. */
    bool open;
};

#define LAUNCH_END_MS 5000U

/* A running job; both handles are owned. */
struct launch {
    api_handle job;
    api_handle process;
};

/*
 * Starts it. On an error nothing runs and nothing is open.
 * CORDON_E_STATE: the system did not do what it said: limits that read back otherwise, a process
 * that is not in its job.
 */
CORDON_MUST_USE enum cordon_err launch_start(const struct launch_api *api,
                                             const struct launch_order *order,
                                             struct launch *ret_launch, struct cordon_fault *fault);

/* Ends the whole tree, and sees it end, within LAUNCH_END_MS; then closes. Twice is allowed. False:
 * a process is still there, and so is what @launch has. */
bool launch_end(const struct launch_api *api, struct launch *launch);

#endif

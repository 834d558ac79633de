/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcordon: run commands in a sandbox that cordond sets up.
 *
 *     struct cordon *cordon;
 *     struct cordon_job *job;
 *     struct cordon_error error;
 *     struct cordon_event event;
 *
 *     if (cordon_open(0, &cordon, &error) == 0 &&
 *         cordon_spawn(cordon, &options, &job, &error) == 0) {
 *         while (cordon_job_wait(job, -1, &event, &error) == 0 &&
 *                event.kind != CORDON_EVENT_ENDED) {
 *         }
 *     }
 *
 * Not thread-safe: one thread at a time per struct cordon. No function changes
 * signal handlers, the environment or the working directory, and none writes to
 * a standard stream. Every descriptor made here is close-on-exec.
 *
 * Functions that can fail return 0, or the exit status that the cordon(1)
 * command gives the failure (below), and describe it in *ret_error, which may
 * be NULL. Out parameters are untouched on failure. Pointers may not be NULL
 * unless it is said.
 */
#ifndef CORDON_CORDON_H
#define CORDON_CORDON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CORDON_API __attribute__((visibility("default")))

/* Returned besides 0. */
#define CORDON_NOTHING_YET 1   /* cordon_job_wait(): the time was up first */
#define CORDON_STATUS_FAILED 1 /* cordon_report(), cordon_kill(), cordon_reload(): refused */
#define CORDON_STATUS_USAGE 2  /* the caller's options make no sense */
#define CORDON_STATUS_TIMEOUT 124
#define CORDON_STATUS_SETUP 125 /* the sandbox could not be set up */
#define CORDON_STATUS_NOT_EXECUTABLE 126
#define CORDON_STATUS_NOT_FOUND 127

/* One failure: one line for a person is "TEXT; REMEDY". */
struct cordon_error {
    int status;
    char text[768];
    char remedy[256]; /* "" where there is none */
};

/* A connection to the service, or to a private broker. */
struct cordon;

/* One sandboxed command tree. */
struct cordon_job;

enum cordon_open_flag {
    CORDON_OPEN_EMBEDDED = 1, /* a private broker even where the service is installed */
    CORDON_OPEN_SERVICE = 2   /* the service or nothing */
};

/*
 * Connects to the service; where none is installed, starts a private broker as
 * a child process (waited for by cordon_close(); its pid is nobody's business).
 * On 0 the caller owns *ret_cordon.
 */
CORDON_API int cordon_open(unsigned flags, struct cordon **ret_cordon,
                           struct cordon_error *ret_error);

/* Ends what still runs on the connection, closes and frees it. NULL is allowed. */
CORDON_API void cordon_close(struct cordon *cordon);

/* The same numbers as enum cordon_system of the command line's words. */
enum cordon_system {
    CORDON_SYSTEM_HOST,
    CORDON_SYSTEM_LINUX,
    CORDON_SYSTEM_MACOS,
    CORDON_SYSTEM_WINDOWS
};

enum cordon_spawn_flag {
    CORDON_SPAWN_LOG_DENIALS = 1, /* report each denial as an event */
    CORDON_SPAWN_JSON = 2,        /* plans as JSON */
    CORDON_SPAWN_TTY_STDIN = 4,   /* the stream is the job's own new terminal; */
    CORDON_SPAWN_TTY_STDOUT = 8,  /* its descriptor is not passed, see */
    CORDON_SPAWN_TTY_STDERR = 16  /* cordon_job_pty() */
};

/*
 * What to run, and how. Zeroed members mean the default. Everything is borrowed
 * for the call only.
 */
struct cordon_spawn_options {
    size_t size;                  /* sizeof(struct cordon_spawn_options) */
    const char *const *argv;      /* NULL-terminated, at least one word */
    const char *const *env;       /* NULL-terminated; NULL: the caller's environment */
    const char *mode;             /* "read-only", ...; NULL: as configured */
    const char *profile;          /* permission profile; NULL: as configured */
    const char *const *overrides; /* "key=value", override_count of them */
    size_t override_count;
    const char *cwd;           /* NULL: the caller's own */
    int stdio[3];              /* passed as they are; -1: /dev/null */
    unsigned flags;            /* enum cordon_spawn_flag */
    uint32_t timeout_ms;       /* 0: none */
    uint16_t rows, cols;       /* of the job's terminal; 0: unknown */
    enum cordon_system system; /* for cordon_plan(); cordon_spawn() runs the host's only */
};

/*
 * Asks for a job; it may not have started when this returns. A connection
 * carries one job at a time: free one before asking for the next.
 * On 0 the caller owns *ret_job.
 */
CORDON_API int cordon_spawn(struct cordon *cordon, const struct cordon_spawn_options *options,
                            struct cordon_job **ret_job, struct cordon_error *ret_error);

/*
 * The plan of such a job as text; runs nothing. @options->argv may be NULL.
 * *ret_text is for free().
 */
CORDON_API int cordon_plan(struct cordon *cordon, const struct cordon_spawn_options *options,
                           char **ret_text, struct cordon_error *ret_error);

enum cordon_event_kind {
    CORDON_EVENT_STARTED,   /* the sandbox stands and the command runs */
    CORDON_EVENT_VIOLATION, /* with CORDON_SPAWN_LOG_DENIALS, or after cordon_violations() */
    CORDON_EVENT_ENDED,     /* the last event; the whole tree is gone */
    CORDON_EVENT_TOLD       /* of cordon_violations(): a batch is complete */
};

enum cordon_end {
    CORDON_END_EXITED,    /* @code: the exit status */
    CORDON_END_SIGNALLED, /* @code: the signal's number; @error says which limit ended it, if one
                             did */
    CORDON_END_TIMEOUT,   /* @error says so if it was not @timeout_ms */
    CORDON_END_FAILED,    /* not run: @error says why */
    CORDON_END_KILLED     /* the broker ended it: @error says why, if known */
};

/* Strings live until the next call for the same job. */
struct cordon_event {
    enum cordon_event_kind kind;
    const char *job_id; /* STARTED, VIOLATION */
    /* STARTED */
    const char *const *notices; /* NULL-terminated lines; never NULL */
    /* VIOLATION */
    const char *operation, *path, *rule, *origin, *command; /* "" where unknown */
    const char *time, *mechanism;                           /* RFC 3339; "fanotify" */
    uint32_t pid;                                           /* in the job; 0: unknown */
    uint32_t uid;                                           /* whose job */
    /* TOLD */
    uint32_t missed; /* denials since the last TOLD that have no VIOLATION */
    int last;        /* not 0: nothing more comes */
    /* ENDED */
    enum cordon_end end;
    int code;
    int status;          /* what cordon(1) exits with: @code, 128 + @code, 124 .. 127, 2 */
    uint32_t violations; /* denials counted, with a record or without */
    struct cordon_error error;
};

/* Readable when cordon_job_wait() has something to do. Borrowed. */
CORDON_API int cordon_job_fd(const struct cordon_job *job);

/*
 * The next event, waiting at most @timeout_ms (-1: for ever, 0: not at all).
 * CORDON_NOTHING_YET when there was none; also after a signal handler ran.
 * A lost connection is CORDON_STATUS_SETUP; the broker has then ended the job.
 */
CORDON_API int cordon_job_wait(struct cordon_job *job, int timeout_ms,
                               struct cordon_event *ret_event, struct cordon_error *ret_error);

/* Sends a signal to the command. Before STARTED it is kept and sent then. */
CORDON_API int cordon_job_signal(struct cordon_job *job, int signo, struct cordon_error *ret_error);

/* The master of the job's terminal; -1 before STARTED or without one. Borrowed. */
CORDON_API int cordon_job_pty(const struct cordon_job *job);

/*
 * Asks for the denials that the service keeps of the caller's jobs; root is told
 * of everybody's. @follow: and of those to come. A connection that follows
 * carries nothing else.
 */
CORDON_API int cordon_violations(struct cordon *cordon, int follow, struct cordon_error *ret_error);

/* The next VIOLATION or TOLD, as cordon_job_wait(). */
CORDON_API int cordon_violations_wait(struct cordon *cordon, int timeout_ms,
                                      struct cordon_event *ret_event,
                                      struct cordon_error *ret_error);

enum cordon_report {
    CORDON_REPORT_STATUS, /* how the broker is, and what is held of the quotas */
    CORDON_REPORT_JOBS    /* which jobs run */
};

/*
 * Of the caller's own jobs and sessions; root is told of everybody's. Text for a
 * person or, with @json, one line that share/cordon/schema describes. *ret_text
 * is for free().
 */
CORDON_API int cordon_report(struct cordon *cordon, enum cordon_report report, int json,
                             char **ret_text, struct cordon_error *ret_error);

/*
 * Sends signal @signo to a job of the caller's from whatever connection; root
 * may name anybody's. SIGKILL ends the whole tree. CORDON_STATUS_FAILED:
 * there is none, or it cannot be sent that signal, or does not run its command yet.
 */
CORDON_API int cordon_kill(struct cordon *cordon, const char *job, int signo,
                           struct cordon_error *ret_error);

/*
 * Has the managed policy read again; for root. *ret_text, for free(), tells the
 * generation in force; *ret_broken is not 0 if that is not what the files say,
 * or if every job is refused.
 */
CORDON_API int cordon_reload(struct cordon *cordon, int json, char **ret_text, int *ret_broken,
                             struct cordon_error *ret_error);

/* Readable when cordon_violations_wait() has something to do. Borrowed. */
CORDON_API int cordon_fd(const struct cordon *cordon);

/* Forgets the job; one that still runs is ended by closing the connection. NULL is allowed. */
CORDON_API void cordon_job_free(struct cordon_job *job);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages between the supervisor and its session workers: fixed layout, one
 * datagram each (SOCK_SEQPACKET), with descriptors beside them. Either side
 * may be hostile to the other: a worker belongs to its caller.
 */
#ifndef CORDON_PLATFORM_IPC_H
#define CORDON_PLATFORM_IPC_H

#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"

#define IPC_MAGIC 0x4e445243U /* "CRDN" */
#define IPC_VERSION 4U
#define IPC_FDS_MAX 250U /* below the kernel's SCM_MAX_FD of 253 */

enum ipc_type {
    /* supervisor to worker */
    IPC_SESSION = 1, /* fds: the accepted connection */
    IPC_MANAGED = 2, /* fds: sealed memfd, see struct ipc_managed_head */
    IPC_REPORT = 3,  /* payload report: what became of @job */
    /* Payload fault: the spawn order of @request was refused. With CORDON_E_AGAIN it was made
     * with an older managed policy; the newer one came before: make it anew. */
    IPC_REFUSED = 4,
    IPC_STARTED = 5, /* payload pid: the order of @request is now job @job */
    IPC_HALT = 6,    /* finish: the supervisor stops */
    IPC_RECORDS = 7, /* fds: sealed memfd, see struct ipc_records_head; answers @request */
    /* Answers the query of @request. Payload fault: err CORDON_OK, or why not. fds, of STATUS, JOBS
     * and RELOAD that went well: sealed memfd, see struct ipc_status and struct ipc_jobs_head. */
    IPC_ANSWER = 8,
    /* fds: sealed memfd, see struct ipc_identity: whom a worker serves that was started before that
     * was known. The first that it is told. */
    IPC_IDENTITY = 9,
    /* worker to supervisor */
    IPC_SPAWN = 16,       /* payload spawn; fds: see struct ipc_spawn */
    IPC_SIGNAL = 17,      /* payload signo, for @job */
    IPC_SESSION_END = 18, /* the connection of @session is closed; its jobs end */
    /* Payload spawn: @request is to be refused under that generation. The answer is IPC_REFUSED,
     * with CORDON_E_AGAIN where there is a newer one. */
    IPC_CHECK = 19,
    /* Payload ask, for @session: records of denials, of @job or (0) all that the caller may see.
     * Each is answered once, as IPC_RECORDS with its @request. */
    IPC_ASK = 20,
    /* Payload query, for @session: answered once, as IPC_ANSWER with its @request. */
    IPC_QUERY = 21
};

/* Who asks is whose worker it is; what he may see and do follows from that alone. */
enum ipc_query_kind {
    IPC_QUERY_STATUS,
    IPC_QUERY_JOBS,
    IPC_QUERY_KILL, /* @signo to @job of the message */
    IPC_QUERY_RELOAD,
    IPC_QUERY_COUNT
};
struct ipc_query {
    uint32_t kind;
    uint32_t signo;
};

/* Descriptors of an IPC_SPAWN, in this order; then the grants of the order. */
enum ipc_spawn_fd {
    IPC_SPAWN_ORDER,   /* sealed memfd: the back end's own, see order.h of each */
    IPC_SPAWN_TABLE,   /* sealed memfd: the profile's DFA */
    IPC_SPAWN_CHANNEL, /* socket to the worker, for cordon-init only; never read here */
    IPC_SPAWN_CWD,     /* O_PATH directory; on Windows nobody looks at it */
    IPC_SPAWN_GRANTS   /* first of the grants */
};

/* By enum policy_limit. */
#define IPC_LIMITS 5

struct ipc_spawn {
    uint64_t generation;         /* of the managed policy that the order was made with */
    uint32_t timeout_ms;         /* 0: none */
    uint32_t argc;               /* for the audit record; the text stays with the caller */
    uint32_t has_texts;          /* the last descriptor is the texts of the profile's rules */
    uint32_t limits[IPC_LIMITS]; /* the caller's own; 0: none */
    char command[128];           /* start of argv, for the audit record; not escaped */
    char policy_hash[72];
};

enum ipc_report_kind {
    IPC_REPORT_RUNNING,        /* the command was executed; not told if it ended at once */
    IPC_REPORT_EXITED,         /* @code is its exit status */
    IPC_REPORT_SIGNALLED,      /* @code is the signal */
    IPC_REPORT_NOT_FOUND,      /* the command does not exist (127) */
    IPC_REPORT_NOT_EXECUTABLE, /* ... cannot be executed (126) */
    IPC_REPORT_SETUP,          /* the sandbox could not be set up (125); @fault says why */
    IPC_REPORT_STALE           /* from an init alone: what it set up ahead of time is out of date */
};

struct ipc_fault {
    uint32_t err; /* enum cordon_err */
    int32_t os_code;
    char text[384];
    char remedy[192];
};

/* What a job used; of these, what the host can tell. */
enum ipc_usage_field {
    IPC_USAGE_MEMORY_PEAK,  /* bytes, of all processes together */
    IPC_USAGE_MEMORY_HITS,  /* times that memory was at its limit */
    IPC_USAGE_OOM_KILLS,    /* processes killed for it */
    IPC_USAGE_CPU_USER,     /* microseconds */
    IPC_USAGE_CPU_SYSTEM,   /* microseconds */
    IPC_USAGE_CPU_WAITED,   /* microseconds, for its share of the processors */
    IPC_USAGE_PIDS_PEAK,    /* processes and threads at once */
    IPC_USAGE_PIDS_REFUSED, /* that could not be made for their limit */
    IPC_USAGE_LARGEST,      /* bytes: the greatest resident size of one process */
    IPC_USAGE_COUNT
};
struct ipc_usage {
    uint32_t known; /* bit n: value[n] is */
    uint32_t reserved;
    uint64_t value[IPC_USAGE_COUNT];
};

#define IPC_NO_LIMIT UINT32_MAX

struct ipc_report {
    uint32_t kind;
    uint32_t code;
    uint32_t masked; /* objects that the start-time snapshot found and masked */
    uint32_t limit;  /* enum policy_limit: what ended it; else IPC_NO_LIMIT. From the supervisor */
    /* The processes of the job are gone, but not yet all that was made for it: for the supervisor,
     * which hears once more. */
    uint32_t more;
    uint32_t reserved;
    uint64_t denied; /* accesses denied at access time; from the supervisor, in the last report */
    struct ipc_usage usage; /* from the supervisor, in the last report */
    struct ipc_fault fault;
};

/* What was denied; NONE: the record only counts. */
enum ipc_operation {
    IPC_OPERATION_NONE,
    IPC_OPERATION_OPEN,
    IPC_OPERATION_EXEC,
    IPC_OPERATION_LIST,
    IPC_OPERATION_CREATE,
    IPC_OPERATION_RENAME,
    IPC_OPERATION_LINK,
    IPC_OPERATION_REMOVE,
    IPC_OPERATION_CHANGE,    /* metadata, size, extended attributes */
    IPC_OPERATION_ATTRIBUTE, /* an extended attribute or a link's target was asked for */
    IPC_OPERATION_WATCH,
    IPC_OPERATION_CONNECT,
    IPC_OPERATION_RECEIVE, /* an open file from another process */
    IPC_OPERATION_COUNT
};

/* Who decided. */
enum ipc_mechanism { IPC_MECHANISM_FANOTIFY = 1, IPC_MECHANISM_BPF, IPC_MECHANISM_COUNT };

enum ipc_rule_set { IPC_SET_OWN, IPC_SET_MANAGED, IPC_SET_NONE };

/*
 * One denial, from whoever decided it to the supervisor: one datagram of
 * IPC_VIOLATION_HEAD bytes and @path_len more. Nothing is escaped.
 */
struct ipc_violation {
    uint64_t time_ms;   /* CLOCK_REALTIME */
    uint64_t lost;      /* denials before this one that have no record */
    uint32_t pid;       /* in the job; 0: unknown */
    uint32_t set;       /* enum ipc_rule_set; NONE: by object, or what could not be named */
    uint32_t rule;      /* index in @set */
    uint16_t operation; /* enum ipc_operation */
    uint16_t mechanism; /* enum ipc_mechanism */
    uint16_t path_len;  /* 0: it has no name; a longer one is cut at its end */
    char comm[16];      /* "" where unknown */
    char path[4096];    /* without a NUL in the datagram; with one after it was received */
};
#define IPC_VIOLATION_HEAD offsetof(struct ipc_violation, path)

struct ipc_ask {
    uint64_t after; /* records with a greater number; from ipc_records_head.next */
    uint32_t wait;  /* not before there is one, or the job has ended */
};

/* What is answered: this head, then @count times an ipc_record and its three texts, packed. */
struct ipc_records_head {
    uint32_t magic;
    uint32_t count;
    uint64_t next;  /* number of the last record told, or as it was asked */
    uint64_t total; /* denials ever counted of those that may be seen; 0 for one job's */
    uint32_t more;  /* ask again: not all fitted */
    uint32_t reserved;
};
struct ipc_record {
    uint64_t number, job, time_ms;
    uint32_t uid, pid;             /* @pid: in the job; 0: unknown */
    uint16_t operation, mechanism; /* enum ipc_operation, enum ipc_mechanism */
    uint16_t path_len, rule_len, origin_len;
    char comm[16]; /* terminated */
};
#define IPC_RECORDS_MAX ((size_t)256U * 1024U) /* bytes of an answer */

/* How the service is; then @user_count times an ipc_status_user: of all, or of the asker alone. */
struct ipc_status {
    uint32_t magic;
    uint32_t user_count;
    uint32_t all; /* the asker is root: everybody is in it */
    int32_t pid;
    uint64_t start_ms; /* since 1970 */
    uint64_t uptime_ms;
    uint64_t generation; /* of the managed policy; 0: none is good */
    uint32_t managed_files;
    uint32_t workers;
    uint32_t sessions, sessions_max, sessions_each; /* of all users; the most; of one user */
    uint32_t jobs, jobs_max, jobs_each;
    uint32_t mechanism; /* enum ipc_mechanism; 0: nobody decides at each access */
    uint32_t refused;   /* every job is, whatever is in force */
    uint32_t warning;   /* @fault is no more than that: what was read is in force, but too old */
    char version[32];
    char backend[20];
    /* Why the latest managed files or fetched requirements are not in force; err CORDON_OK. */
    struct ipc_fault fault;
};
struct ipc_status_user {
    uint32_t uid;
    uint32_t sessions, jobs, workers;
    char name[64]; /* "" where unknown */
};

/* Then @count times an ipc_job, oldest first. */
struct ipc_jobs_head {
    uint32_t magic;
    uint32_t count;
    uint32_t all; /* as in struct ipc_status */
    uint32_t reserved;
};
struct ipc_job {
    uint64_t job;
    uint64_t start_ms; /* since 1970 */
    uint64_t elapsed_ms;
    uint64_t generation; /* of the managed policy that it was started with */
    uint64_t denied;
    uint32_t uid;
    int32_t pid;        /* of its init, as the supervisor sees it */
    uint32_t mechanism; /* enum ipc_mechanism; 0: nothing of it is decided at each access */
    uint32_t reserved;
    char user[64];
    char command[128]; /* a worker's words; as in the audit record */
    char policy_hash[72];
};
#define IPC_ANSWER_MAX ((size_t)4U * 1024U * 1024U) /* bytes of an answer */

struct ipc_message {
    uint32_t magic;
    uint16_t version;
    uint16_t type;
    uint32_t session; /* the supervisor's number of a connection */
    uint32_t request; /* the worker's number of a spawn order */
    uint64_t job;     /* the supervisor's number of a job; 0: none */
    union {
        struct ipc_spawn spawn;
        struct ipc_report report;
        struct ipc_fault fault;
        struct ipc_ask ask;
        struct ipc_query query;
        uint32_t pid; /* of the job's init: see host_meet() */
        uint32_t signo;
    } u;
};

/* Whom a worker serves; then @group_count times {u32 gid}. */
struct ipc_identity {
    uint32_t magic;
    uint32_t uid, gid;
    uint32_t group_count;
};

/*
 * The managed documents and the facts that only the supervisor may state, as
 * one sealed memfd: this head, then @document_count times {u32 layer, u32
 * path_len, u32 text_len, path, text}, then @group_count times {u32 len, name},
 * packed. A file that is refused travels as @fault: the worker then refuses
 * every job with it.
 */
enum ipc_host {
    IPC_HOST_FANOTIFY = 1U,
    IPC_HOST_BPF = 2U,
    IPC_HOST_MEMORY = 4U, /* times enum plan_controller: what jobs can be limited with */
    IPC_HOST_PIDS = 8U,
    IPC_HOST_CPU = 16U
};

struct ipc_managed_head {
    uint32_t magic;
    uint32_t document_count;
    uint32_t group_count; /* names of the connection's groups */
    uint32_t host;        /* enum ipc_host: what only the supervisor can find out */
    uint64_t generation;
    char home[1024]; /* of the caller, from the user database; "" when he has none */
    char user[256];
    struct ipc_fault fault; /* err CORDON_OK when the managed policy is usable */
};

struct ipc_packet {
    struct ipc_message message;
    int fds[IPC_FDS_MAX]; /* owned by the receiver after ipc_recv() */
    size_t fd_count;
};

/* A connected pair, close-on-exec, non-blocking where asked. CORDON_E_OS. */
CORDON_MUST_USE enum cordon_err ipc_pair(int ret_fds[2], struct cordon_fault *fault);

/*
 * Sends one packet; the descriptors stay the caller's.
 * CORDON_E_AGAIN when the peer's queue is full, CORDON_E_CLOSED, CORDON_E_OS.
 */
CORDON_MUST_USE enum cordon_err ipc_send(int channel, const struct ipc_message *message,
                                         const int *fds, size_t fd_count);

/*
 * Receives one packet. Descriptors arrive close-on-exec; on any error none is
 * left open. CORDON_E_AGAIN, _CLOSED, _PROTO (wrong size, magic, version,
 * truncated control data), _OS.
 */
CORDON_MUST_USE enum cordon_err ipc_recv(int channel, struct ipc_packet *ret_packet);

/* Closes what a packet holds. */
void ipc_packet_close(struct ipc_packet *packet);

/*
 * A sealed memfd holding @data (no write, grow, shrink). CORDON_E_OS.
 * The name shows in /proc only.
 */
CORDON_MUST_USE enum cordon_err ipc_memfd(const char *name, const void *data, size_t len,
                                          int *ret_fd, struct cordon_fault *fault);

/*
 * Maps a memfd of at most @max bytes read-only, after checking that it is
 * sealed against writing, growing and shrinking. Unmap with ipc_unmap().
 * CORDON_E_INVALID when not sealed, CORDON_E_LIMIT, CORDON_E_OS.
 */
CORDON_MUST_USE enum cordon_err ipc_map(int fd, size_t max, const void **ret_data, size_t *ret_len,
                                        struct cordon_fault *fault);
void ipc_unmap(const void *data, size_t len);

#endif

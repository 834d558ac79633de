/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every message of the wire protocol as a plain C struct; PROTOCOL.md says
 * what they mean and when they may be sent. No protobuf types here.
 *
 * A zeroed struct is a valid "nothing given". Strings are NUL-terminated and
 * hold no other NUL; one that was not given, or given empty, is NULL after
 * decoding, and NULL and "" are the same when encoding. Those marked "text"
 * are UTF-8; those marked "bytes" may hold anything but NUL, and whoever
 * prints them escapes them (strbuf_escape()).
 * Decoded messages point into the arena they were decoded with.
 */
#ifndef CORDON_PROTO_MESSAGE_H
#define CORDON_PROTO_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"

/* The one protocol version there is; HELLO and WELCOME agree on it. */
#define CORDON_PROTOCOL_VERSION 1U

/* Numbers of the wire: never reused. Requests are below 64, replies from 64 on. */
enum cordon_msg_type {
    CORDON_MSG_HELLO = 1,
    CORDON_MSG_SPAWN = 2,
    CORDON_MSG_SIGNAL = 3,
    CORDON_MSG_PLAN = 4,
    CORDON_MSG_STATUS = 5,
    CORDON_MSG_BYE = 6,
    CORDON_MSG_VIOLATIONS = 7,
    CORDON_MSG_KILL = 8,
    CORDON_MSG_RELOAD = 9,
    CORDON_MSG_WELCOME = 64,
    CORDON_MSG_STARTED = 65,
    CORDON_MSG_EXITED = 66,
    CORDON_MSG_FAILED = 67,
    CORDON_MSG_PLAN_TEXT = 68,
    CORDON_MSG_STATUS_TEXT = 69,
    CORDON_MSG_VIOLATION = 70,
    CORDON_MSG_VIOLATIONS_TOLD = 71
};

/*
 * @items has @count strings and, after decoding, a NULL after the last, so that
 * it serves as an argv. @items may be NULL when @count is 0.
 */
struct msg_list {
    char *const *items;
    size_t count;
};

struct msg_numbers {
    const uint32_t *items;
    size_t count;
};

enum msg_os { MSG_OS_HOST = 0, MSG_OS_LINUX = 1, MSG_OS_MACOS = 2, MSG_OS_WINDOWS = 3 };

/* What a STATUS asks for. */
enum msg_report { MSG_REPORT_STATUS = 0, MSG_REPORT_JOBS = 1 };

enum msg_broker_mode { MSG_BROKER_EMBEDDED = 1, MSG_BROKER_SERVICE = 2 };

enum msg_exit_kind {
    MSG_EXIT_EXITED = 1,       /* code: the command's own status, 0..255 */
    MSG_EXIT_SIGNALLED = 2,    /* code: the signal's number, 1..64 */
    MSG_EXIT_TIMEOUT = 3,      /* code: 0 */
    MSG_EXIT_SETUP_FAILED = 4, /* code: 125, 126 or 127; a FAILED came before it */
    MSG_EXIT_KILLED = 5        /* code: 0; the broker ended the job */
};

struct msg_hello {
    uint32_t protocol_min;      /* >= 1 */
    uint32_t protocol_max;      /* >= protocol_min */
    const char *client_version; /* text */
};

/* What decides the policy of a job; shared by SPAWN and PLAN. */
struct msg_choice {
    const char *mode;            /* text; -s */
    const char *profile;         /* text; -P */
    struct msg_list overrides;   /* text; -c "key=value", in order */
    enum msg_os os;              /* whose plan; MSG_OS_HOST: this host's */
    const char *cwd_display;     /* bytes; the working directory's name, for messages only */
    const char *codex_home;      /* bytes; $CODEX_HOME of the caller */
    const char *tmpdir;          /* bytes; $TMPDIR */
    const char *xdg_config_home; /* bytes; $XDG_CONFIG_HOME */
};

/* Places of the descriptors of SPAWN; the ones for fd_targets follow. */
enum {
    SPAWN_FD_CWD,    /* a directory, O_PATH */
    SPAWN_FD_STDIN,  /* of a stream flagged as a terminal: /dev/null, unused */
    SPAWN_FD_STDOUT, /* ... */
    SPAWN_FD_STDERR, /* ... */
    SPAWN_FD_EXTRA
};
#define MSG_FD_TARGETS_MAX 64U

struct msg_spawn {
    struct msg_list argv; /* bytes; at least one, the first not empty */
    struct msg_list env;  /* bytes; "NAME=VALUE", passed on as they are */
    struct msg_choice choice;
    bool log_denials;
    bool json;
    uint32_t timeout_ms; /* 0: none */
    bool stdin_tty;
    bool stdout_tty;
    bool stderr_tty;
    uint32_t term_rows; /* <= 65535 */
    uint32_t term_cols; /* <= 65535 */
    /* Numbers in the job of the descriptors after the first four: 3..65535, each once. */
    struct msg_numbers fd_targets;
};

struct msg_signal {
    const char *job; /* text */
    uint32_t signo;  /* 1..64 */
};

/* One descriptor: the working directory, as SPAWN_FD_CWD. */
struct msg_plan {
    struct msg_choice choice;
    bool json;
};

struct msg_status {
    enum msg_report report;
    bool json;
};

/* Of any of the caller's jobs; root's, of anybody's. */
struct msg_kill {
    const char *job; /* text */
    uint32_t signo;  /* 1..64 */
};

/* Root's only. */
struct msg_reload {
    bool json;
};

struct msg_violations {
    bool follow; /* and those to come, until the connection ends */
};

struct msg_welcome {
    uint32_t protocol;          /* the version spoken from here on; >= 1 */
    const char *broker_version; /* text */
    enum msg_broker_mode mode;
};

/* One descriptor, the master of the job's terminal, if @terminal. */
struct msg_started {
    const char *job; /* text */
    bool terminal;
    struct msg_list notices; /* bytes; one line each, without its newline */
};

struct msg_exited {
    const char *job; /* text */
    enum msg_exit_kind kind;
    uint32_t code;
    uint32_t violations; /* denials recorded */
    const char *reason;  /* bytes; why the broker ended it */
};

struct msg_failed {
    enum cordon_err err;  /* never CORDON_OK */
    const char *text;     /* bytes; what, where */
    const char *remedy;   /* bytes */
    uint32_t exit_status; /* 1, 2, 124, 125, 126 or 127 */
};

struct msg_plan_text {
    const char *text; /* bytes */
};

struct msg_status_text {
    const char *text; /* bytes; lines, or one line of JSON; of KILL: nothing */
    bool failed;      /* @text says what is wrong; the client exits with 1 */
};

struct msg_violation {
    const char *operation; /* text; "open", "exec", "list" */
    const char *path;      /* bytes */
    const char *rule;      /* bytes; "deny_read[2]" */
    const char *origin;    /* bytes; "/etc/cordon/requirements.toml:7" */
    const char *comm;      /* bytes; name of the process */
    uint32_t pid;          /* in the job's pid namespace; 0: unknown */
    const char *job;       /* text */
    uint32_t uid;          /* of the job */
    const char *time;      /* text; RFC 3339, UTC */
    const char *mechanism; /* text; who decided: "fanotify", "bpf" */
};

/* After a batch of VIOLATION. */
struct msg_violations_told {
    uint32_t missed; /* denials since the last of these that have no VIOLATION */
    bool last;       /* of this request */
};

struct message {
    enum cordon_msg_type type; /* says which member of @u counts; BYE has none */
    uint32_t unknown;          /* decoding: fields of a newer peer that were skipped */
    union {
        struct msg_hello hello;
        struct msg_spawn spawn;
        struct msg_signal signal;
        struct msg_plan plan;
        struct msg_status status;
        struct msg_violations violations;
        struct msg_kill kill;
        struct msg_reload reload;
        struct msg_welcome welcome;
        struct msg_started started;
        struct msg_exited exited;
        struct msg_failed failed;
        struct msg_plan_text plan_text;
        struct msg_status_text status_text;
        struct msg_violation violation;
        struct msg_violations_told violations_told;
    } u;
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What broker/ needs of a host besides enforcement: files, sockets, child
 * processes, names. Descriptors are plain ints; nothing here blocks for longer
 * than a local disk does, unless it says so.
 */
#ifndef CORDON_HOST_H
#define CORDON_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/arena.h"
#include "platform/base/strbuf.h"
#include "platform/platform.h"
#include "policy/fetch_config.h"

/* ---- this process ---- */

/* Not dumpable, umask 077, SIGPIPE ignored, as many descriptors as the host allows. */
void host_harden(void);
/* A session worker: ends with the supervisor, dumps no core. */
void host_harden_worker(void);
bool host_is_root(void);
uint32_t host_uid(void);
int32_t host_pid(void);
/* Opens /dev/null on those of 0, 1 and 2 that are closed. */
void host_fill_stdio(void);

/* Of the signals' numbers, as clients send them: the same everywhere, and this host's own. */
#define HOST_SIGNAL_KILL 9U /* ends the whole job */
extern const uint32_t host_signal_stop;

/* "" when the host has no name. */
void host_name(char *ret_name, size_t size);
/* Memory that was freed goes back to the system, as far as the allocator knows how. */
void host_trim(void);
uint64_t host_now_ms(void);  /* monotonic */
uint64_t host_unix_ms(void); /* since 1970 */
/* UTC, RFC 3339 with milliseconds: "2026-01-31T23:59:59.123Z". */
#define HOST_TIME_MAX 32U
void host_time(char ret_text[HOST_TIME_MAX]);
/* The same of a time in milliseconds since 1970. */
void host_time_of(uint64_t unix_ms, char ret_text[HOST_TIME_MAX]);

void host_close(int fd); /* -1 is allowed */
/* The same for what somebody else gave: whoever is behind it is not waited for. */
void host_close_foreign(int fd);
/* The same for a connection, which ends for all who have it; cheap, if no descriptor is queued. */
void host_end_foreign(int fd);
/* Whether @path names a place wherever this process is; looks at no disk. */
bool host_is_absolute(const char *path);
/* True if @path, its links followed, is a directory. */
bool host_is_directory(const char *path);

/* ---- descriptors and files ---- */

/*
 * The name of the directory behind @fd, as it is now.
 * CORDON_E_INVALID no directory; CORDON_E_NOT_FOUND removed; CORDON_E_NOMEM, _OS.
 */
CORDON_MUST_USE enum cordon_err
host_directory_name(int fd, struct arena *arena, const char **ret_name, struct cordon_fault *fault);

/* CORDON_E_DENIED when @fd is a directory: no job gets one as a standard stream. */
CORDON_MUST_USE enum cordon_err host_check_stream(int fd, struct cordon_fault *fault);

/*
 * Reads @path, at most @max bytes, with the rights of this process; links are
 * followed. The text is the arena's and NUL-terminated.
 * CORDON_E_NOT_FOUND, CORDON_E_DENIED (not a regular file), CORDON_E_LIMIT,
 * CORDON_E_NOMEM, CORDON_E_OS.
 */
CORDON_MUST_USE enum cordon_err host_read_file(const char *path, size_t max, struct arena *arena,
                                               const char **ret_text, size_t *ret_len,
                                               struct cordon_fault *fault);

/* For appending; made with mode 0600. CORDON_E_OS. */
CORDON_MUST_USE enum cordon_err host_open_log(const char *path, int *ret_fd,
                                              struct cordon_fault *fault);
/*
 * Replaces file @name of directory @dir by these bytes in one step, which is on the disk when it
 * returns; mode 0644. In between there is a file ".NAME". CORDON_E_OS.
 */
CORDON_MUST_USE enum cordon_err host_replace(int dir, const char *name, const char *bytes,
                                             size_t len, struct cordon_fault *fault);
/* In one write where the kernel lets it; false: not all of it. */
bool host_write(int fd, const char *text, size_t len);

/* ---- managed policy files ---- */

struct managed_places {
    const char *root; /* in front of every path */
    uint32_t owner;   /* the only user who may own what is read */
};
/* Where they are, but for test builds. */
#define MANAGED_PLACES                                                                             \
    {                                                                                              \
        "", 0                                                                                      \
    }

struct managed_file {
    enum policy_layer layer;
    char *path; /* as messages name it */
    char *text;
    size_t len;
};

struct managed_files {
    struct managed_file *items; /* owned */
    size_t count;
};
#define MANAGED_FILES_MAX 256U

/*
 * Reads /etc/codex/requirements.toml, /etc/cordon/requirements.toml and
 * /etc/cordon/requirements.d/ *.toml (byte order). A file that is not there is
 * left out. CORDON_E_DENIED when one, or a directory or link on the way to it,
 * belongs to or may be changed by anyone else, is no regular file, or dangles;
 * CORDON_E_LIMIT, CORDON_E_NOMEM, CORDON_E_OS.
 */
CORDON_MUST_USE enum cordon_err managed_read(const struct managed_places *places,
                                             struct managed_files *ret_files,
                                             struct cordon_fault *fault);
void managed_files_deinit(struct managed_files *files);
/*
 * The file of that name for appending, made (0600) if it is not there. The way to it is judged as
 * that to a managed file; it has one name, is the owner's and nobody else can write it, else
 * CORDON_E_DENIED. CORDON_E_NOT_FOUND: there is no such directory; CORDON_E_INVALID, CORDON_E_OS.
 */
CORDON_MUST_USE enum cordon_err host_open_sink(const struct managed_places *places,
                                               const char *path, int *ret_fd,
                                               struct cordon_fault *fault);
/*
 * Changes when a file, its place or the list of files does, those of fetched requirements included;
 * a few stat calls. *ret_settled (NULL is allowed): false when something changed so lately that a
 * further change may leave the same times, so the signature may not be relied on.
 */
uint64_t managed_signature(const struct managed_places *places, bool *ret_settled);

/* ---- fetched requirements ---- */

/*
 * What cordon-fetch leaves in its spool is another user's: it is believed for its
 * signature alone, and can be cut off but not forged or turned back.
 */
#define FETCHED_CONFIG "/etc/cordon/fetch.toml"
#define FETCHED_ROOT "/var/lib/cordon"       /* root's */
#define FETCHED_SPOOL "fetch"                /* below it: cordon-fetch's */
#define FETCHED_KEPT "requirements.signed"   /* below FETCHED_ROOT: the last that was in force */
#define FETCHED_NEWEST "requirements.signed" /* in the spool: the newest */
#define FETCHED_CONFIRMED "confirmed"        /* ... changed whenever the newest was confirmed */
#define FETCHED_ALARM "alarm"                /* ... what is wrong, in one line; absent: nothing */

struct fetched_document {
    char *bytes; /* owned; NULL: there is none */
    size_t len;
    struct envelope envelope; /* of @bytes */
};

struct fetched {
    bool configured; /* fetch.toml is there */
    struct arena arena;
    struct fetch_config config;
    struct fetched_document newest; /* one that may replace @kept; else none */
    struct fetched_document kept;
    struct cordon_fault alarm; /* why the spool's is not @newest; CORDON_OK: it is, or is @kept */
};

/*
 * Reads fetch.toml, FETCHED_KEPT and the spool. Without fetch.toml nothing is
 * configured. What is wrong with the spool is an alarm and no error.
 * CORDON_E_DENIED, _LIMIT, _SYNTAX, _INVALID: fetch.toml or FETCHED_KEPT cannot be believed;
 * CORDON_E_NOMEM, _OS.
 */
CORDON_MUST_USE enum cordon_err fetched_read(const struct managed_places *places,
                                             struct fetched *ret_fetched,
                                             struct cordon_fault *fault);
void fetched_deinit(struct fetched *fetched); /* all zero is allowed */
/* The newest or the kept one; NULL: there is none. */
const struct fetched_document *fetched_in_force(const struct fetched *fetched);
/* The newest turned out to be of no use; its alarm is the caller's to set. */
void fetched_forget_newest(struct fetched *fetched);

/* fetch.toml alone, into an @arena of the caller's. As fetched_read(); CORDON_E_NOT_FOUND. */
CORDON_MUST_USE enum cordon_err fetched_config(const struct managed_places *places,
                                               struct arena *arena, struct fetch_config *ret_config,
                                               struct cordon_fault *fault);

/* Adds @document's text to @files as the layer that is above all others. CORDON_E_LIMIT, _NOMEM. */
CORDON_MUST_USE enum cordon_err fetched_add(const struct fetched *fetched,
                                            const struct fetched_document *document,
                                            struct managed_files *files,
                                            struct cordon_fault *fault);

/* Makes @document FETCHED_KEPT, on the disk before this returns. CORDON_E_OS. */
CORDON_MUST_USE enum cordon_err fetched_keep(const struct managed_places *places,
                                             const struct fetched_document *document,
                                             struct cordon_fault *fault);

/*
 * CORDON_E_TIMEOUT when @document is past its end, or was not confirmed within
 * the configured age. A few system calls. @ret_confirmed_s may be NULL: seconds since 1970; 0:
 * never.
 */
CORDON_MUST_USE enum cordon_err fetched_check_age(const struct managed_places *places,
                                                  const struct fetched *fetched,
                                                  const struct fetched_document *document,
                                                  uint64_t *ret_confirmed_s,
                                                  struct cordon_fault *fault);

/* The text of FETCHED_ALARM, cut to @size, one line; "" where there is none. Not to be believed. */
void fetched_alarm(const struct managed_places *places, char *ret_text, size_t size);

/* ---- sockets ---- */

/* Where the service listens, and where clients look for it. */
extern const char *const host_service_socket;

/*
 * A listening socket at @path, in a directory that only this user may change;
 * a dead broker's socket is replaced. CORDON_E_STATE when a live one listens.
 */
CORDON_MUST_USE enum cordon_err host_listen(const char *path, int *ret_fd,
                                            struct cordon_fault *fault);
/* Removes the socket that host_listen() made. */
void host_unlisten(const char *path);
/* CORDON_E_AGAIN, CORDON_E_LIMIT (out of descriptors), CORDON_E_OS. */
CORDON_MUST_USE enum cordon_err host_accept(int fd, int *ret_fd);
/* Close-on-exec and non-blocking from here on; CORDON_E_INVALID if it is no stream socket. */
CORDON_MUST_USE enum cordon_err host_adopt_stream(int fd, struct cordon_fault *fault);

/* A second descriptor of the same; -1 when there is no room. */
int host_dup(int fd);
/* True once the other end of a connection is closed, whatever it left to be read. */
bool host_hung_up(int fd);

struct host_chunk {
    size_t len;
    size_t fd_count;
    bool fds_truncated;
};
/* @len 0 never comes with CORDON_OK. CORDON_E_AGAIN, CORDON_E_CLOSED, CORDON_E_OS. */
CORDON_MUST_USE enum cordon_err host_recv(int fd, void *buf, size_t size, int *fds, size_t fds_max,
                                          struct host_chunk *ret_chunk);
/* The descriptors stay the caller's. CORDON_E_AGAIN, CORDON_E_CLOSED, CORDON_E_OS. */
CORDON_MUST_USE enum cordon_err host_send(int fd, const void *data, size_t len, const int *fds,
                                          size_t fd_count, size_t *ret_sent);
/* One datagram of exactly @size bytes with at most one descriptor (-1: none). As host_recv(),
 * and CORDON_E_PROTO. */
CORDON_MUST_USE enum cordon_err host_recv_record(int fd, void *record, size_t size, int *ret_fd);
CORDON_MUST_USE enum cordon_err host_send_record(int fd, const void *record, size_t size,
                                                 const int *fds, size_t fd_count);

/*
 * The other end of @channel is that of process @pid, which what is sent from now on is for; it may
 * say no more than the descriptors that it takes itself. CORDON_E_OS: it cannot be given any.
 */
CORDON_MUST_USE enum cordon_err host_meet(int channel, uint32_t pid);

/* ---- child processes ---- */

struct host_start {
    const char *program;
    /*
     * Not NULL: runs in the child, which becomes no other program; a Unix's only. Of what this
     * process has, it has the memory; what is open is as of a program. @argv[0] is its name.
     */
    int (*main)(int argc, char **argv);
    char *const *argv;
    const struct platform_peer *as; /* run as this user, where nobody host_can_become(); or NULL */
    int channel;                    /* becomes its host_channel(); -1: none */
    int output;                     /* becomes descriptor 1; -1: /dev/null */
    bool keep_stderr;               /* else /dev/null */
};

struct host_child {
    int pid;   /* 0: it was reaped */
    int pidfd; /* readable once it ended; owned */
};

/* In a process that was started with one: its channel. */
int host_channel(void);

/* Whether a process of ours can become any user while it runs. */
bool host_can_become(void);
/* It did, for good and without any privilege that he has not. CORDON_E_OS: it is good for nobody,
 * and says so by its exit status. */
#define HOST_STATUS_IDENTITY 102
CORDON_MUST_USE enum cordon_err host_become(const struct platform_peer *as);

/* The environment is PATH and LANG, or what this system has in their stead. CORDON_E_OS. */
CORDON_MUST_USE enum cordon_err host_start(const struct host_start *start,
                                           struct host_child *ret_child,
                                           struct cordon_fault *fault);
void host_child_kill(const struct host_child *child);
/*
 * Reaps if it ended and says how, as text for a log line; else CORDON_E_AGAIN. @child->pidfd stays
 * open: who watches it ends that first. Closed before, it would be told of for as long as another
 * process of ours has it as well, one that was forked and is not executed yet.
 */
CORDON_MUST_USE enum cordon_err host_child_reap(struct host_child *child, char *ret_how,
                                                size_t size);
/* Kills, waits, closes. A child that was reaped or never started is allowed. */
void host_child_deinit(struct host_child *child);
/* A pipe; the read end does not block. */
CORDON_MUST_USE enum cordon_err host_pipe(int ret_fds[2], struct cordon_fault *fault);
/* CORDON_E_CLOSED at the end of the file; CORDON_E_AGAIN, CORDON_E_OS. */
CORDON_MUST_USE enum cordon_err host_read(int fd, void *buf, size_t size, size_t *ret_len);

/* ---- threads ---- */

struct host_beside;
/* @work is done by a thread; NULL: none is to be had, so do it yourself. */
struct host_beside *host_beside(void (*work)(void *context), void *context);
/* Waits for it and frees it; NULL is allowed. */
void host_beside_end(struct host_beside *beside);

/* ---- the user database ---- */

struct host_user {
    char home[1024]; /* "" : none */
    char user[256];  /* "" : unknown */
    const char **groups;
    size_t group_count;
};
#define HOST_USER_BYTES_MAX (64U * 1024U)

/*
 * The helper's whole life: `cordond --lookup WORD...`, words of peer_words(). May block as long as
 * the name service likes, which is why it is a process of its own; gives up
 * root first. Returns its exit status.
 */
int host_lookup_main(int argc, char **argv);
/*
 * The same at once, where it is a matter of files alone: these come first in the name service's
 * order (nsswitch.conf(5)), are small, and know the user and all of @words. False: ask the helper.
 * @root: "", or for tests where these files are instead.
 */
CORDON_MUST_USE bool host_lookup_files(char *const *words, const char *root, struct strbuf *out);
/* What it printed. CORDON_E_INVALID, CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err host_user_parse(const char *text, size_t len, struct arena *arena,
                                                struct host_user *ret_user);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the client needs of a host: a connection to a broker, and what it hands over on it. Small,
 * since the client starts once per job. Descriptors are plain ints, closed by link_close().
 */
#ifndef CORDON_PLATFORM_LINK_H
#define CORDON_PLATFORM_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/base/err.h"

#define LINK_FDS_MAX 16U /* sent or received with one message */

/* ---- brokers ---- */

/* Where the service's socket is, for messages; how to start it, and to see why it does not. */
extern const char *const link_service_place;
extern const char *const link_service_start;
extern const char *const link_service_answers; /* what there is to say when it does */
/* True if the administrator installed the service. */
bool link_service_installed(void);
/*
 * Connects to the service. CORDON_E_NOT_FOUND: nobody listens (the fault is not set);
 * CORDON_E_DENIED: somebody does who is not the system's own; CORDON_E_OS, CORDON_E_LIMIT.
 */
CORDON_MUST_USE enum cordon_err link_service(int *ret_fd, struct cordon_fault *fault);

/*
 * Starts a private broker, whose client is the other end of *ret_fd; *ret_broker is for
 * link_reap(), and never 0.
 */
CORDON_MUST_USE enum cordon_err link_private(int *ret_fd, int *ret_broker,
                                             struct cordon_fault *fault);
/* Waits for a private broker to end, at most two seconds; then kills it. */
void link_reap(int broker);

/* ---- the connection ---- */

void link_close(int fd);
/* Nothing more comes or goes; the descriptor stays. */
void link_shut(int fd);
/* What is sent; the descriptors stay the caller's. */
struct link_part {
    const void *data;
    size_t len;
    const int *fds;
    size_t fd_count;
};
/*
 * Sends the first *ret_sent bytes, with the descriptors; waits for room.
 * CORDON_E_AGAIN: a signal came first; CORDON_E_CLOSED (the fault is not set), CORDON_E_OS.
 */
CORDON_MUST_USE enum cordon_err link_send(int fd, const struct link_part *part, size_t *ret_sent,
                                          struct cordon_fault *fault);

struct link_chunk {
    size_t len; /* not 0 */
    int fds[LINK_FDS_MAX];
    size_t fd_count;
    bool fds_truncated;
};
/* What has come; waits for it. As link_send(). */
CORDON_MUST_USE enum cordon_err link_recv(int fd, void *buf, size_t size,
                                          struct link_chunk *ret_chunk, struct cordon_fault *fault);
/* False: nothing came within @timeout_ms, or a signal did. */
bool link_wait(int fd, int timeout_ms);

/* ---- what is handed over ---- */

CORDON_MUST_USE enum cordon_err link_open_null(int *ret_fd, struct cordon_fault *fault);
/* @dir NULL: the current one. */
CORDON_MUST_USE enum cordon_err link_open_folder(const char *dir, int *ret_fd,
                                                 struct cordon_fault *fault);
/* CORDON_E_UNSUPPORTED: a job cannot be given that as a standard stream here. */
CORDON_MUST_USE enum cordon_err link_check_stream(int fd, struct cordon_fault *fault);
/* NULL: unknown. */
const char *link_folder_name(char *buf, size_t size);
/* "NAME=value", NULL behind the last; lives until the next call. */
char **link_environment(void);

/* ---- the program ---- */

/* Arguments as UTF-8 where the system has them otherwise; NULL: no memory. */
char **link_arguments(int argc, char **argv);
/* Opens those of 0, 1 and 2 that are closed; false: it could not. */
bool link_fill_stdio(void);
/* Becomes the program at @path; returns only with the reason why not. */
enum cordon_err link_become(const char *path, char **argv, struct cordon_fault *fault);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A broker of the test's own, and a client that speaks the protocol by hand.
 * What does not go as it must ends the whole program: the broker goes with it.
 */
#ifndef CORDON_TESTS_FIXTURE_H
#define CORDON_TESTS_FIXTURE_H

#include <stdint.h>
#include <sys/types.h>

#include "proto/stream.h"

struct broker {
    char dir[64]; /* socket r/s, managed files below m, audit records a, lines log */
    pid_t pid;
};

/* The first of a test: after one that failed, what is left of that is ended. */
void broker_begin(struct broker *broker);
/* Starts it once more on the same directory; the first time makes that. */
void broker_start(struct broker *broker);
/* SIGTERM, waits; the directory stays. */
void broker_stop(struct broker *broker);
void broker_remove(struct broker *broker);
/* The last of a test: both. */
void broker_end(struct broker *broker);
/* Writes a file below the managed root. */
void broker_managed(const struct broker *broker, const char *path, const char *text);
/* Descriptors that the supervisor holds. */
int broker_fds(const struct broker *broker);
/* A child process of the supervisor's by name; 0: none. */
pid_t broker_child(const struct broker *broker, const char *name);
/* The whole of file @name of its directory, or of the audit file; malloc'ed. */
char *broker_text(const struct broker *broker, const char *name);
char *broker_audit(const struct broker *broker);
struct client {
    int fd;
    struct stream stream;
    struct arena arena;
};

/* Connects; no word is said. */
void client_connect(const struct broker *broker, struct client *ret_client);
void client_adopt(int fd, struct client *ret_client);
void client_close(struct client *client);
/* Connects and says HELLO; the WELCOME is checked. */
void client_open(const struct broker *broker, struct client *ret_client);
void client_send(struct client *client, uint32_t id, const struct message *message, const int *fds,
                 size_t fd_count);
/* The next message within @timeout_ms; its type, or 0 at the end of the connection. */
uint32_t client_receive(struct client *client, int timeout_ms, struct stream_message *ret_in);

/* SPAWN of `sh -c SCRIPT` with descriptor @out as its output (-1: /dev/null). */
void client_spawn(struct client *client, uint32_t id, const char *script, int out);
/* Everything up to EXITED or FAILED of request @id. */
uint32_t client_wait(struct client *client, uint32_t id, struct stream_message *ret_in);
/* Runs `sh -c SCRIPT`; its exit status, or of FAILED. @ret_text: what it printed. */
uint32_t client_run(struct client *client, const char *script, char *ret_text, size_t size);
/* STATUS, as JSON in @ret_text. */
void client_report(struct client *client, enum msg_report report, char *ret_text, size_t size);

/* True once @holds(@context) within five seconds. */
int eventually(int (*holds)(const void *context), const void *context);
int is_gone(const void *pid);

#endif

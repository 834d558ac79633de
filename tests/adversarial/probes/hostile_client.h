/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_TESTS_HOSTILE_CLIENT_H
#define CORDON_TESTS_HOSTILE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/strbuf.h"
#include "proto/message.h"

/* Bytes to send, and from which byte on how many descriptors go along. */
struct script {
    struct strbuf bytes;
    size_t fds_at;    /* offset of the byte that the descriptors travel with */
    size_t fd_count;  /* /dev/null each, but the first: the working directory */
    bool half_closed; /* the sending side is shut after the bytes */
    bool own_streams; /* standard streams of the job: this program's */
};

/* Appends a whole frame. Ends the program when our own encoder refuses. */
void frame_add(struct strbuf *out, uint32_t id, const struct message *message);
/* Appends a header that says what it likes. */
void header_add(struct strbuf *out, uint32_t magic, uint16_t version, uint16_t type, uint32_t id,
                uint32_t length);

/* HELLO, then a SPAWN of `sleep 42.5` with its four descriptors. */
void script_good(struct script *script);
/* HELLO alone; the SPAWN of another command. */
void script_hello(struct script *script);
void script_spawn(struct script *script, char *const *argv, size_t argc);

/* ID-11: one malformed conversation each; false past the last. */
bool script_bad(size_t index, struct script *script, const char **ret_name);

/* A connection to the service, -1 and errno; the script's first @len bytes, with descriptors. */
int try_connect(void);
bool send_script(int fd, const struct script *script, size_t len);
/* The type of the next reply; 0 when there is none. */
unsigned next_reply(int fd);

/* hostile_crowd.c: the modes of what comes in numbers; an exit status. */
int crowd(size_t count);
int flood(void);
/* hostile_crowd.c: what became of a conversation that runs @argv. */
int say(char *const *argv, size_t argc);
int orphan(bool greeted, char *const *argv, size_t argc);

#endif

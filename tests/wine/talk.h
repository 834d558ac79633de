/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client that speaks the protocol by hand. What does not go as it must ends the whole program.
 */
#ifndef CORDON_TESTS_WINE_TALK_H
#define CORDON_TESTS_WINE_TALK_H

#include "platform/windows/win32.h"
#include "proto/codec.h"
#include "proto/stream.h"

#define TALK_WAIT_MS 20000U

struct talk {
    HANDLE pipe;
    struct stream stream;
    struct arena arena;
    struct stream_message in;
    uint32_t id;
};

/* The program of the next jobs; NULL: the test's own. */
extern char *talk_program;
/* What is said is written in pieces of so many bytes; 0: whole. */
extern size_t talk_pieces;

void talk_start(struct talk *talk, const char *pipe);
void talk_end(struct talk *talk);
/* Sends; the handles stay the caller's. */
void talk_say(struct talk *talk, const struct message *message, const HANDLE *handles,
              size_t count);
/* The next message; its type. 0: it hung up. */
uint32_t talk_hear(struct talk *talk);
/* Both, and HELLO and WELCOME. */
void talk_open(struct talk *talk, const char *pipe);
/* This program with these arguments, NULL-terminated, as a job in C:\; @out is its output. */
void talk_spawn(struct talk *talk, const char *const *args, HANDLE out);
/* STARTED, then EXITED: its kind. Else the program ends. */
uint32_t talk_wait(struct talk *talk, uint32_t *ret_code);

#endif

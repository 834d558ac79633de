/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A broker of the test's own with the null back end, and a client that speaks the protocol by hand.
 * What does not go as it must ends the whole program: the broker goes with it.
 */
#ifndef CORDON_TESTS_WINE_BROKER_H
#define CORDON_TESTS_WINE_BROKER_H

#include "platform/windows/win32.h"
#include "proto/codec.h"
#include "proto/stream.h"

#define BROKER_PIPE "\\\\.\\pipe\\cordon-test"
#define BROKER_FOLDER "C:\\broker" /* audit.jsonl, log; managed files below its \managed */
#define BROKER_MANAGED BROKER_FOLDER "\\managed\\cordon"
#define BROKER_WAIT_MS 20000U

/* Starts one that listens at @pipe; its process. */
HANDLE broker_run(const char *pipe);
/* The same at BROKER_PIPE, and waits until it listens. */
HANDLE broker_start(void);
/* Ends it, and waits. */
void broker_end(HANDLE broker);
/* Ends a child process of it that runs program @name; false: there is none. */
bool broker_kill_child(HANDLE broker, const char *name);
/* Path of @name in the build tree, "broker\\cordond-test.exe". */
void broker_path(const char *name, char *ret_path, size_t size);
/* The whole of a file, for free(); "" where there is none. */
char *broker_text(const char *path);

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

void talk_start(struct talk *talk);
void talk_end(struct talk *talk);
/* Sends; the handles stay the caller's. */
void talk_say(struct talk *talk, const struct message *message, const HANDLE *handles,
              size_t count);
/* The next message; its type. 0: it hung up. */
uint32_t talk_hear(struct talk *talk);
/* Both, and HELLO and WELCOME. */
void talk_open(struct talk *talk);
/* This program with these arguments, NULL-terminated, as a job in C:\; @out is its output. */
void talk_spawn(struct talk *talk, const char *const *args, HANDLE out);
/* STARTED, then EXITED: its kind. Else the program ends. */
uint32_t talk_wait(struct talk *talk, uint32_t *ret_code);

#endif

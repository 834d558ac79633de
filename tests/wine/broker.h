/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A broker of the test's own with the null back end. What does not go as it must ends the whole
 * program: the broker goes with it.
 */
#ifndef CORDON_TESTS_WINE_BROKER_H
#define CORDON_TESTS_WINE_BROKER_H

#include "platform/windows/win32.h"

#define BROKER_PIPE "\\\\.\\pipe\\cordon-test"
#define BROKER_FOLDER "C:\\broker" /* audit.jsonl, log; managed files below its \managed */
#define BROKER_MANAGED BROKER_FOLDER "\\managed\\cordon"
#define BROKER_WAIT_MS 20000U

/* Starts one that listens at @pipe, with further @options; its process. */
HANDLE broker_run(const char *pipe, const char *options);
/* Waits until it listens. */
void broker_await(HANDLE broker, const char *pipe);
/* Both, at BROKER_PIPE and with the null back end. */
HANDLE broker_start(void);
/* Ends it, and waits. */
void broker_end(HANDLE broker);
/* A child process of it that runs program @name; NULL: there is none. */
HANDLE broker_child(HANDLE broker, const char *name);
/* Path of @name in the build tree, "broker\\cordond-test.exe". */
void broker_path(const char *name, char *ret_path, size_t size);
/* The whole of a file, for free(); "" where there is none. */
char *broker_text(const char *path);

#endif

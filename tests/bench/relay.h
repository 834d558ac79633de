/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What no start can do without, and nothing else: a request goes from process to process until the
 * last, which has the command's process at hand, lets it execute, and tells of its end. relay.c
 * serves; nobody is identified, nothing is decided, logged or confined.
 */
#ifndef CORDON_TESTS_BENCH_RELAY_H
#define CORDON_TESTS_BENCH_RELAY_H

#include <stdbool.h>

/* As long as a small SPAWN: bytes, with a descriptor beside them. */
#define RELAY_REQUEST_BYTES 300U

/* A request, with @given beside it. False: nobody is there. */
bool relay_send(int fd, int given);

/* Asks whoever serves at @path for one command. Its exit status; -1: nobody answers. */
int relay_ask(const char *path);

#endif

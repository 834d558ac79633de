/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands for the kernel, the event loop and the other process around the broker's real
 * code: descriptors, sources, children. Everything made is counted, may fail when the explorer
 * says so, and must be gone at the end. Linked with --wrap, see CMakeLists.txt.
 */
#ifndef CORDON_TESTS_WORLD_H
#define CORDON_TESTS_WORLD_H

#include "broker/channel.h"
#include "tests/model/explore.h"

#define WORLD_FDS 128U
#define WORLD_SOURCES 64U

struct loop_source {
    bool used;
    bool timer;
    unsigned events;
    int fd;            /* of a descriptor's */
    uint64_t delay_ms; /* of a timer */
    loop_fn *fn;
    void *context;
};

void world_begin(void);
/* Nothing of it may be left: descriptors, sources. */
void world_check_empty(void);

int world_fd(void); /* a new descriptor; -1: the explorer wants none */
int world_fd_sure(void);
bool world_is_open(int fd);
unsigned world_open(void); /* how many are */
/* The source of @fd, or of the @n-th timer in the order of their making; NULL: none. */
struct loop_source *world_source(int fd);
struct loop_source *world_timer(unsigned n);
void world_fire(struct loop_source *source);

/* The model's own: what a channel carries away. */
enum cordon_err model_sent(struct channel *channel, const struct ipc_message *message);
/* A child was killed. */
void model_killed(int pidfd);
bool model_child_ended(int pidfd);
bool model_hung_up(int fd);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/model/world.h"

#include <stdlib.h>
#include <string.h>

#include "platform/host.h"

#define FIRST_FD 1000

static struct {
    bool open[WORLD_FDS];
    struct loop_source sources[WORLD_SOURCES];
    struct loop_source *timers[WORLD_SOURCES];
    unsigned timer_count;
} world;

void world_begin(void)
{
    memset(&world, 0, sizeof(world));
}

void world_check_empty(void)
{
    for (int i = 0; i < (int)WORLD_FDS; i++) {
        if (world.open[i]) {
            explore_wrong("descriptor %d is left open", i);
        }
    }
    for (size_t i = 0; i < WORLD_SOURCES; i++) {
        if (world.sources[i].used) {
            explore_wrong("a %s is still waited for",
                          world.sources[i].timer ? "timer" : "descriptor");
        }
    }
}

/* ---- descriptors ---- */

int world_fd_sure(void)
{
    for (int i = 0; i < (int)WORLD_FDS; i++) {
        if (!world.open[i]) {
            world.open[i] = true;
            return FIRST_FD + i;
        }
    }
    explore_wrong("more than %u descriptors", WORLD_FDS);
}

int world_fd(void)
{
    return explore_fails("descriptor") ? -1 : world_fd_sure();
}

bool world_is_open(int fd)
{
    return fd >= FIRST_FD && fd < FIRST_FD + (int)WORLD_FDS && world.open[fd - FIRST_FD];
}

unsigned world_open(void)
{
    unsigned count = 0;

    for (size_t i = 0; i < WORLD_FDS; i++) {
        count += world.open[i];
    }
    return count;
}

void __wrap_host_close(int fd);
void __wrap_host_close(int fd)
{
    if (fd < 0) {
        return;
    }
    if (!world_is_open(fd)) {
        explore_wrong("descriptor %d is closed twice", fd);
    }
    for (size_t i = 0; i < WORLD_SOURCES; i++) {
        if (world.sources[i].used && !world.sources[i].timer && world.sources[i].fd == fd) {
            explore_wrong("descriptor %d is closed while it is watched", fd);
        }
    }
    world.open[fd - FIRST_FD] = false;
}

void __wrap_host_close_foreign(int fd);
void __wrap_host_close_foreign(int fd)
{
    __wrap_host_close(fd);
}

void __wrap_host_end_foreign(int fd);
void __wrap_host_end_foreign(int fd)
{
    __wrap_host_close(fd);
}

int __wrap_host_dup(int fd);
int __wrap_host_dup(int fd)
{
    if (!world_is_open(fd)) {
        explore_wrong("a closed descriptor is duplicated");
    }
    return world_fd();
}

bool __wrap_host_hung_up(int fd);
bool __wrap_host_hung_up(int fd)
{
    return model_hung_up(fd);
}

enum cordon_err __wrap_ipc_pair(int ret_fds[2], struct cordon_fault *fault);
enum cordon_err __wrap_ipc_pair(int ret_fds[2], struct cordon_fault *fault)
{
    if (explore_fails("ipc_pair")) {
        return fault_set(fault, CORDON_E_OS, NULL, "no pair");
    }
    ret_fds[0] = world_fd_sure();
    ret_fds[1] = world_fd_sure();
    return CORDON_OK;
}

enum cordon_err __wrap_ipc_memfd(const char *name, const void *data, size_t len, int *ret_fd,
                                 struct cordon_fault *fault);
enum cordon_err __wrap_ipc_memfd(const char *name, const void *data, size_t len, int *ret_fd,
                                 struct cordon_fault *fault)
{
    (void)name;
    (void)data;
    (void)len;
    *ret_fd = world_fd();
    return *ret_fd < 0 ? fault_set(fault, CORDON_E_OS, NULL, "no memfd") : CORDON_OK;
}

uint64_t __wrap_host_now_ms(void);
uint64_t __wrap_host_now_ms(void)
{
    return 1; /* time goes by only when a timer is up */
}

/* ---- memory ---- */

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return explore_fails("calloc") ? NULL : __real_calloc(count, size);
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return explore_fails("malloc") ? NULL : __real_malloc(size);
}

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
    return explore_fails("realloc") ? NULL : __real_realloc(old, size);
}

/* ---- children ---- */

enum cordon_err __wrap_host_start(const struct host_start *start, struct host_child *ret_child,
                                  struct cordon_fault *fault);
enum cordon_err __wrap_host_start(const struct host_start *start, struct host_child *ret_child,
                                  struct cordon_fault *fault)
{
    (void)start;
    ret_child->pidfd = world_fd();
    ret_child->pid = ret_child->pidfd;
    return ret_child->pidfd < 0 ? fault_set(fault, CORDON_E_OS, NULL, "no process") : CORDON_OK;
}

void __wrap_host_child_kill(const struct host_child *child);
void __wrap_host_child_kill(const struct host_child *child)
{
    if (child->pidfd >= 0) {
        model_killed(child->pidfd);
    }
}

enum cordon_err __wrap_host_child_reap(struct host_child *child, char *ret_how, size_t size);
enum cordon_err __wrap_host_child_reap(struct host_child *child, char *ret_how, size_t size)
{
    if (child->pid == 0) {
        explore_wrong("a child is reaped twice");
    }
    if (!model_child_ended(child->pidfd)) {
        return CORDON_E_AGAIN;
    }
    if (size > 0) {
        ret_how[0] = '\0';
    }
    child->pid = 0;
    return CORDON_OK;
}

/* ---- the loop ---- */

static struct loop_source *source_new(struct loop_source wanted)
{
    for (size_t i = 0; i < WORLD_SOURCES; i++) {
        struct loop_source *source = &world.sources[i];

        if (!source->used) {
            *source = wanted;
            source->used = true;
            if (source->timer) {
                world.timers[world.timer_count++] = source;
            }
            return source;
        }
    }
    explore_wrong("more than %u sources", WORLD_SOURCES);
}

enum cordon_err loop_watch(struct loop *loop, int fd, unsigned events, loop_fn *fn, void *context,
                           struct loop_source **ret_source)
{
    (void)loop;
    if (!world_is_open(fd)) {
        explore_wrong("a closed descriptor is to be watched");
    }
    if (explore_fails("loop_watch")) {
        return CORDON_E_NOMEM;
    }
    *ret_source =
        source_new((struct loop_source){.fd = fd, .events = events, .fn = fn, .context = context});
    return CORDON_OK;
}

enum cordon_err loop_watch_for(struct loop_source *source, unsigned events)
{
    if (source == NULL || !source->used) {
        explore_wrong("a source that is gone is to wait for something");
    }
    if (explore_fails("loop_watch_for")) {
        return CORDON_E_NOMEM;
    }
    source->events = events;
    return CORDON_OK;
}

enum cordon_err loop_after(struct loop *loop, uint64_t delay_ms, loop_fn *fn, void *context,
                           struct loop_source **ret_source)
{
    (void)loop;
    if (explore_fails("loop_after")) {
        return CORDON_E_NOMEM;
    }
    *ret_source = source_new((struct loop_source){
        .timer = true, .fd = -1, .delay_ms = delay_ms, .fn = fn, .context = context});
    return CORDON_OK;
}

void loop_source_free(struct loop_source *source)
{
    unsigned kept = 0;

    if (source == NULL) {
        return;
    }
    if (!source->used) {
        explore_wrong("a source is freed twice");
    }
    source->used = false;
    for (unsigned i = 0; i < world.timer_count; i++) {
        if (world.timers[i] != source) {
            world.timers[kept++] = world.timers[i];
        }
    }
    world.timer_count = kept;
}

struct loop_source *world_source(int fd)
{
    for (size_t i = 0; i < WORLD_SOURCES; i++) {
        if (world.sources[i].used && !world.sources[i].timer && world.sources[i].fd == fd) {
            return &world.sources[i];
        }
    }
    return NULL;
}

struct loop_source *world_timer(unsigned n)
{
    return n < world.timer_count ? world.timers[n] : NULL;
}

void world_fire(struct loop_source *source)
{
    source->fn(source->context, source->timer ? LOOP_READ : source->events);
}

/* ---- channels ---- */

enum cordon_err channel_init(struct channel *channel, struct loop *loop, int fd,
                             const struct channel_config *config)
{
    (void)loop;
    if (explore_fails("channel_init")) {
        host_close(fd);
        return CORDON_E_NOMEM;
    }
    memset(channel, 0, sizeof(*channel));
    channel->config = *config;
    channel->fd = fd;
    return CORDON_OK;
}

void channel_deinit(struct channel *channel)
{
    host_close(channel->fd);
    channel->fd = -1;
}

/* What is sent is there at once. */
void channel_forget(struct channel *channel, uint32_t session)
{
    (void)channel;
    (void)session;
}

enum cordon_err channel_send(struct channel *channel, const struct ipc_message *message,
                             const int *fds, size_t fd_count)
{
    for (size_t i = 0; i < fd_count; i++) {
        host_close(fds[i]);
    }
    if (channel->fd < 0) {
        return CORDON_E_CLOSED;
    }
    return explore_fails("channel_send") ? CORDON_E_LIMIT : model_sent(channel, message);
}

enum cordon_err channel_send_block(struct channel *channel, const struct ipc_message *message,
                                   const void *block, size_t len)
{
    (void)block;
    if (len > 0 && explore_fails("ipc_memfd")) {
        return CORDON_E_OS;
    }
    return channel_send(channel, message, NULL, 0);
}

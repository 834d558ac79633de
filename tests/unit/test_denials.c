/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/linux/denials.h"
#include "tests/support/check.h"

static struct ipc_violation record_of(const char *path)
{
    struct ipc_violation record;

    memset(&record, 0, sizeof(record));
    record.set = IPC_SET_MANAGED;
    record.operation = IPC_OPERATION_OPEN;
    record.mechanism = IPC_MECHANISM_FANOTIFY;
    record.path_len = (uint16_t)strlen(path);
    memcpy(record.path, path, record.path_len);
    return record;
}

static void send_raw(int channel, const void *bytes, size_t len)
{
    CHECK(send(channel, bytes, len, 0) == (ssize_t)len);
}

static uint64_t *tally_map(int tally)
{
    void *page = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, tally, 0);

    CHECK(page != MAP_FAILED);
    return page;
}

TEST(a_record_comes_as_it_was_sent)
{
    struct denials denials = {.channel = -1};
    struct ipc_violation in = record_of("/srv/k");
    struct ipc_violation out;
    struct cordon_fault fault;
    int channel;
    int tally;

    CHECK(denials_open(&denials, &channel, &tally, &fault) == CORDON_OK);
    CHECK(denials_receive(&denials, &out) == CORDON_E_AGAIN);
    *tally_map(tally) = 1;
    send_raw(channel, &in, IPC_VIOLATION_HEAD + in.path_len);
    CHECK(denials_receive(&denials, &out) == CORDON_OK);
    CHECK(out.path_len == 6 && strcmp(out.path, "/srv/k") == 0 && out.lost == 0);
    (void)close(channel);
    CHECK(denials_receive(&denials, &out) == CORDON_E_CLOSED);
    CHECK(denials_rest(&denials, &out) == CORDON_E_AGAIN);
    (void)close(tally);
    denials_close(&denials);
}

/* A guard in hostile hands: too short, lengths that lie, numbers that mean nothing. */
TEST(what_is_malformed_is_skipped_and_counted)
{
    static const struct {
        size_t at, len;
    } damages[] = {{offsetof(struct ipc_violation, operation), 2},
                   {offsetof(struct ipc_violation, mechanism), 2},
                   {offsetof(struct ipc_violation, path_len), 2}};
    struct denials denials = {.channel = -1};
    struct ipc_violation out;
    struct cordon_fault fault;
    int channel;
    int tally;

    CHECK(denials_open(&denials, &channel, &tally, &fault) == CORDON_OK);
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        struct ipc_violation in = record_of("/srv/k");

        memset((char *)&in + damages[i].at, 0xff, damages[i].len);
        send_raw(channel, &in, IPC_VIOLATION_HEAD + 6);
    }
    send_raw(channel, "x", 1);
    *tally_map(tally) = 4;
    (void)close(channel);
    CHECK(denials_receive(&denials, &out) == CORDON_E_CLOSED);
    CHECK(denials_rest(&denials, &out) == CORDON_OK);
    CHECK(out.operation == IPC_OPERATION_NONE && out.lost == 4);
    CHECK(denials_rest(&denials, &out) == CORDON_E_AGAIN);
    (void)close(tally);
    denials_close(&denials);
}

TEST_MAIN()

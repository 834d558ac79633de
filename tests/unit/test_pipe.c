/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/pipe.h"
#include "platform/windows/pipe_chunk.h"

#include "tests/support/check.h"

static struct pipe_chunk chunk;
static struct pipe_part part;
static struct sd sd;

/* Two chunks: "abc" with handles 4 and 8, "de" with none. */
static size_t sample(uint8_t bytes[2 * PIPE_HEAD_MAX])
{
    static const uint32_t handles[] = {4, 8};
    size_t len = pipe_chunk_head(3, handles, 2, bytes);

    memcpy(bytes + len, "abc", 3);
    len += 3;
    len += pipe_chunk_head(2, NULL, 0, bytes + len);
    memcpy(bytes + len, "de", 2);
    return len + 2;
}

struct seen {
    char text[8];
    size_t told; /* handles */
};

/* Everything in @left bytes at @at. */
static void take_all(const uint8_t *at, size_t left, struct seen *seen)
{
    do {
        CHECK(pipe_chunk_take(&chunk, &at, &left, &part) == CORDON_OK);
        CHECK(part.handle_count == 0 || (seen->told == 0 && part.len > 0 && seen->text[0] == '\0'));
        seen->told += part.handle_count;
        strncat(seen->text, part.len > 0 ? (const char *)part.bytes : "", part.len);
    } while (part.len > 0);
    CHECK(left == 0);
}

TEST(any_cut_of_the_bytes_gives_the_same_chunks)
{
    uint8_t bytes[2 * PIPE_HEAD_MAX];
    const size_t len = sample(bytes);

    for (size_t cut = 1; cut <= len; cut++) {
        struct seen seen = {.told = 0};

        chunk = (struct pipe_chunk){0};
        for (size_t fed = 0; fed < len; fed += cut) {
            take_all(bytes + fed, fed + cut < len ? cut : len - fed, &seen);
        }
        CHECK_STR(seen.text, "abcde");
        CHECK(seen.told == 2);
    }
}

static enum cordon_err take(uint32_t len, uint32_t handle)
{
    uint8_t bytes[PIPE_HEAD_MAX + 1] = {0};
    size_t left = pipe_chunk_head(len, &handle, 1, bytes) + 1;
    const uint8_t *at = bytes;

    chunk = (struct pipe_chunk){0};
    return pipe_chunk_take(&chunk, &at, &left, &part);
}

TEST(numbers_that_are_no_handles_of_the_client_are_refused)
{
    CHECK(take(1, 4) == CORDON_OK && part.handle_count == 1 && part.handles[0] == 4);
    CHECK(take(1, 0x7ffffffc) == CORDON_OK);
    CHECK(take(1, 0) == CORDON_E_PROTO);
    CHECK(take(1, 5) == CORDON_E_PROTO);
    CHECK(take(1, UINT32_MAX) == CORDON_E_PROTO);     /* the current process */
    CHECK(take(1, UINT32_MAX - 1) == CORDON_E_PROTO); /* the current thread */
    CHECK(take(1, 0x80000000) == CORDON_E_PROTO);
}

TEST(sizes_are_bounded)
{
    static const uint32_t many[PIPE_HANDLES_MAX] = {4};
    uint8_t bytes[PIPE_HEAD_MAX];
    const uint8_t *at = bytes;
    size_t left;

    CHECK(take(0, 4) == CORDON_E_PROTO);
    CHECK(take(PIPE_CHUNK_MAX, 4) == CORDON_OK);
    CHECK(take(PIPE_CHUNK_MAX + 1, 4) == CORDON_E_PROTO);
    left = pipe_chunk_head(1, many, PIPE_HANDLES_MAX, bytes);
    CHECK(left == PIPE_HEAD_MAX);
    bytes[4]++;
    chunk = (struct pipe_chunk){0};
    CHECK(pipe_chunk_take(&chunk, &at, &left, &part) == CORDON_E_PROTO);
}

static uint32_t may(const struct sid *user, const struct sid *group)
{
    const struct sd_member members[] = {{*user, false}, {*group, false}};
    const struct sd_token token = {.members = members, .member_count = 2};

    return sd_granted(&sd, &token, &sd_mapping_file);
}

TEST(users_connect_jobs_do_not_and_nobody_answers_in_the_services_name)
{
    const struct sid job = sid_nt(21, 1001), user = sid_nt(21, 500);
    const struct sid interactive = sid_nt(4, SID_NO_SUB), network = sid_nt(2, SID_NO_SUB);
    const struct sid admins = sid_administrators();
    const struct sid *const jobs[] = {&job};

    CHECK(pipe_list(jobs, 1, &sd) == CORDON_OK);
    CHECK((may(&user, &interactive) & 0x3U) == 0x3U);
    CHECK((may(&user, &interactive) & 0x4U) == 0); /* FILE_CREATE_PIPE_INSTANCE */
    CHECK((may(&user, &interactive) & (SD_WRITE_DAC | SD_WRITE_OWNER | SD_DELETE)) == 0);
    CHECK(may(&job, &interactive) == 0);
    CHECK(may(&user, &network) == 0);
    CHECK((may(&user, &admins) & 0x4U) != 0);
    CHECK(sd_canonical(&sd));
}

TEST_MAIN()

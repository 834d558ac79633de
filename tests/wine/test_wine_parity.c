/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_wine_parity FILE|SEED: the table of parity, or 10 000 random cases ("time": of another seed
 * each time), with access decided by the system's AccessCheck. Wine
 * drops restricting SIDs, so each pass is a check of its own, with a token of the SIDs that count
 * in it; what the two mean together is said here as in sd_access.c.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <windows.h>

#include "tests/parity/run_random.h"
#include "tests/parity/run_table.h"
#include "tests/wine/token.h"

#define MEMBERS_MAX 8U
/* DELETE, WRITE_DAC, WRITE_OWNER, ACCESS_SYSTEM_SECURITY; said apart from sd_access.c. */
#define ALWAYS_WRITING 0x10d0000U

static uint8_t bytes[SD_WRITTEN_MAX];
static unsigned checks;

static bool may(HANDLE token, DWORD right)
{
    GENERIC_MAPPING mapping = {sd_mapping_file.read, sd_mapping_file.write, sd_mapping_file.execute,
                               sd_mapping_file.all};
    PRIVILEGE_SET used[4];
    DWORD used_len = sizeof(used);
    DWORD granted = 0;
    BOOL status = FALSE;

    checks++;
    return AccessCheck(bytes, token, right, &mapping, used, &used_len, &granted, &status) && status;
}

/* One right at a time: asked for all at once, Wine takes away what a later denial names, too. */
static uint32_t check(HANDLE token)
{
    uint32_t granted = 0;

    for (uint32_t right = 1; right < 1U << 20U; right <<= 1U) {
        if ((right & (WIN_WORLD_READ | WIN_WORLD_TAMPER | WIN_WORLD_WRITE)) != 0 &&
            may(token, right)) {
            granted |= right;
        }
    }
    return granted;
}

/* What is granted to a token of these members alone; everything where none can be made. */
static uint32_t pass(const struct sd_member *members, size_t count)
{
    const struct sd_token whole = {.members = members, .member_count = count};
    HANDLE token = count > MEMBERS_MAX ? NULL : token_make(&whole, FALSE);
    uint32_t granted;

    if (token == NULL) {
        (void)fprintf(stderr, "no token of %u members: %lu\n", (unsigned)count, GetLastError());
        return UINT32_MAX;
    }
    granted = check(token);
    (void)CloseHandle(token);
    return granted;
}

static uint32_t granted_by_system(const struct sd *sd, const struct sd_token *token)
{
    static struct sd whole;
    struct sd_member restricting[MEMBERS_MAX];
    uint32_t first;
    uint32_t second;
    size_t len;

    sd_copy(&whole, sd);
    whole.group = sid_system();
    if (sd_write(&whole, bytes, sizeof(bytes), &len) != CORDON_OK) {
        return UINT32_MAX;
    }
    first = pass(token->members, token->member_count);
    if (token->restricting == NULL || token->restricting_count > MEMBERS_MAX) {
        return token->restricting == NULL ? first : UINT32_MAX;
    }
    for (size_t i = 0; i < token->restricting_count; i++) {
        restricting[i] = (struct sd_member){token->restricting[i], false};
    }
    second = pass(restricting, token->restricting_count);
    if (token->write_restricted) {
        second |= ~((sd_mapping_file.write & ~(sd_mapping_file.read | sd_mapping_file.execute)) |
                    ALWAYS_WRITING);
    }
    return first & second;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "time";
    const bool now = strcmp(what, "time") == 0;
    char *end = NULL;
    const uint64_t seed = now ? (uint64_t)time(NULL) : strtoull(what, &end, 10);
    const bool random = now || *end == '\0';
    const bool good =
        random ? run_random(seed, granted_by_system) : run_table(what, granted_by_system);

    (void)printf("%u checks by the system\n", checks);
    return !good || checks < 1000;
}

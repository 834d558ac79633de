/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user's secret: one and the same each time, and none where the kernel keeps none. The keyring
 * is the test's own (tests/system/walked.sh has the kernel's).
 */
#include "platform/linux/secret.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/support/check.h"

static struct digest key; /* number 7, if there is one */
static bool is_linked, is_there;
static unsigned calls, made, fail_at; /* 0: none fails */
static bool and_on;                   /* and all that follow */

long __wrap_syscall(long number, ...);
ssize_t __wrap_getrandom(void *data, size_t len, unsigned flags);

static bool fails(void)
{
    calls++;
    errno = EPERM;
    return calls == fail_at || (and_on && fail_at != 0 && calls > fail_at);
}

static long add(const long *words)
{
    CHECK(words[3] == DIGEST_BYTES && (int32_t)words[4] == KEY_SPEC_USER_KEYRING);
    memcpy(key.bytes, (const void *)words[2], sizeof(key.bytes));
    is_there = true;
    made++;
    return 7;
}

static long ask(const long *words)
{
    switch (words[0]) {
    case KEYCTL_LINK:
        CHECK((int32_t)words[1] == KEY_SPEC_USER_KEYRING &&
              (int32_t)words[2] == KEY_SPEC_PROCESS_KEYRING);
        is_linked = true;
        return 0;
    case KEYCTL_SEARCH:
        errno = ENOKEY;
        return is_linked && is_there ? 7 : -1;
    case KEYCTL_READ:
        CHECK(words[1] == 7 && words[3] == DIGEST_BYTES);
        memcpy((void *)words[2], key.bytes, sizeof(key.bytes));
        return DIGEST_BYTES;
    default:
        CHECK(false);
        return -1;
    }
}

long __wrap_syscall(long number, ...)
{
    va_list list;
    long words[5];

    va_start(list, number);
    for (size_t i = 0; i < 5; i++) {
        words[i] = va_arg(list, long);
    }
    va_end(list);
    CHECK(number == SYS_add_key || number == SYS_keyctl);
    if (fails()) {
        return -1;
    }
    return number == SYS_add_key ? add(words) : ask(words);
}

ssize_t __wrap_getrandom(void *data, size_t len, unsigned flags)
{
    static unsigned char next = 1;

    CHECK(flags == 0);
    memset(data, next++, len);
    return fails() ? 3 : (ssize_t)len;
}

static bool get(struct digest *ret)
{
    calls = 0;
    is_linked = false;
    return secret_get(ret);
}

static void world_make(void)
{
    is_there = and_on = false;
    fail_at = made = 0;
}

TEST(it_is_the_same_each_time)
{
    struct digest one;
    struct digest other;

    world_make();
    CHECK(get(&one) && get(&other) && made == 1);
    CHECK(memcmp(&one, &other, sizeof(one)) == 0 && memcmp(&one, &key, sizeof(one)) == 0);
    is_there = false; /* somebody has removed it */
    CHECK(get(&other) && made == 2 && memcmp(&one, &other, sizeof(one)) != 0);
}

/* With each call failing, and all from each on: none, or the one that there is then. */
TEST(where_the_kernel_refuses_there_is_none)
{
    struct digest one;
    unsigned refused = 0;

    for (unsigned way = 0; way < 4; way++) {
        for (unsigned at = 1; at < 8; at++) {
            world_make();
            if (way % 2 != 0) {
                CHECK(get(&one));
            }
            and_on = way / 2 != 0;
            fail_at = at;
            if (get(&one)) {
                CHECK(is_there && memcmp(&one, &key, sizeof(one)) == 0);
            } else {
                CHECK(calls >= at);
                refused++;
            }
        }
    }
    CHECK(refused >= 12);
}

TEST_MAIN()

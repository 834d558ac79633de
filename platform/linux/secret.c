/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/secret.h"

#include <linux/keyctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TYPE "user"
#define NAME "cordon"

static bool make(void)
{
    struct digest secret;

    return getrandom(secret.bytes, sizeof(secret.bytes), 0) == (ssize_t)sizeof(secret.bytes) &&
           syscall(SYS_add_key, TYPE, NAME, secret.bytes, sizeof(secret.bytes),
                   KEY_SPEC_USER_KEYRING) >= 0;
}

bool secret_get(struct digest *ret)
{
    long key;

    /* Whose keyring is among ours may read what is in it. */
    if (syscall(SYS_keyctl, KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_PROCESS_KEYRING) != 0) {
        return false;
    }
    key = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_PROCESS_KEYRING, TYPE, NAME, 0);
    /* Of two who make one at once the last is right; what the other signs is not believed later. */
    if (key < 0 && make()) {
        key = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_PROCESS_KEYRING, TYPE, NAME, 0);
    }
    return key >= 0 && syscall(SYS_keyctl, KEYCTL_READ, key, ret->bytes, sizeof(ret->bytes)) ==
                           (long)sizeof(ret->bytes);
}

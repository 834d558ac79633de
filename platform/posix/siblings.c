/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/siblings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Each program's place in a build tree and below the installation prefix. */
static const struct {
    const char *name, *built, *installed;
} places[] = {
    {"cordon", "client/cordon", "bin/cordon"},
    {"cordon-policy", "client/cordon-policy", "libexec/cordon/cordon-policy"},
    {"cordond", "broker/cordond", "sbin/cordond"},
    {"cordon-worker", "broker/cordon-worker", "libexec/cordon/cordon-worker"},
    {"cordon-embedded", "broker/cordon-embedded", "libexec/cordon/cordon-embedded"},
    {"cordon-init", "platform/linux/cordon-init", "libexec/cordon/cordon-init"},
    {"cordon-bpf", "platform/linux/bpf/cordon-bpf", "libexec/cordon/cordon-bpf"},
    {"cordon-index", "platform/linux/cordon-index", "libexec/cordon/cordon-index"},
    /* Test builds, which take paths on their command line. */
    {"cordon-test", "client/cordon-test", NULL},
    {"cordond-test", "broker/cordond-test", NULL},
    {"cordon-worker-test", "broker/cordon-worker-test", NULL},
};
#define PLACE_COUNT (sizeof(places) / sizeof(places[0]))

/* Length of @path without the suffix "/@place"; 0 when it does not end so. */
static size_t without(const char *path, const char *place)
{
    size_t len = strlen(path);
    size_t tail = place == NULL ? len : strlen(place);

    if (len <= tail + 1 || strcmp(path + len - tail, place) != 0 || path[len - tail - 1] != '/') {
        return 0;
    }
    return len - tail - 1;
}

enum cordon_err sibling_path(const char *name, char *ret_path, size_t size,
                             struct cordon_fault *fault)
{
    const char *wanted[2] = {NULL, NULL};
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (len <= 0) {
        return fault_os(fault, errno, "mount /proc", "cannot tell where cordon is installed");
    }
    self[len] = '\0';
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        if (strcmp(places[i].name, name) == 0) {
            wanted[0] = places[i].built;
            wanted[1] = places[i].installed;
        }
    }
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        const char *mine[2] = {places[i].built, places[i].installed};

        for (int layout = 0; layout < 2; layout++) {
            size_t prefix = mine[layout] == NULL ? 0 : without(self, mine[layout]);

            if (prefix > 0 && wanted[layout] != NULL) {
                int used = snprintf(ret_path, size, "%.*s/%s", (int)prefix, self, wanted[layout]);

                return used > 0 && (size_t)used < size
                           ? CORDON_OK
                           : fault_set(fault, CORDON_E_LIMIT, NULL, "path of %s too long", name);
            }
        }
    }
    return fault_set(fault, CORDON_E_NOT_FOUND, "reinstall cordon", "cannot find %s beside %s",
                     name, self);
}

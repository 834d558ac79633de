/* SPDX-License-Identifier: Apache-2.0 */
/* A job's rules, and what they are about: directories, and mounts of the view. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/init/notes.h"
#include "platform/linux/init/sys.h"
#include "platform/linux/init/watch.h"
#include "policy/dfa_format.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#endif

/* ---- loading ---- */

static const void *map_fd(int fd, size_t max, size_t *ret_len)
{
    struct stat st;
    const void *data;

    if (fstat(fd, &st) != 0 || st.st_size <= 0 || (uint64_t)st.st_size > max) {
        return NULL;
    }
    data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    *ret_len = (size_t)st.st_size;
    return data == MAP_FAILED ? NULL : data;
}

static enum cordon_err load_table(struct init *init, int fd, uint32_t set)
{
    size_t len = 0;
    const void *block = map_fd(fd, DFA_BYTES_MAX + 4096, &len);

    if (block == NULL ||
        dfa_check(block, len, init->order->rule_count[set], &init->table[set]) != CORDON_OK) {
        return fault_set(&init->fault, CORDON_E_INVALID, NULL, "the %s rule table is damaged",
                         set == ORDER_SET_OWN ? "profile's" : "managed");
    }
    return CORDON_OK;
}

enum cordon_err rules_load(struct init *init, int order, const int tables[ORDER_SET_COUNT])
{
    size_t len = 0;
    const void *block = map_fd(order, ORDER_BYTES_MAX, &len);
    enum cordon_err err;

    if (block == NULL) {
        return fault_set(&init->fault, CORDON_E_INVALID, NULL, "started without an order");
    }
    err = order_check(block, len, 0, &init->order, &init->fault);
    for (uint32_t set = 0; err == CORDON_OK && set < ORDER_SET_COUNT; set++) {
        err = load_table(init, tables[set], set);
    }
    return err;
}

void rules_touch(const struct init *init)
{
    for (int set = 0; set < ORDER_SET_COUNT; set++) {
        union {
            const struct dfa *in;
            void *out;
        } table = {init->table[set]};

        (void)madvise(table.out, (size_t)table.in->size, MADV_POPULATE_READ);
    }
}

/* ---- prefixes ---- */

/*
 * A rule may name what is not there, or where the caller reaches nothing: then
 * what counts is the last directory above that is. Rules come in order, so most
 * of the way is that of the rule before.
 */
struct reached {
    uint32_t set;
    char there[PATH_MAX];   /* as spelled: it exists */
    char missing[PATH_MAX]; /* one component more: it does not; "": no such */
};

/* Bytes of @text that lead to the same as those of @there, which exists. */
static size_t common_len(const char *text, const char *there)
{
    size_t len = 0;

    for (size_t i = 0;; i++) {
        if ((text[i] == '/' || text[i] == '\0') && (there[i] == '/' || there[i] == '\0')) {
            len = i;
        }
        if (text[i] != there[i] || text[i] == '\0') {
            return len;
        }
    }
}

/* Goes as far along @text as there is something. False: not even the root can be opened. */
static bool reach(struct reached *at, const char *text, uint32_t set)
{
    size_t len = common_len(text, at->there);
    bool found = len > 0;

    at->set = set;
    at->missing[0] = '\0';
    while (text[len] != '\0' && at->missing[0] == '\0') {
        size_t next = len + 1 + strcspn(text + len + 1, "/");
        int fd;

        if (next >= PATH_MAX) {
            break;
        }
        (void)snprintf(at->missing, PATH_MAX, "%.*s", (int)next, text);
        fd = sys_openat2(AT_FDCWD, at->missing, O_PATH, RESOLVE_NO_MAGICLINKS);
        if (fd >= 0) {
            (void)close(fd);
            at->missing[0] = '\0';
            len = next;
            found = true;
        }
    }
    (void)snprintf(at->there, PATH_MAX, "%.*s", (int)(len < 2 ? 1 : len), text);
    return found || at->missing[0] != '\0';
}

static bool prefix_is_there(const struct watch *watch, const struct reached *at)
{
    for (size_t i = watch->prefix_count; i-- > 0;) {
        if (watch->prefixes[i].set == at->set &&
            strcmp(watch->prefixes[i].spelled, at->there) == 0) {
            return true;
        }
    }
    return false;
}

static bool name_read(int fd, char ret_name[PATH_MAX])
{
    char link[64];
    ssize_t len;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, ret_name, PATH_MAX - 1);
    ret_name[len > 0 ? len : 0] = '\0';
    return len > 0;
}

static enum cordon_err prefix_add(struct watch *watch, const struct order_step *step,
                                  struct reached *at)
{
    struct watch_prefix *prefix = &watch->prefixes[watch->prefix_count];
    struct init *init = watch->init;
    const char *text = order_text(init->order, step->text);
    char real[PATH_MAX];
    bool named = false;
    int fd;

    if (at->missing[0] != '\0' && at->set == step->set && path_is_below(text, at->missing)) {
        return CORDON_OK;
    }
    named = reach(at, text, step->set) && prefix_is_there(watch, at);
    if (at->missing[0] != '\0' && note_add(init, step->set, at->missing, true) != CORDON_OK) {
        return init->fault.err;
    }
    if (named) {
        return CORDON_OK;
    }
    if (note_add(init, step->set, at->there, true) != CORDON_OK) {
        return init->fault.err;
    }
    fd = sys_openat2(AT_FDCWD, at->there, O_PATH, RESOLVE_NO_MAGICLINKS);
    if (fd >= 0) {
        named = name_read(fd, real);
        (void)close(fd);
    }
    if (!named) {
        return fault_set(&init->fault, CORDON_E_OS, NULL, "cannot name the directory of a rule");
    }
    *prefix = (struct watch_prefix){strdup(real), strdup(at->there), step->set};
    if (prefix->real == NULL || prefix->spelled == NULL) {
        return fault_set(&init->fault, CORDON_E_NOMEM, NULL, "rules: out of memory");
    }
    watch->prefix_count++;
    return CORDON_OK;
}

static enum cordon_err prefixes_find(struct watch *watch)
{
    const struct order_step *steps = order_steps(watch->init->order);
    static struct reached at;
    enum cordon_err err = CORDON_OK;

    watch->prefixes = calloc(watch->init->order->step_count, sizeof(*watch->prefixes));
    if (watch->prefixes == NULL) {
        return fault_set(&watch->init->fault, CORDON_E_NOMEM, NULL, "rules: out of memory");
    }
    identity_as_caller(watch->init);
    for (uint32_t i = 0; err == CORDON_OK && i < watch->init->order->step_count; i++) {
        if (steps[i].op == ORDER_WATCH) {
            err = prefix_add(watch, &steps[i], &at);
        }
    }
    identity_as_setup(watch->init);
    return err;
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "/a" sorts before "/a-b" and "/a/b": the last one kept is not always the one above. */
static bool is_covered(const struct watch *watch, const char *path)
{
    for (size_t i = 0; i < watch->root_count; i++) {
        if (path_is_below(path, watch->roots[i])) {
            return true;
        }
    }
    return false;
}

static enum cordon_err roots_find(struct watch *watch)
{
    const char **all = calloc(watch->prefix_count + 1, sizeof(*all));

    if (all == NULL) {
        return fault_set(&watch->init->fault, CORDON_E_NOMEM, NULL, "rules: out of memory");
    }
    for (size_t i = 0; i < watch->prefix_count; i++) {
        all[i] = watch->prefixes[i].real;
    }
    qsort(all, watch->prefix_count, sizeof(*all), compare_text);
    watch->roots = all;
    for (size_t i = 0; i < watch->prefix_count; i++) {
        if (!is_covered(watch, all[i])) {
            all[watch->root_count++] = all[i];
        }
    }
    return CORDON_OK;
}

/* From here on only the spellings that differ matter. */
static void prefixes_reduce(struct watch *watch)
{
    size_t kept = 0;

    for (size_t i = 0; i < watch->prefix_count; i++) {
        if (strcmp(watch->prefixes[i].real, watch->prefixes[i].spelled) != 0) {
            watch->prefixes[kept++] = watch->prefixes[i];
        }
    }
    watch->prefix_count = kept;
}

/* Chosen by the host's table: a rule may name a directory that the view shows elsewhere only. */
static void mounts_choose_all(struct watch *watch)
{
    for (size_t i = 0; i < watch->prefix_count; i++) {
        mounts_choose(&watch->init->host, watch->prefixes[i].real);
    }
    mounts_choose_same(&watch->mounts, &watch->init->host);
}

enum cordon_err rules_find(struct watch *watch)
{
    enum cordon_err err = prefixes_find(watch);

    if (err == CORDON_OK) {
        err = mounts_read(&watch->mounts, &watch->init->fault);
    }
    if (err == CORDON_OK) {
        mounts_choose_all(watch);
        err = roots_find(watch);
        prefixes_reduce(watch);
    }
    return err;
}

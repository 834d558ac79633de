/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "platform/linux/init/watch.h"
#include "policy/types.h"

static struct verdict decide(const struct init *init, uint32_t set, const char *path, size_t len)
{
    struct verdict verdict = {false, set, dfa_match(init->table[set], path, len)};

    verdict.denied =
        verdict.rule != DFA_NO_RULE && order_access(init->order, set)[verdict.rule] == ACCESS_DENY;
    return verdict;
}

/* @path below @prefix's real directory, as that prefix spells it; false: it does not. */
static bool respell(const struct watch_prefix *prefix, const char *path, size_t len, char *out,
                    size_t *ret_len)
{
    size_t real = strcmp(prefix->real, "/") == 0 ? 0 : strlen(prefix->real);
    size_t spelled = strlen(prefix->spelled);

    if (len < real || memcmp(path, prefix->real, real) != 0 || (len > real && path[real] != '/') ||
        spelled + len - real >= PATH_MAX) {
        return false;
    }
    memcpy(out, prefix->spelled, spelled);
    memcpy(out + spelled, path + real, len - real);
    *ret_len = spelled + len - real;
    return true;
}

struct verdict verdict_by_name(const struct watch *watch, const char *path, size_t len)
{
    struct verdict verdict = decide(watch->init, ORDER_SET_MANAGED, path, len);
    char other[PATH_MAX];

    if (!verdict.denied) {
        verdict = decide(watch->init, ORDER_SET_OWN, path, len);
    }
    for (size_t i = 0; !verdict.denied && i < watch->prefix_count; i++) {
        const struct watch_prefix *prefix = &watch->prefixes[i];
        size_t other_len;

        if (respell(prefix, path, len, other, &other_len)) {
            verdict = decide(watch->init, prefix->set, other, other_len);
        }
    }
    return verdict;
}

bool verdict_same_below(const struct watch *watch, const char *one, const char *other)
{
    for (uint32_t set = 0; set < ORDER_SET_COUNT; set++) {
        const struct dfa *table = watch->init->table[set];
        struct dfa_pos a;
        struct dfa_pos b;

        dfa_start(table, &a);
        dfa_start(table, &b);
        dfa_feed(table, &a, one, strlen(one));
        dfa_feed(table, &b, other, strlen(other));
        if (a.covered != b.covered || memcmp(a.state, b.state, sizeof(a.state)) != 0) {
            return false;
        }
    }
    return watch->prefix_count == 0;
}

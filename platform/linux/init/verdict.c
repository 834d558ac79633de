/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "platform/linux/init/watch.h"
#include "policy/types.h"

/* What the table of @set says about a name in two parts. */
static struct verdict decide(const struct init *init, uint32_t set, const char *above,
                             const char *path, size_t len)
{
    const struct dfa *table = init->table[set];
    struct verdict verdict = {false, set, DFA_NO_RULE};
    struct dfa_pos pos;

    dfa_start(table, &pos);
    dfa_feed(table, &pos, above, strlen(above));
    dfa_feed(table, &pos, path, len);
    verdict.rule = dfa_rule_at(table, &pos);
    verdict.denied =
        verdict.rule != DFA_NO_RULE && order_access(init->order, set)[verdict.rule] == ACCESS_DENY;
    return verdict;
}

/* @path below @prefix's real directory, as that prefix spells it. */
static struct verdict decide_spelled(const struct init *init, const struct watch_prefix *prefix,
                                     const char *path, size_t len)
{
    size_t real = strcmp(prefix->real, "/") == 0 ? 0 : strlen(prefix->real);
    const char *spelled = strcmp(prefix->spelled, "/") == 0 ? "" : prefix->spelled;

    if (len < real || memcmp(path, prefix->real, real) != 0 || (len > real && path[real] != '/')) {
        return (struct verdict){false, prefix->set, DFA_NO_RULE};
    }
    return decide(init, prefix->set, spelled, path + real, len - real);
}

static struct verdict decide_name(const struct watch *watch, const char *path, size_t len)
{
    struct verdict verdict = decide(watch->init, ORDER_SET_MANAGED, "", path, len);

    if (!verdict.denied) {
        verdict = decide(watch->init, ORDER_SET_OWN, "", path, len);
    }
    for (size_t i = 0; !verdict.denied && i < watch->prefix_count; i++) {
        verdict = decide_spelled(watch->init, &watch->prefixes[i], path, len);
    }
    return verdict;
}

struct verdict verdict_by_name(const struct watch *watch, const char *path, size_t len)
{
    static struct strbuf name = STRBUF_INIT;
    static struct strbuf other = STRBUF_INIT;
    const struct alias_list *aliases = &watch->init->aliases;
    struct verdict verdict = decide_name(watch, path, len);

    if (!verdict.denied && aliases->count > 0) {
        name.len = 0;
        strbuf_add(&name, path, len);
    }
    for (size_t i = 0; !verdict.denied && i < aliases->count; i++) {
        if (!path_is_below(strbuf_text(&name), aliases->items[i].real)) {
            continue;
        }
        path_move(name.data, aliases->items[i].real, aliases->items[i].spelled, &other);
        verdict = name.failed || other.failed
                      ? (struct verdict){true, ORDER_SET_COUNT, ORDER_NO_RULE}
                      : decide_name(watch, other.data, other.len);
    }
    return verdict;
}

bool verdict_is_respelled(const struct watch *watch, const char *path)
{
    const struct alias_list *aliases = &watch->init->aliases;
    bool found = false;

    for (size_t i = 0; !found && i < aliases->count; i++) {
        found = path_is_below(path, aliases->items[i].real) ||
                path_is_below(aliases->items[i].real, path);
    }
    /* By name of the link's target only; a bind mount of that leads to it as well. */
    for (size_t i = 0; !found && i < watch->prefix_count; i++) {
        found = aliases->count > 0 || path_is_below(path, watch->prefixes[i].real) ||
                path_is_below(watch->prefixes[i].real, path);
    }
    return found;
}

static bool is_settled(const struct init *init, uint32_t set, const char *above, const char *name)
{
    struct dfa_pos pos;

    dfa_start(init->table[set], &pos);
    dfa_feed(init->table[set], &pos, above, strlen(above));
    dfa_feed(init->table[set], &pos, name, strlen(name));
    return dfa_settled(init->table[set], &pos);
}

static bool name_is_hopeless(const struct watch *watch, const char *name)
{
    const char *text = strcmp(name, "/") == 0 ? "" : name;
    bool hopeless = is_settled(watch->init, ORDER_SET_MANAGED, "", text) &&
                    is_settled(watch->init, ORDER_SET_OWN, "", text);

    for (size_t i = 0; hopeless && i < watch->prefix_count; i++) {
        const struct watch_prefix *prefix = &watch->prefixes[i];
        const char *spelled = strcmp(prefix->spelled, "/") == 0 ? "" : prefix->spelled;
        size_t real = strcmp(prefix->real, "/") == 0 ? 0 : strlen(prefix->real);

        if (path_is_below(name, prefix->real)) {
            hopeless = is_settled(watch->init, prefix->set, spelled, name + real);
        } else {
            hopeless = !path_is_below(prefix->real, name);
        }
    }
    return hopeless;
}

bool verdict_is_hopeless(const struct watch *watch, const char *path)
{
    static struct strbuf other = STRBUF_INIT;
    const struct alias_list *aliases = &watch->init->aliases;
    bool hopeless = name_is_hopeless(watch, path);

    for (size_t i = 0; hopeless && i < aliases->count; i++) {
        const struct alias *alias = &aliases->items[i];

        if (path_is_below(path, alias->real)) {
            path_move(path, alias->real, alias->spelled, &other);
            hopeless = !other.failed && name_is_hopeless(watch, other.data);
        } else {
            hopeless = !path_is_below(alias->real, path);
        }
    }
    return hopeless;
}

bool verdict_same_below(const struct watch *watch, const char *one, const char *other)
{
    if (verdict_is_respelled(watch, one) || verdict_is_respelled(watch, other)) {
        return false;
    }
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
    return true;
}

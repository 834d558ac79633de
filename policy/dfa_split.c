/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Globs that float below a directory ("/d/" and then any depth) are all looked
 * for at once in every directory below it. Put together with others anchored
 * further down they are repeated in each of those: 3000 names below / and 1000
 * globs below 1000 directories make millions of states in one automaton, and a
 * few ten thousand in two. Globs with a second "**" remember what they passed,
 * so each doubles the automaton it is in.
 *
 * The cost of a part is estimated from this; the heavy groups (globs with one
 * anchor) choose first, each the part where it adds least.
 */
#include "policy/dfa_split.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DOUBLINGS_MAX 40U

/* Globs with one anchor that go together; one with a second "**" goes alone. */
struct group {
    size_t anchor;
    size_t first; /* in the sorted entries */
    size_t count;
    double weight;
    bool sticky;
};

/* One directory in which globs are anchored. */
struct anchor {
    const struct glob_token *tokens; /* its path, one token a byte; the last "/" left out */
    uint32_t len;
    double weight[SPLIT_PARTS_MAX]; /* of the globs anchored here, by part */
    double below[SPLIT_PARTS_MAX];  /* what groups here and below have added */
    uint32_t sticky[SPLIT_PARTS_MAX];
    uint32_t users[SPLIT_PARTS_MAX]; /* groups here and below */
};

struct entry {
    struct split_glob *glob;
    uint32_t anchor_len;
    bool sticky;
    size_t order;
};

struct split {
    struct entry *entries;
    size_t entry_count;
    struct anchor *anchors; /* sorted by path */
    size_t anchor_count;
    struct group *groups;
    size_t group_count;
    uint32_t parts;
};

static uint32_t anchor_len(const struct split_glob *glob)
{
    uint32_t slash = 0;

    for (uint32_t i = 0; i < glob->count && glob->tokens[i].op == GLOB_BYTE; i++) {
        slash = glob->tokens[i].byte == '/' ? i : slash;
    }
    return slash;
}

static bool is_sticky(const struct split_glob *glob)
{
    uint32_t deep = 0;

    for (uint32_t i = 0; i < glob->count; i++) {
        deep += glob->tokens[i].op == GLOB_DEEP ? 1U : 0U;
    }
    return deep > 1;
}

static int path_order(const struct glob_token *a, uint32_t a_len, const struct glob_token *b,
                      uint32_t b_len)
{
    for (uint32_t i = 0; i < a_len && i < b_len; i++) {
        if (a[i].byte != b[i].byte) {
            return a[i].byte < b[i].byte ? -1 : 1;
        }
    }
    return (a_len > b_len) - (a_len < b_len);
}

static int entry_order(const void *left, const void *right)
{
    const struct entry *a = left;
    const struct entry *b = right;
    const int paths = path_order(a->glob->tokens, a->anchor_len, b->glob->tokens, b->anchor_len);

    if (paths != 0) {
        return paths;
    }
    return a->sticky != b->sticky ? (a->sticky ? 1 : -1)
                                  : (a->order > b->order) - (a->order < b->order);
}

static int group_order(const void *left, const void *right)
{
    const struct group *a = left;
    const struct group *b = right;

    if (a->weight < b->weight || a->weight > b->weight) {
        return a->weight > b->weight ? -1 : 1;
    }
    return (a->first > b->first) - (a->first < b->first);
}

static enum cordon_err split_init(struct split *split, struct split_glob *globs, size_t count)
{
    split->entries = calloc(count, sizeof(*split->entries));
    split->anchors = calloc(count, sizeof(*split->anchors));
    split->groups = calloc(count, sizeof(*split->groups));
    if (split->entries == NULL || split->anchors == NULL || split->groups == NULL) {
        return CORDON_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        split->entries[i] =
            (struct entry){&globs[i], anchor_len(&globs[i]), is_sticky(&globs[i]), i};
    }
    split->entry_count = count;
    qsort(split->entries, count, sizeof(*split->entries), entry_order);
    return CORDON_OK;
}

/* Finds the anchors and groups among the sorted entries. */
static void find_groups(struct split *split)
{
    for (size_t i = 0; i < split->entry_count; i++) {
        const struct entry *entry = &split->entries[i];
        const struct entry *before = i > 0 ? entry - 1 : NULL;
        const bool same =
            before != NULL && path_order(entry->glob->tokens, entry->anchor_len,
                                         before->glob->tokens, before->anchor_len) == 0;

        if (!same) {
            struct anchor *anchor = &split->anchors[split->anchor_count++];

            anchor->tokens = entry->glob->tokens;
            anchor->len = entry->anchor_len;
        }
        if (!same || entry->sticky) {
            split->groups[split->group_count++] =
                (struct group){split->anchor_count - 1, i, 0, 0.0, entry->sticky};
        }
        split->groups[split->group_count - 1].count++;
        split->groups[split->group_count - 1].weight +=
            (double)(entry->glob->count - entry->anchor_len);
    }
}

/* The anchor that is the first @len bytes of @path, or NULL. */
static struct anchor *find_anchor(const struct split *split, const struct glob_token *path,
                                  uint32_t len)
{
    size_t low = 0;
    size_t high = split->anchor_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        struct anchor *anchor = &split->anchors[middle];
        const int order = path_order(path, len, anchor->tokens, anchor->len);

        if (order == 0) {
            return anchor;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

/* The next anchor from @anchor's path of @*len bytes upwards, itself first; NULL at the end. */
static struct anchor *next_above(const struct split *split, const struct anchor *anchor,
                                 uint32_t *len)
{
    while (*len != UINT32_MAX) {
        const uint32_t here = *len;

        *len = here == 0 ? UINT32_MAX : here - 1;
        while (*len != UINT32_MAX && *len != 0 && anchor->tokens[*len].byte != '/') {
            (*len)--;
        }
        struct anchor *found = find_anchor(split, anchor->tokens, here);

        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

/* What @group would add to part @part. */
static double cost_of(const struct split *split, const struct group *group, uint32_t part)
{
    const struct anchor *own = &split->anchors[group->anchor];
    double above = 0.0;
    double cost;
    uint32_t sticky = 0;
    uint32_t len = own->len;
    const struct anchor *at;

    while ((at = next_above(split, own, &len)) != NULL) {
        above += at->weight[part];
        sticky += at->sticky[part];
    }
    cost = group->weight * (1.0 + own->users[part]) + above;
    for (uint32_t i = 0; i < sticky && i < DOUBLINGS_MAX; i++) {
        cost *= 2.0;
    }
    return group->sticky ? cost + own->below[part] + above : cost;
}

static void assign(struct split *split, const struct group *group)
{
    struct anchor *own = &split->anchors[group->anchor];
    uint32_t len = own->len;
    uint32_t part = 0;
    double least = cost_of(split, group, 0);
    struct anchor *at;

    for (uint32_t i = 1; i < split->parts; i++) {
        const double cost = cost_of(split, group, i);

        if (cost < least) {
            least = cost;
            part = i;
        }
    }
    own->weight[part] += group->weight;
    own->sticky[part] += group->sticky ? 1U : 0U;
    while ((at = next_above(split, own, &len)) != NULL) {
        at->users[part]++;
        at->below[part] += least;
    }
    for (size_t i = 0; i < group->count; i++) {
        split->entries[group->first + i].glob->part = part;
    }
}

enum cordon_err split_globs(struct split_glob *globs, size_t count, uint32_t parts)
{
    struct split split = {.parts = parts};
    enum cordon_err err = CORDON_OK;

    if (count > 0) {
        err = split_init(&split, globs, count);
    }
    if (err == CORDON_OK) {
        find_groups(&split);
        if (split.group_count > 0) {
            qsort(split.groups, split.group_count, sizeof(*split.groups), group_order);
        }
        for (size_t i = 0; i < split.group_count; i++) {
            assign(&split, &split.groups[i]);
        }
    }
    free(split.entries);
    free(split.anchors);
    free(split.groups);
    return err;
}

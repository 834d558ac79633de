/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/win_world.h"

#include <stdio.h>
#include <string.h>

#include "platform/windows/plan_windows.h"
#include "tests/support/sddl.h"

#define CALLER "S-1-5-21-1-2-3-1001"
#define ACCOUNT "S-1-5-21-9-9-9-1000"
#define LOGON "S-1-5-5-0-99"
#define PACKAGES "S-1-15-2-1"
#define SYSTEM_ONLY "(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
#define VOLUME "O:SYD:P" SYSTEM_ONLY "(A;OICI;0x1200a9;;;BU)(A;CI;0x4;;;AU)(A;OICIIO;0x1301bf;;;AU)"
#define READABLE "O:SYD:P" SYSTEM_ONLY "(A;OICI;0x1200a9;;;BU)(A;OICI;0x1200a9;;;" PACKAGES ")"
#define PRIVATE "O:" CALLER "D:P" SYSTEM_ONLY "(A;OICI;FA;;;" CALLER ")"
#define OPENED "O:" CALLER "D:(A;;0x1200a9;;;BU)(A;;0x1301bf;;;AU)"

static const struct {
    const char *path;
    const char *sd;
} lists[] = {
    {"C:\\", VOLUME},          {"D:\\", VOLUME},
    {"C:\\Windows", READABLE}, {"C:\\Program Files", READABLE},
    {"C:\\Users\\a", PRIVATE}, {"D:\\mine", PRIVATE},
};

static const struct {
    const char *path;
    enum plan_object object;
} places[] = {
    {"C:\\", PLAN_DIRECTORY},
    {"D:\\", PLAN_DIRECTORY},
    {"C:\\Windows", PLAN_DIRECTORY},
    {"C:\\Windows\\cmd.exe", PLAN_FILE},
    {"C:\\Program Files", PLAN_DIRECTORY},
    {"C:\\Program Files\\git\\git.exe", PLAN_FILE},
    {"C:\\Users\\a", PLAN_DIRECTORY},
    {"D:\\mine", PLAN_DIRECTORY},
    {"C:\\ws", PLAN_DIRECTORY},
    {"D:\\data", PLAN_DIRECTORY},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct sd *new_sd(struct win_world *world)
{
    return arena_alloc(world->arena, sizeof(struct sd));
}

/* What @node starts with: a list of its own, or what its place gives it. */
static bool set_list(struct win_world *world, size_t index)
{
    const struct disk_node *node = &world->tree.nodes[index];
    struct sd *sd = new_sd(world);
    const char *text = node->own_list ? OPENED : "O:" CALLER "D:";

    for (size_t i = 0; i < COUNT(lists); i++) {
        text = strcmp(node->path, lists[i].path) == 0 ? lists[i].sd : text;
    }
    world->base[index] = sd;
    return sd != NULL && sddl_read(text, sd) &&
           (node->parent == index ||
            sd_inherit(world->base[node->parent], node->object == PLAN_DIRECTORY, &sd_mapping_file,
                       sd) == CORDON_OK);
}

static bool add_line(struct win_world *world, char *line)
{
    char kind[16];
    char path[512];
    char target[512];
    int words = sscanf(line, "%15s %511s %511s", kind, path, target);
    struct disk_node *node;

    if (words <= 0) {
        return true;
    }
    node = words < 2
               ? NULL
               : disk_add(&world->tree, path,
                          strcmp(kind, "dir") == 0 || strcmp(kind, "link") == 0 ? PLAN_DIRECTORY
                                                                                : PLAN_FILE);
    if (node == NULL) {
        return false;
    }
    node->own_list = strcmp(kind, "open") == 0;
    node->target =
        strcmp(kind, "link") == 0 && words == 3 ? arena_strdup(world->arena, target) : NULL;
    return strcmp(kind, "dir") == 0 || strcmp(kind, "file") == 0 || node->own_list ||
           node->target != NULL;
}

static bool add_lines(struct win_world *world, const char *lines)
{
    char *copy = arena_strdup(world->arena, lines);
    char *rest = NULL;

    for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (!add_line(world, line)) {
            (void)fprintf(stderr, "not understood: %s\n", line);
            return false;
        }
    }
    return true;
}

bool win_world_init(struct win_world *world, struct arena *arena, const char *lines)
{
    bool good;

    memset(world, 0, sizeof(*world));
    world->arena = arena;
    disk_init(&world->tree, arena);
    world->base = arena_array(arena, DISK_NODES_MAX, sizeof(*world->base));
    world->planned = arena_array(arena, DISK_NODES_MAX, sizeof(*world->planned));
    for (size_t i = 0; i < COUNT(places); i++) {
        (void)disk_add(&world->tree, places[i].path, places[i].object);
    }
    good = add_lines(world, lines);
    world->tree.private_dirs[world->tree.facts.private_count++] = "C:\\Users\\a";
    world->tree.private_dirs[world->tree.facts.private_count++] = "D:\\mine";
    world->tree.system_dirs[world->tree.facts.system_count++] = "C:\\Windows";
    world->tree.system_dirs[world->tree.facts.system_count++] = "C:\\Program Files";
    world->base_count = world->tree.count;
    for (size_t i = 0; good && i < world->tree.count; i++) {
        good = set_list(world, i);
    }
    return good;
}

/* ---- facts ---- */

static struct plan_fact *look_up(struct win_world *world, const struct policy_ruleset *set,
                                 struct arena *arena)
{
    struct plan_fact *facts = arena_array(arena, set->count, sizeof(*facts));

    for (size_t i = 0; facts != NULL && i < set->count; i++) {
        if (!set->rules[i].glob) {
            disk_look_up(&world->tree, set->rules[i].pattern, &facts[i]);
        }
    }
    return facts;
}

bool win_world_facts(struct win_world *world, const struct policy *policy, const char *principal,
                     struct arena *arena)
{
    /* Materialised by the plan before. */
    world->tree.count = world->base_count;
    world->facts = (struct plan_facts){.managed = look_up(world, &policy->managed, arena),
                                       .own = look_up(world, &policy->own, arena),
                                       .privileged = true,
                                       .cwd = "C:\\ws",
                                       .cwd_object = PLAN_DIRECTORY,
                                       .principal = principal,
                                       .windows = &world->tree.facts};
    return world->facts.managed != NULL && world->facts.own != NULL;
}

/* ---- a plan, done ---- */

static bool materialise(struct win_world *world, const struct plan_step *step)
{
    const bool dir = (step->flags & PLAN_STEP_DIR) != 0;
    size_t first = world->tree.count;

    if (disk_find(&world->tree, step->path) != NULL) {
        return false; /* what is there needs not be made */
    }
    (void)disk_add(&world->tree, step->path, dir ? PLAN_DIRECTORY : PLAN_FILE);
    for (size_t i = first; i < world->tree.count; i++) {
        world->planned[i] = world->planned[i] == NULL ? new_sd(world) : world->planned[i];
        sd_init(world->planned[i], SD_DACL_LIST);
        world->planned[i]->owner = sid_system();
    }
    return true;
}

static bool add_entry(struct win_world *world, const struct plan_step *step,
                      const struct plan_windows_ace *planned, const char *principal)
{
    const struct disk_node *node = (step->flags & PLAN_STEP_LINK) != 0
                                       ? disk_at(&world->tree, step->path)
                                       : disk_find(&world->tree, step->path);
    struct sd_ace ace = {.type = planned->deny ? SD_DENIED : SD_ALLOWED,
                         .flags = planned->flags,
                         .mask = planned->mask};
    bool added;

    if (node == NULL ||
        ((step->flags & PLAN_STEP_DIR) != 0) !=
            (node->object == PLAN_DIRECTORY && (step->flags & PLAN_STEP_LINK) == 0)) {
        (void)fprintf(stderr, "no such object: %s\n", step->path);
        return false;
    }
    return sid_from_text(principal, &ace.sid) == CORDON_OK &&
           sd_add(world->planned[node - world->tree.nodes], &ace, &added) == CORDON_OK;
}

static bool pass_on(struct win_world *world)
{
    for (size_t i = 0; i < world->tree.count; i++) {
        const struct disk_node *node = &world->tree.nodes[i];

        if (node->parent != i &&
            sd_inherit(world->planned[node->parent], node->object == PLAN_DIRECTORY,
                       &sd_mapping_file, world->planned[i]) != CORDON_OK) {
            return false;
        }
    }
    return true;
}

bool win_world_apply(struct win_world *world, const struct plan *plan)
{
    bool good = true;

    for (size_t i = 0; i < world->base_count; i++) {
        world->planned[i] = world->planned[i] == NULL ? new_sd(world) : world->planned[i];
        sd_copy(world->planned[i], world->base[i]);
    }
    for (size_t i = 0; good && i < plan->step_count; i++) {
        const struct plan_step *step = &plan->steps[i];
        struct plan_windows_ace ace;

        if (step->op == PLAN_WINDOWS_MATERIALISE) {
            good = materialise(world, step);
        } else if (plan_windows_ace(step, &ace)) {
            good = add_entry(world, step, &ace, world->facts.principal);
        }
    }
    return good && pass_on(world);
}

/* ---- questions ---- */

static struct sd later; /* what comes to be where nothing is */

static const struct sd *list_at(const struct win_world *world, struct sd *const *lists_of,
                                const char *path)
{
    const struct disk_node *node = disk_find(&world->tree, path);
    const struct sd *above;

    if (node != NULL &&
        (lists_of == world->planned || (size_t)(node - world->tree.nodes) < world->base_count)) {
        return lists_of[node - world->tree.nodes];
    }
    above = list_at(
        world, lists_of,
        arena_strndup(world->arena, path,
                      (size_t)(strrchr(path, '\\') - path) + (strrchr(path, '\\') == path + 2)));
    if (above == &later) {
        return above; /* a list of a file passes nothing on, of a directory the same again */
    }
    sd_init(&later, SD_DACL_LIST);
    later.owner = sid_system();
    return sd_inherit(above, false, &sd_mapping_file, &later) == CORDON_OK ? &later : NULL;
}

static size_t read_sids(const char *const *texts, size_t count, struct sid *ret_sids)
{
    for (size_t i = 0; i < count; i++) {
        if (sid_from_text(texts[i], &ret_sids[i]) != CORDON_OK) {
            return 0;
        }
    }
    return count;
}

#define GROUPS "S-1-5-32-545", "S-1-5-11", "S-1-5-4", "S-1-1-0"
#define SIDS_MAX 16U

static uint32_t granted(const struct sd *sd, const struct sd_token *token)
{
    return sd_granted(sd, token, &sd_mapping_file);
}

static uint32_t ask(const struct win_world *world, const struct sd *sd, const char *const *texts,
                    size_t count, struct sd_token *token)
{
    struct sid sids[SIDS_MAX];
    struct sd_member members[SIDS_MAX];

    token->member_count = read_sids(texts, count, sids);
    for (size_t i = 0; i < token->member_count; i++) {
        members[i] = (struct sd_member){sids[i], false};
    }
    token->members = members;
    return (world->granted != NULL ? world->granted : granted)(sd, token);
}

static const char *const caller[] = {CALLER, GROUPS};

uint32_t win_world_caller(const struct win_world *world, const char *path)
{
    struct sd_token token = {.restricting = NULL};

    return ask(world, list_at(world, world->base, path), caller, COUNT(caller), &token);
}

/* The token that the plan's steps describe; SIDs into @ret_sids. */
static bool read_token(const struct plan *plan, const char *principal, struct sid *ret_sids,
                       struct sd_token *ret_token)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->step_count; i++) {
        const struct plan_step *step = &plan->steps[i];
        const char *text = step->text;

        if (step->op == PLAN_WINDOWS_TOKEN) {
            ret_token->write_restricted = strcmp(text, "write-restricted") == 0;
        }
        if (step->op != PLAN_WINDOWS_RESTRICT) {
            continue;
        }
        text = strcmp(text, "principal") == 0 ? principal : text;
        text = strcmp(text, "logon") == 0 ? LOGON : text;
        if (count == SIDS_MAX || sid_from_text(text, &ret_sids[count++]) != CORDON_OK) {
            return false;
        }
    }
    ret_token->restricting = count == 0 ? NULL : ret_sids;
    ret_token->restricting_count = count;
    return true;
}

uint32_t win_world_job(const struct win_world *world, const struct plan *plan, const char *path)
{
    const char *principal = world->facts.principal;
    const char *const job[] = {ACCOUNT, principal, LOGON, GROUPS};
    struct sd_token token = {.restricting = NULL};
    struct sid sids[SIDS_MAX];
    const struct sd *sd = list_at(world, world->planned, path);

    if (!read_token(plan, principal, sids, &token)) {
        return UINT32_MAX;
    }
    return token.restricting == NULL ? ask(world, sd, caller, COUNT(caller), &token)
                                     : ask(world, sd, job, COUNT(job), &token);
}

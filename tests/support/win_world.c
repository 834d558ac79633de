/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/win_world.h"

#include <stdio.h>
#include <string.h>

#include "platform/windows/plan_windows.h"
#include "platform/windows/targets.h"
#include "tests/support/fake_parts.h"
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

/* A volume's root is "C:" there. */
static struct fake_node *fake_at(const struct win_world *world, const char *path)
{
    const size_t len = strlen(path);

    return fake_find(world->disk, API_FILE,
                     arena_strndup(world->arena, path, len - (path[len - 1] == '\\')));
}

/* What @node starts with: a list of its own, or what its place gives it. */
static bool set_list(struct win_world *world, size_t index)
{
    const struct disk_node *node = &world->tree.nodes[index];
    struct sd *sd = new_sd(world);
    const char *text = world->opened[index] ? OPENED : "O:" CALLER "D:";

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
    world->opened[node - world->tree.nodes] = strcmp(kind, "open") == 0;
    node->target =
        strcmp(kind, "link") == 0 && words == 3 ? arena_strdup(world->arena, target) : NULL;
    return strcmp(kind, "dir") == 0 || strcmp(kind, "file") == 0 || strcmp(kind, "open") == 0 ||
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

/* The engine's own view of the same nodes. */
static void build_disk(struct win_world *world)
{
    fake_init(world->disk);
    world->disk->token_count = 1; /* the job's, see apply() */
    world->caller = fake_token(world->disk, CALLER " BU S-1-5-11 S-1-5-4 WD");
    for (size_t i = 0; i < world->tree.count; i++) {
        const struct disk_node *from = &world->tree.nodes[i];
        const bool dir = from->object == PLAN_DIRECTORY;
        struct fake_node *node = fake_at(world, from->path);

        if (node == NULL) {
            node = fake_add(world->disk, API_FILE,
                            arena_printf(world->arena, "%s%s", from->path, dir ? "\\" : ""), NULL);
        }
        if (from->target != NULL) {
            (void)snprintf(node->leads, sizeof(node->leads), "%s", from->target);
            node->info.reparse = true;
        }
        node->control = (uint16_t)(world->base[i]->control | SD_SELF_RELATIVE);
        fake_store(node, world->base[i]);
    }
    memcpy(world->before, world->disk, sizeof(*world->before));
}

bool win_world_init(struct win_world *world, struct arena *arena, const char *lines)
{
    bool good;

    memset(world, 0, sizeof(*world));
    world->arena = arena;
    disk_init(&world->tree, arena);
    world->base = arena_array(arena, DISK_NODES_MAX, sizeof(*world->base));
    world->opened = arena_array(arena, DISK_NODES_MAX, sizeof(*world->opened));
    world->disk = arena_alloc(arena, sizeof(*world->disk));
    world->before = arena_alloc(arena, sizeof(*world->before));
    world->look = arena_alloc(arena, sizeof(*world->look));
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
    if (good) {
        build_disk(world);
    }
    return good;
}

/* ---- tokens ---- */

#define GROUPS "S-1-5-32-545", "S-1-5-11", "S-1-5-4", "S-1-1-0"
#define SIDS_MAX 16U

struct job_token {
    struct sd_token token; /* points into this */
    struct sd_member members[SIDS_MAX];
    struct sid restricting[SIDS_MAX];
};

static bool add_members(struct job_token *who, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (sid_from_text(texts[i], &who->members[i].sid) != CORDON_OK) {
            return false;
        }
    }
    who->token.members = who->members;
    who->token.member_count = count;
    return true;
}

static bool caller_token(struct job_token *who)
{
    static const char *const caller[] = {CALLER, GROUPS};

    memset(who, 0, sizeof(*who));
    return add_members(who, caller, COUNT(caller));
}

/* The token that the plan's steps describe. */
static bool job_token(const struct plan *plan, const char *principal, struct job_token *who)
{
    const char *const job[] = {ACCOUNT, principal, LOGON, GROUPS};
    size_t count = 0;

    memset(who, 0, sizeof(*who));
    for (size_t i = 0; i < plan->step_count; i++) {
        const struct plan_step *step = &plan->steps[i];
        const char *text = step->text;

        if (step->op == PLAN_WINDOWS_TOKEN) {
            who->token.write_restricted = strcmp(text, "write-restricted") == 0;
        }
        if (step->op != PLAN_WINDOWS_RESTRICT) {
            continue;
        }
        text = strcmp(text, "principal") == 0 ? principal : text;
        text = strcmp(text, "logon") == 0 ? LOGON : text;
        if (count == SIDS_MAX || sid_from_text(text, &who->restricting[count++]) != CORDON_OK) {
            return false;
        }
    }
    if (count == 0) {
        return caller_token(who);
    }
    who->token.restricting = who->restricting;
    who->token.restricting_count = count;
    return add_members(who, job, COUNT(job));
}

/* ---- a plan, done ---- */

#define HOLDER "job"

static bool complain(const char *what, const char *path)
{
    (void)fprintf(stderr, "%s%s\n", what, path);
    return false;
}

/* Made by the engine; the planner's tree has it from here on as well. */
static bool materialise(struct win_world *world, const struct plan_step *step)
{
    if (disk_find(&world->tree, step->path) != NULL) {
        return complain("there, and to be made: ", step->path);
    }
    return disk_add(&world->tree, step->path,
                    (step->flags & PLAN_STEP_DIR) != 0 ? PLAN_DIRECTORY : PLAN_FILE) != NULL;
}

/* Whether @step says of its object what it is. */
static bool is_as_planned(const struct win_world *world, const struct plan_step *step)
{
    const bool link = (step->flags & PLAN_STEP_LINK) != 0;
    const struct disk_node *node =
        link ? disk_at(&world->tree, step->path) : disk_find(&world->tree, step->path);

    return (node != NULL &&
            ((step->flags & PLAN_STEP_DIR) != 0) == (node->object == PLAN_DIRECTORY && !link)) ||
           complain("no such object: ", step->path);
}

static bool start_state(struct win_world *world)
{
    const char *principal = world->facts.principal;
    struct state_config config = {.api = &world->disk->api,
                                  .folder = "C:\\ProgramData\\cordon",
                                  .unchecked = true,
                                  .root_object = API_FILE,
                                  .walk_objects = 10000,
                                  .walk_depth = 32,
                                  .walk_ms = 1000000};
    const size_t len = (size_t)(strrchr(principal, '-') - principal);

    return sid_from_text(arena_strndup(world->arena, principal, len), &config.domain) ==
               CORDON_OK &&
           state_open(&config, &world->state, &world->fault) == CORDON_OK;
}

/* Byte for byte, and without what was made. */
static bool is_as_before(const struct win_world *world)
{
    for (size_t i = 0; i < world->disk->node_count; i++) {
        const struct fake_node *node = &world->disk->nodes[i];
        const struct fake_node *old = &world->before->nodes[i];

        if (i >= world->before->node_count
                ? node->path[0] != '\0'
                : node->sd_len != old->sd_len || memcmp(node->sd, old->sd, node->sd_len) != 0) {
            return complain("not as it was before the plan: ", node->path);
        }
    }
    return fake_open_handles(world->disk) == 2 || complain("handles stay open", "");
}

static bool take_back(struct win_world *world)
{
    if (world->held_for.len == 0) {
        return true;
    }
    if (state_drop(world->state, &world->held_for, HOLDER, &world->fault) != CORDON_OK ||
        state_size(world->state) != 0) {
        return complain("not taken back: ", state_notices(world->state));
    }
    world->held_for.len = 0;
    if (!is_as_before(world)) {
        return false;
    }
    world->disk->node_count = world->before->node_count;
    return true;
}

static bool apply(struct win_world *world, const struct plan *plan)
{
    struct fake_token *token = &world->disk->tokens[0];
    struct state_target *targets;
    static struct job_token who;
    struct state_request request = {.token = FAKE_TOKEN_FIRST, .holder = HOLDER};

    if (targets_of_plan(plan, world->arena, &targets, &request.target_count) != CORDON_OK ||
        sid_from_text(world->facts.principal, &request.principal) != CORDON_OK ||
        !job_token(plan, world->facts.principal, &who)) {
        return false;
    }
    token->token = who.token;
    request.targets = targets;
    world->held_for = request.principal;
    return state_apply(world->state, &request, &world->fault) == CORDON_OK ||
           complain("not applied: ", world->fault.text);
}

bool win_world_apply(struct win_world *world, const struct plan *plan)
{
    bool good = take_back(world) && (world->state != NULL || start_state(world));

    for (size_t i = 0; good && i < plan->step_count; i++) {
        if (plan->steps[i].op == PLAN_WINDOWS_MATERIALISE) {
            good = materialise(world, &plan->steps[i]);
        }
    }
    for (size_t i = 0; good && i < plan->step_count; i++) {
        struct plan_windows_ace ace;

        good = !plan_windows_ace(&plan->steps[i], &ace) || is_as_planned(world, &plan->steps[i]);
    }
    return good && apply(world, plan);
}

bool win_world_deinit(struct win_world *world)
{
    const bool good = take_back(world);

    state_close(world->state);
    world->state = NULL;
    fake_deinit(world->disk);
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
    if (!take_back(world)) {
        return false;
    }
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

enum cordon_err win_world_look(struct win_world *world, const struct policy *policy,
                               const char *principal, struct arena *arena,
                               struct plan_facts *ret_facts)
{
    const struct look_order order = {.cwd = "C:\\ws",
                                     .privileged = true,
                                     .principal = principal,
                                     .names = world->tree.facts.scan_entries,
                                     .private_dirs = world->tree.private_dirs,
                                     .private_count = world->tree.facts.private_count};

    look_init(world->look, &world->disk->api, world->caller, 1000000);
    return look_facts(world->look, policy, &order, arena, ret_facts, &world->fault);
}

/* ---- questions ---- */

static struct sd there; /* as the engine left it */
static struct sd later; /* what comes to be where nothing is */

/* @planned: as it is on the disk by now. */
static const struct sd *list_at(const struct win_world *world, bool planned, const char *path)
{
    const struct disk_node *node = disk_find(&world->tree, path);
    const struct sd *above;

    if (node != NULL && planned) {
        fake_load(fake_at(world, node->path), &there);
        return &there;
    }
    if (node != NULL && (size_t)(node - world->tree.nodes) < world->base_count) {
        return world->base[node - world->tree.nodes];
    }
    above = list_at(
        world, planned,
        arena_strndup(world->arena, path,
                      (size_t)(strrchr(path, '\\') - path) + (strrchr(path, '\\') == path + 2)));
    if (above == &later) {
        return above; /* a list of a file passes nothing on, of a directory the same again */
    }
    sd_init(&later, SD_DACL_LIST);
    later.owner = sid_system();
    return sd_inherit(above, false, &sd_mapping_file, &later) == CORDON_OK ? &later : NULL;
}

static uint32_t ask(const struct win_world *world, bool planned, const char *path,
                    const struct job_token *who)
{
    const struct sd *sd = list_at(world, planned, path);

    return world->granted != NULL ? world->granted(sd, &who->token)
                                  : sd_granted(sd, &who->token, &sd_mapping_file);
}

uint32_t win_world_caller(const struct win_world *world, const char *path)
{
    static struct job_token who;

    return caller_token(&who) ? ask(world, false, path, &who) : 0;
}

uint32_t win_world_job(const struct win_world *world, const struct plan *plan, const char *path)
{
    static struct job_token who;

    return job_token(plan, world->facts.principal, &who) ? ask(world, true, path, &who)
                                                         : UINT32_MAX;
}

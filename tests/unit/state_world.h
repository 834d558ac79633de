/* SPDX-License-Identifier: Apache-2.0 */
/* A state over a disk in memory, with a tap between; shared by the tests of it. */
#ifndef CORDON_TESTS_STATE_WORLD_H
#define CORDON_TESTS_STATE_WORLD_H

#include "platform/windows/journal.h"
#include "platform/windows/state.h"
#include "tests/support/api_tap.h"
#include "tests/support/check.h"
#include "tests/support/fake_api.h"

#define DOMAIN "S-1-5-21-1-2-3"
#define JOB DOMAIN "-1001"
#define JOB2 DOMAIN "-1002"
#define OTHER "S-1-5-21-9-9-9-500"
#define DENY 0x000d017fU
#define DENY_WRITE 0x000d0156U
#define GRANT_READ 0x001200a9U
#define FOLDER "C:\\ProgramData\\cordon"
#define LOG FOLDER "\\acl.log"
/* What a denial of JOB's looks like on an object, and what everybody has there from C:\. */
#define ON_FILE "(D;;0xd017f;;;" JOB ")"
#define ON_FOLDER "(D;OICI;0xd017f;;;" JOB ")"
#define EVERYONE_FILE "(A;ID;0x1f01ff;;;S-1-1-0)"
#define EVERYONE_FOLDER "(A;OICIID;0x1f01ff;;;S-1-1-0)"

static struct fake world;
static struct api_tap tap;
static struct state *state;
static struct cordon_fault fault;
static const char *const roots[] = {"C:\\w"};

static inline struct sid sid_of(const char *text)
{
    struct sid sid;

    CHECK(sid_from_text(text, &sid) == CORDON_OK);
    return sid;
}

static inline void stop(void)
{
    state_close(state);
    state = NULL;
}

/* A state in @folder. */
static inline struct state_config config_of(const char *folder)
{
    return (struct state_config){.api = &tap.api,
                                 .folder = folder,
                                 .domain = sid_of(DOMAIN),
                                 .root_object = API_FILE,
                                 .roots = roots,
                                 .root_count = 1,
                                 .walk_objects = 100,
                                 .walk_depth = 8,
                                 .walk_ms = 100000};
}

static inline enum cordon_err reopen(void)
{
    struct state_config config = config_of(FOLDER);

    config.unchecked = true;
    stop();
    memset(&fault, 0, sizeof(fault));
    return state_open(&config, &state, &fault);
}

/* Nothing but what every disk has. */
static inline void empty_world(void)
{
    stop();
    fake_deinit(&world);
    fake_init(&world);
    api_tap_deinit(&tap);
    api_tap_init(&tap, &world.api);
}

/* C:\w\{a,b\{f,p}} with p protected from inheritance, and a key with one below it. */
static inline void build_world(void)
{
    empty_world();
    (void)fake_add(&world, API_FILE, "C:\\w\\", NULL);
    (void)fake_add(&world, API_FILE, "C:\\w\\a", NULL);
    (void)fake_add(&world, API_FILE, "C:\\w\\b\\", NULL);
    (void)fake_add(&world, API_FILE, "C:\\w\\b\\f", NULL);
    (void)fake_add(&world, API_FILE, "C:\\w\\b\\p", "O:SYD:P(A;;FA;;;WD)");
    (void)fake_add(&world, API_KEY, "HKLM\\k", NULL);
    (void)fake_add(&world, API_KEY, "HKLM\\k\\below", NULL);
}

/* A folder that leads to another: @path ends with "\\", as in fake_add(). */
static inline void junction(const char *path, const char *to)
{
    struct fake_node *node = fake_add(&world, API_FILE, path, NULL);

    node->info.reparse = true;
    strcpy(node->leads, to);
}

/* Somebody gives @path the list of C:\w, and ours is gone. */
static inline void lose_entry(const char *path)
{
    const struct fake_node *from = fake_find(&world, API_FILE, "C:\\w");
    struct fake_node *node = fake_find(&world, API_FILE, path);

    memcpy(node->sd, from->sd, FAKE_SD);
    node->sd_len = from->sd_len;
}

static inline void start(void)
{
    build_world();
    CHECK(reopen() == CORDON_OK);
}

static inline struct state_target denied(const char *path)
{
    return (struct state_target){{.object = path[0] == 'H' ? API_KEY : API_FILE,
                                  .type = SD_DENIED,
                                  .mask = DENY,
                                  .path = path},
                                 STATE_REFUSE};
}

static inline struct state_target making(const char *path, enum state_missing missing)
{
    struct state_target target = denied(path);

    target.missing = missing;
    return target;
}

static inline struct state_target readable(const char *path)
{
    struct state_target target = denied(path);

    target.acl.type = SD_ALLOWED;
    target.acl.mask = GRANT_READ;
    return target;
}

/* A file, a folder with more to do below it, one to be made with what it lies in, and a key. */
#define ONE_OF_EACH                                                                                \
    {                                                                                              \
        denied("C:\\w\\a"), denied("C:\\w\\b"), making("C:\\w\\n\\.env", STATE_MAKE_FILE),         \
            denied("HKLM\\k")                                                                      \
    }

static inline enum cordon_err apply(const char *principal, const char *holder,
                                    const struct state_target *targets, size_t count)
{
    const struct state_request request = {.principal = sid_of(principal),
                                          .holder = holder,
                                          .targets = targets,
                                          .target_count = count};

    memset(&fault, 0, sizeof(fault));
    return state_apply(state, &request, &fault);
}

static inline enum cordon_err drop(const char *principal, const char *holder)
{
    const struct sid sid = sid_of(principal);

    return state_drop(state, &sid, holder, &fault);
}

static inline size_t count(const char *principal, const char *path)
{
    const struct sid sid = sid_of(principal);

    return state_count(state, &sid, path);
}

static inline const char *list(const char *path)
{
    return fake_list(&world, path[0] == 'H' ? API_KEY : API_FILE, path);
}

/* Whether an entry of the domain is on any object of the world. */
static inline bool any_entry(void)
{
    for (size_t i = 0; i < world.node_count; i++) {
        const struct fake_node *node = &world.nodes[i];

        if (node->path[0] != '\0' &&
            strstr(fake_list(&world, node->object, node->path), DOMAIN "-") != NULL) {
            return true;
        }
    }
    return false;
}

#endif

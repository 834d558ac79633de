/* SPDX-License-Identifier: Apache-2.0 */
/* The walk below a container. */
#include "tests/unit/acl_world.h"

struct seen {
    size_t count;
    char paths[16][64];
    const char *stop_below;
};

static enum cordon_err see(void *context, const char *path, const struct api_info *info,
                           const struct sd *sd, bool *ret_below)
{
    struct seen *seen = context;

    (void)info;
    CHECK(sd->dacl != SD_DACL_NONE && seen->count < 16);
    (void)snprintf(seen->paths[seen->count++], 64, "%s", path);
    *ret_below = seen->stop_below == NULL || strcmp(path, seen->stop_below) != 0;
    return CORDON_OK;
}

static enum cordon_err walk(struct seen *seen, uint32_t objects, uint32_t depth,
                            uint64_t deadline_ms)
{
    const struct acl_target target = target_of("C:\\d");
    struct acl_walk bounds = {objects, depth, deadline_ms, API_FILE, see, seen};
    enum cordon_err err;

    seen->count = 0;
    CHECK(acl_open(&acl, &target, &object, &fault) == CORDON_OK);
    err = acl_below(&acl, &bounds, object.handle, "C:\\d", &fault);
    finish();
    return err;
}

TEST(a_walk_sees_everything_once_and_follows_no_link)
{
    struct seen seen = {0};

    start();
    (void)fake_add(&world, API_FILE, "C:\\d\\s\\", NULL);
    (void)fake_add(&world, API_FILE, "C:\\d\\s\\deep", NULL);
    CHECK(walk(&seen, 100, 10, UINT64_MAX) == CORDON_OK);
    CHECK(seen.count == 8);
    CHECK_STR(seen.paths[7], "C:\\d\\s\\deep");
    CHECK_STR(seen.paths[4], "C:\\d\\j");
    seen = (struct seen){.stop_below = "C:\\d\\s"};
    CHECK(walk(&seen, 100, 10, UINT64_MAX) == CORDON_OK);
    CHECK(seen.count == 7);
}

static uint32_t open_all_but_f(void *self, const struct api_open *how, api_handle *ret_handle)
{
    (void)self;
    return how->parent != 0 && strcmp(how->name, "f") == 0
               ? (uint32_t)API_FILE_NOT_FOUND
               : world.api.open(world.api.self, how, ret_handle);
}

TEST(a_name_that_vanishes_is_passed_over)
{
    struct seen seen = {0};

    start();
    CHECK(walk(&seen, 100, 10, UINT64_MAX) == CORDON_OK && seen.count == 6);
    CHECK_STR(seen.paths[0], "C:\\d\\f");
    tap.api.open = open_all_but_f;
    CHECK(walk(&seen, 100, 10, UINT64_MAX) == CORDON_OK && seen.count == 5);
    CHECK_STR(seen.paths[0], "C:\\d\\own");
}

TEST(a_path_that_gets_too_long_ends_the_walk)
{
    static char path[API_PATH_MAX];
    const struct acl_target target = target_of("C:\\d");
    struct seen seen = {0};
    struct acl_walk bounds = {100, 10, UINT64_MAX, API_FILE, see, &seen};

    start();
    memset(path, 'x', sizeof(path) - 3); /* room for "\\f", and no more */
    CHECK(acl_open(&acl, &target, &object, &fault) == CORDON_OK);
    CHECK(acl_below(&acl, &bounds, object.handle, path, &fault) == CORDON_E_LIMIT);
    CHECK(seen.count == 1 && strstr(fault.text, "too long a path") != NULL);
    finish();
}

TEST(a_path_that_is_too_long_is_not_walked_below)
{
    static char path[API_PATH_MAX + 1];
    const struct acl_target target = target_of("C:\\d");
    struct seen seen = {0};
    struct acl_walk bounds = {100, 10, UINT64_MAX, API_FILE, see, &seen};

    start();
    memset(path, 'x', sizeof(path) - 1);
    CHECK(acl_open(&acl, &target, &object, &fault) == CORDON_OK);
    CHECK(acl_below(&acl, &bounds, object.handle, path, &fault) == CORDON_E_LIMIT);
    CHECK(seen.count == 0 && strstr(fault.text, "too long a path") != NULL);
    finish();
}

TEST(a_walk_is_bounded_in_count_depth_and_time)
{
    struct seen seen = {0};

    start();
    (void)fake_add(&world, API_FILE, "C:\\d\\s\\", NULL);
    (void)fake_add(&world, API_FILE, "C:\\d\\s\\deep\\", NULL);
    CHECK(walk(&seen, 8, 2, UINT64_MAX) == CORDON_OK);
    CHECK(walk(&seen, 7, 2, UINT64_MAX) == CORDON_E_LIMIT);
    CHECK(strstr(fault.text, "more than 7 objects") != NULL);
    CHECK(walk(&seen, 100, 1, UINT64_MAX) == CORDON_E_LIMIT);
    CHECK(walk(&seen, 100, 2, world.now_ms + 3) == CORDON_E_TIMEOUT);
}

TEST_MAIN()

/* SPDX-License-Identifier: Apache-2.0 */
/* The engine over a disk in memory, with a tap between and one object open; for the tests of it. */
#ifndef CORDON_TESTS_ACL_WORLD_H
#define CORDON_TESTS_ACL_WORLD_H

#include "platform/windows/acl.h"
#include "tests/support/api_tap.h"
#include "tests/support/check.h"
#include "tests/support/fake_api.h"

#define JOB "S-1-5-21-1-2-3-1001"
#define USER "S-1-5-21-9-9-9-500"
#define DENY 0x000d017fU

static struct fake world;
static struct api_tap tap;
static struct acl acl;
static struct acl_object object;
static struct cordon_fault fault;

static inline void start(void)
{
    fake_deinit(&world);
    fake_init(&world);
    api_tap_deinit(&tap);
    api_tap_init(&tap, &world.api);
    memset(&acl, 0, sizeof(acl));
    memset(&fault, 0, sizeof(fault));
    object.handle = 0;
    acl.api = &tap.api;
    CHECK(sid_from_text(JOB, &acl.principal) == CORDON_OK);
    (void)fake_add(&world, API_FILE, "C:\\d\\", NULL);
    (void)fake_add(&world, API_FILE, "C:\\d\\f", NULL);
    (void)fake_add(&world, API_FILE, "C:\\d\\own", "O:" JOB "D:(A;;FA;;;WD)");
    (void)fake_add(&world, API_FILE, "C:\\d\\null", "O:SYD:NO_ACCESS_CONTROL");
    (void)fake_add(&world, API_FILE, "C:\\d\\theirs", "O:SYD:(A;;FR;;;WD)");
    fake_add(&world, API_FILE, "C:\\d\\j\\", NULL)->info.reparse = true;
    strcpy(fake_find(&world, API_FILE, "C:\\d\\j")->leads, "D:\\t");
    (void)fake_add(&world, API_FILE, "D:\\t\\", NULL);
    (void)fake_add(&world, API_FILE, "D:\\t\\f", NULL);
    fake_add(&world, API_FILE, "C:\\d\\two", NULL)->info.links = 2;
    (void)fake_add(&world, API_KEY, "HKLM\\k", NULL);
}

static inline struct acl_target target_of(const char *path)
{
    return (struct acl_target){.object = path[0] == 'H' ? API_KEY : API_FILE,
                               .type = SD_DENIED,
                               .mask = DENY,
                               .path = path};
}

static inline void finish(void)
{
    acl_close(&acl, &object);
    CHECK(fake_open_handles(&world) == 0);
}

#endif

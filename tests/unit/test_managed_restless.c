/* SPDX-License-Identifier: Apache-2.0 */
/* Managed files that are never twice the same: managed_signature() is of this test. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/managed.h"
#include "tests/support/check.h"

static char root[] = "/tmp/cordon-test-XXXXXX";
static bool restless;
static unsigned asked;

uint64_t __wrap_managed_signature(const struct managed_places *places, bool *ret_settled);
uint64_t __wrap_managed_signature(const struct managed_places *places, bool *ret_settled)
{
    static uint64_t last = 1;

    (void)places;
    asked++;
    last += restless ? 1 : 0;
    if (ret_settled != NULL) {
        *ret_settled = true;
    }
    return last;
}

static void put(const char *text)
{
    int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd;

    CHECK(dir >= 0);
    (void)mkdirat(dir, "etc", 0755);
    (void)mkdirat(dir, "etc/cordon", 0755);
    fd =
        openat(dir, "etc/cordon/requirements.toml", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
    (void)close(dir);
}

TEST(files_that_change_while_they_are_read_are_given_up_and_the_last_good_ones_hold)
{
    static const struct host_user user = {.home = "/home/a", .user = "a"};
    struct managed_rules rules;
    struct managed managed;

    CHECK(mkdtemp(root) != NULL && chmod(root, 0755) == 0);
    memset(&rules, 0, sizeof(rules));
    managed_init(&managed, &(struct managed_places){root, geteuid()}, POLICY_OS_LINUX);
    put("[permissions.filesystem]\ndeny_read = [\"/srv/one\"]\n");
    restless = true;
    /* Nothing was ever read whole: every job is refused, and it is said why. */
    CHECK(managed_refresh(&managed, false) == MANAGED_BROKEN && managed.generation == 0);
    CHECK(managed.fault.err == CORDON_E_AGAIN && managed_refusal(&managed) == &managed.fault);
    CHECK(strstr(managed.fault.text, "change faster than they can be read") != NULL);
    CHECK(managed.files.count == 0 && !managed.fetched.configured);
    CHECK(managed_rules_update(&managed, &user, &rules, NULL) == CORDON_E_STATE);
    restless = false;
    CHECK(managed_refresh(&managed, false) == MANAGED_NEW && managed.generation == 1);
    CHECK(managed.fault.err == CORDON_OK && managed_refusal(&managed) == NULL);
    /* Then something was: it stays in force, and the alarm is one. */
    put("[permissions.filesystem]\ndeny_read = [\"/srv/two\"]\n");
    restless = true;
    asked = 0;
    CHECK(managed_refresh(&managed, false) == MANAGED_BROKEN && managed.generation == 1);
    CHECK(asked < 20);
    CHECK(managed.fault.err == CORDON_E_AGAIN && managed_refusal(&managed) == NULL);
    CHECK(managed.files.count == 1 && strstr(managed.files.items[0].text, "/srv/one") != NULL);
    CHECK(managed_refresh(&managed, false) == MANAGED_SAME);
    /* It is tried again at the next look, not only when something changes once more. */
    restless = false;
    CHECK(managed_refresh(&managed, false) == MANAGED_NEW && managed.generation == 2);
    CHECK(strstr(managed.files.items[0].text, "/srv/two") != NULL);
    managed_rules_deinit(&rules);
    managed_deinit(&managed);
    CHECK(chdir(root) == 0);
    (void)unlink("etc/cordon/requirements.toml");
    (void)rmdir("etc/cordon");
    (void)rmdir("etc");
    CHECK(chdir("/") == 0);
    CHECK(rmdir(root) == 0);
}

TEST_MAIN()

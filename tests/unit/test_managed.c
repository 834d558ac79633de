/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "broker/managed.h"
#include "tests/support/check.h"

static char root[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

static void in_root(const char *path, char ret_full[256])
{
    (void)snprintf(ret_full, 256, "%s%s", root, path);
}

static void put(const char *path, const char *text)
{
    char full[256];
    int fd;

    in_root(path, full);
    (void)unlink(full);
    fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(close(fd) == 0);
}

static struct managed_places begin(void)
{
    static const char *const folders[] = {"/etc", "/etc/codex", "/etc/cordon",
                                          "/etc/cordon/requirements.d"};
    char full[256];

    if (root[0] != '\0') {
        (void)nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    }
    (void)snprintf(root, sizeof(root), "/tmp/cordon-test-XXXXXX");
    CHECK(mkdtemp(root) != NULL);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        in_root(folders[i], full);
        CHECK(mkdir(full, 0755) == 0);
    }
    return (struct managed_places){root, geteuid()};
}

static enum cordon_err read_all(const struct managed_places *places, size_t *ret_count)
{
    struct managed_files files = {NULL, 0};
    enum cordon_err err = managed_read(places, &files, NULL);

    *ret_count = files.count;
    managed_files_deinit(&files);
    return err;
}

#define CODEX "/etc/codex/requirements.toml"
#define OWN "/etc/cordon/requirements.toml"
#define DENY "[permissions.filesystem]\ndeny_read = [\"/srv/secret\"]\n"

TEST(absent_files_are_no_requirements)
{
    const struct managed_places places = begin();
    size_t count;

    CHECK(read_all(&places, &count) == CORDON_OK && count == 0);
}

TEST(files_come_in_the_order_of_layers_then_bytes)
{
    const struct managed_places places = begin();
    struct managed_files files;

    put("/etc/cordon/requirements.d/b.toml", "");
    put("/etc/cordon/requirements.d/a.toml", "");
    put("/etc/cordon/requirements.d/a.toml~", "");
    put("/etc/cordon/requirements.d/.hidden.toml", "");
    put(OWN, "");
    put(CODEX, "");
    CHECK(managed_read(&places, &files, NULL) == CORDON_OK);
    CHECK(files.count == 4);
    CHECK_STR(files.items[0].path, CODEX);
    CHECK(files.items[0].layer == LAYER_MANAGED_CODEX);
    CHECK_STR(files.items[1].path, OWN);
    CHECK_STR(files.items[2].path, "/etc/cordon/requirements.d/a.toml");
    CHECK_STR(files.items[3].path, "/etc/cordon/requirements.d/b.toml");
    managed_files_deinit(&files);
}

TEST(po05_a_file_or_parent_that_others_may_change_is_refused)
{
    static const struct {
        const char *path;
        mode_t mode, restore;
    } rows[] = {{CODEX, 0646, 0644},
                {"/etc/codex", 0757, 0755},
                {"/etc", 0757, 0755},
                {"/etc", 01777, 0755}};
    const struct managed_places places = begin();
    char full[256];
    size_t count;

    put(CODEX, DENY);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        in_root(rows[i].path, full);
        CHECK(chmod(full, rows[i].mode) == 0);
        CHECK(read_all(&places, &count) == CORDON_E_DENIED);
        CHECK(chmod(full, rows[i].restore) == 0);
        CHECK(read_all(&places, &count) == CORDON_OK && count == 1);
    }
}

TEST(po05_a_file_of_somebody_else_is_refused)
{
    struct managed_places places = begin();
    size_t count;

    put(CODEX, DENY);
    places.owner++;
    CHECK(read_all(&places, &count) == CORDON_E_DENIED);
}

TEST(po06_what_is_no_regular_file_is_refused)
{
    const struct managed_places places = begin();
    char full[256];
    size_t count;

    in_root(CODEX, full);
    CHECK(symlink("/etc/codex/nowhere", full) == 0);
    CHECK(read_all(&places, &count) == CORDON_E_DENIED);
    CHECK(unlink(full) == 0 && mkdir(full, 0755) == 0);
    CHECK(read_all(&places, &count) == CORDON_E_DENIED);
    CHECK(rmdir(full) == 0 && mkfifo(full, 0600) == 0);
    CHECK(read_all(&places, &count) == CORDON_E_DENIED);
    CHECK(unlink(full) == 0 && symlink("requirements.toml", full) == 0);
    CHECK(read_all(&places, &count) == CORDON_E_DENIED);
}

TEST(links_are_followed_and_checked_all_the_way)
{
    const struct managed_places places = begin();
    char full[256];
    size_t count;

    in_root("/etc/real", full);
    CHECK(mkdir(full, 0755) == 0);
    put("/etc/real/policy", DENY);
    in_root(CODEX, full);
    CHECK(symlink("../real/policy", full) == 0);
    CHECK(read_all(&places, &count) == CORDON_OK && count == 1);
    CHECK(unlink(full) == 0 && symlink("/etc/real/policy", full) == 0);
    CHECK(read_all(&places, &count) == CORDON_OK && count == 1);
    in_root("/etc/real", full);
    CHECK(chmod(full, 0777) == 0);
    CHECK(read_all(&places, &count) == CORDON_E_DENIED);
}

TEST(a_file_over_its_size_is_refused)
{
    const struct managed_places places = begin();
    char full[256];
    size_t count;

    put(OWN, "");
    in_root(OWN, full);
    CHECK(truncate(full, (off_t)POLICY_FILE_MAX + 1) == 0);
    CHECK(read_all(&places, &count) == CORDON_E_LIMIT);
}

TEST(the_signature_changes_with_what_is_there)
{
    const struct managed_places places = begin();
    uint64_t seen[4];

    seen[0] = managed_signature(&places, NULL);
    put(OWN, "");
    seen[1] = managed_signature(&places, NULL);
    put("/etc/cordon/requirements.d/a.toml", "");
    seen[2] = managed_signature(&places, NULL);
    put("/etc/cordon/requirements.d/a.toml", " ");
    seen[3] = managed_signature(&places, NULL);
    CHECK(managed_signature(&places, NULL) == seen[3]);
    for (size_t i = 1; i < 4; i++) {
        CHECK(seen[i] != seen[i - 1]);
    }
}

TEST(what_has_just_changed_is_not_settled)
{
    const struct managed_places places = begin();
    bool settled = true;

    /* Unless the look came too late. */
    for (int tries = 0; settled && tries < 10; tries++) {
        put(OWN, "");
        (void)managed_signature(&places, &settled);
    }
    CHECK(!settled);
    (void)usleep(300000);
    (void)managed_signature(&places, &settled);
    CHECK(settled);
}

TEST(a_rewrite_in_place_that_leaves_size_and_times_is_seen)
{
    const struct managed_places places = begin();
    struct managed managed;
    unsigned unsettled = 0;
    char full[256];
    int fd;

    managed_init(&managed, &places, POLICY_OS_LINUX);
    put(OWN, DENY);
    in_root(OWN, full);
    fd = open(full, O_WRONLY);
    CHECK(fd >= 0);
    /* Within one tick of the file system's clock, on kernels whose clock ticks. */
    for (char letter = 'a'; letter <= 'z'; letter++) {
        bool settled = false;
        uint64_t next;

        CHECK(managed_refresh(&managed, false) != MANAGED_BROKEN);
        CHECK(pwrite(fd, &letter, 1, (off_t)strlen(DENY) - 4) == 1);
        CHECK(managed_refresh(&managed, false) == MANAGED_NEW);
        CHECK(managed.files.items[0].text[strlen(DENY) - 4] == letter);
        /* Unless the look came too late. */
        next = managed_signature(&places, &settled);
        CHECK(settled || managed.signature != next);
        unsettled += !settled;
    }
    CHECK(unsettled > 0);
    CHECK(close(fd) == 0);
    managed_deinit(&managed);
}

/* ---- links that are swapped as a whole, as a ConfigMap's are ---- */

#define D "/etc/cordon/requirements.d"

static bool try_link(const char *target, const char *path)
{
    char full[256];
    char fresh[300];

    in_root(path, full);
    (void)snprintf(fresh, sizeof(fresh), "%s.new", full);
    return symlink(target, fresh) == 0 && rename(fresh, full) == 0;
}

static void link_to(const char *target, const char *path)
{
    CHECK(try_link(target, path));
}

static void make_set(const char *name, const char *text)
{
    char path[128];
    char full[256];

    (void)snprintf(path, sizeof(path), D "/%s", name);
    in_root(path, full);
    CHECK(mkdir(full, 0755) == 0);
    for (char file = 'a'; file <= 'd'; file++) {
        (void)snprintf(path, sizeof(path), D "/%s/%c.toml", name, file);
        put(path, text);
    }
}

static void make_sets(void)
{
    make_set("..one", DENY "# one\n");
    make_set("..two", DENY "# two\n");
    link_to("..one", D "/..data");
    for (char file = 'a'; file <= 'd'; file++) {
        char target[64];
        char path[64];

        (void)snprintf(target, sizeof(target), "..data/%c.toml", file);
        (void)snprintf(path, sizeof(path), D "/%c.toml", file);
        link_to(target, path);
    }
}

TEST(a_swap_of_the_links_folder_is_one_new_generation)
{
    const struct managed_places places = begin();
    struct managed managed;
    char full[256];

    make_sets();
    managed_init(&managed, &places, POLICY_OS_LINUX);
    CHECK(managed_refresh(&managed, false) == MANAGED_NEW && managed.files.count == 4);
    CHECK(strstr(managed.files.items[3].text, "# one") != NULL);
    link_to("..two", D "/..data");
    CHECK(managed_refresh(&managed, false) == MANAGED_NEW && managed.generation == 2);
    CHECK(strstr(managed.files.items[0].text, "# two") != NULL);
    CHECK_STR(managed.files.items[0].path, D "/a.toml");
    /* The old set goes afterwards; and one that leads nowhere is a broken update. */
    link_to("..gone", D "/..data");
    CHECK(managed_refresh(&managed, false) == MANAGED_BROKEN && managed.generation == 2);
    CHECK(strstr(managed.fault.text, "leads nowhere") != NULL);
    link_to("..one", D "/..data");
    CHECK(managed_refresh(&managed, false) == MANAGED_NEW && managed.fault.err == CORDON_OK);
    /* A folder on the way that others may change is no way. */
    in_root(D "/..one", full);
    CHECK(chmod(full, 0777) == 0);
    CHECK(managed_refresh(&managed, true) == MANAGED_BROKEN && managed.generation == 3);
    managed_deinit(&managed);
}

TEST(no_generation_is_made_of_parts_of_two)
{
    const struct managed_places places = begin();
    struct managed managed;
    pid_t pid;

    make_sets();
    managed_init(&managed, &places, POLICY_OS_LINUX);
    pid = fork();
    CHECK(pid >= 0);
    for (unsigned i = 0; pid == 0; i++) {
        struct timespec pause = {0, (long)(i % 7) * 20000L};

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (!try_link(i % 2 == 0 ? "..two" : "..one", D "/..data")) {
            _exit(1);
        }
        (void)nanosleep(&pause, NULL);
    }
    for (int i = 0; i < 3000; i++) {
        (void)managed_refresh(&managed, true);
        for (size_t j = 1; j < managed.files.count; j++) {
            CHECK_STR(managed.files.items[j].text, managed.files.items[0].text);
        }
    }
    CHECK(managed.generation > 1);
    CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
    managed_deinit(&managed);
}

TEST(an_update_makes_a_generation_and_a_rewrite_of_the_same_does_not)
{
    const struct managed_places places = begin();
    struct managed managed;

    managed_init(&managed, &places, POLICY_OS_LINUX);
    CHECK(managed_refresh(&managed, false) == MANAGED_NEW && managed.generation == 1);
    CHECK(managed_refresh(&managed, true) == MANAGED_SAME);
    put(OWN, DENY);
    CHECK(managed_refresh(&managed, false) == MANAGED_NEW && managed.generation == 2);
    put(OWN, DENY);
    CHECK(managed_refresh(&managed, false) == MANAGED_SAME && managed.generation == 2);
    managed_deinit(&managed);
}

TEST(po01_a_broken_update_leaves_the_last_good_one)
{
    static const struct host_user user = {.home = "/home/a", .user = "a"};
    const struct managed_places places = begin();
    struct managed_rules rules;
    struct managed managed;

    memset(&rules, 0, sizeof(rules));
    put(OWN, DENY);
    managed_init(&managed, &places, POLICY_OS_LINUX);
    CHECK(managed_refresh(&managed, false) == MANAGED_NEW);
    put(OWN, "deny_read = [");
    CHECK(managed_refresh(&managed, false) == MANAGED_BROKEN);
    CHECK(managed.generation == 1 && managed.fault.err != CORDON_OK);
    CHECK(managed_rules_update(&managed, &user, &rules, NULL) == CORDON_OK);
    CHECK(rules.policy->managed.count == 1);
    put(OWN, DENY);
    CHECK(managed_refresh(&managed, false) == MANAGED_SAME && managed.fault.err == CORDON_OK);
    managed_rules_deinit(&rules);
    managed_deinit(&managed);
}

TEST(po01_with_no_good_one_every_job_is_refused)
{
    static const struct host_user user = {.home = "/home/a", .user = "a"};
    const struct managed_places places = begin();
    struct cordon_fault fault = {.err = CORDON_OK};
    struct managed_rules rules;
    struct managed managed;

    memset(&rules, 0, sizeof(rules));
    put(OWN, "deny_read = [");
    managed_init(&managed, &places, POLICY_OS_LINUX);
    CHECK(managed_refresh(&managed, false) == MANAGED_BROKEN);
    CHECK(managed_rules_update(&managed, &user, &rules, &fault) == CORDON_E_STATE);
    CHECK(strstr(fault.text, OWN ":1:") != NULL);
    managed_rules_deinit(&rules);
    managed_deinit(&managed);
    (void)nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TEST_MAIN()

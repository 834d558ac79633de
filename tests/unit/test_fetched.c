/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's side of fetched requirements, in a root of its own below /tmp. */
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "broker/managed.h"
#include "tests/support/check.h"

#define DENY(path) "[permissions.filesystem]\ndeny_read = [\"" path "\"]\n"
#define SPOOL FETCHED_ROOT "/" FETCHED_SPOOL
#define NEWEST SPOOL "/" FETCHED_NEWEST
#define CONFIRMED SPOOL "/" FETCHED_CONFIRMED
#define KEPT FETCHED_ROOT "/" FETCHED_KEPT

static char root[64];
static struct managed managed;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

static const char *in_root(const char *path)
{
    static char full[256];

    (void)snprintf(full, sizeof(full), "%s%s", root, path);
    return full;
}

static void put_bytes(const char *path, const char *bytes, size_t len)
{
    int fd;

    (void)unlink(in_root(path));
    fd = open(in_root(path), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
    CHECK(close(fd) == 0);
}

static void put(const char *path, const char *text)
{
    put_bytes(path, text, strlen(text));
}

static void move(const char *from, const char *to)
{
    char full[256];

    (void)snprintf(full, sizeof(full), "%s%s", root, from);
    CHECK(rename(full, in_root(to)) == 0);
}

static struct signature_seed seed_of(unsigned char number)
{
    struct signature_seed seed;

    memset(seed.bytes, number, sizeof(seed.bytes));
    return seed;
}

static void confirm(int64_t seconds_ago)
{
    const struct timespec times[2] = {{.tv_sec = time(NULL) - seconds_ago},
                                      {.tv_sec = time(NULL) - seconds_ago}};

    put(CONFIRMED, "");
    CHECK(utimensat(AT_FDCWD, in_root(CONFIRMED), times, 0) == 0);
}

/* Signs with key @number and leaves it in the spool, confirmed just now. */
static void fetch_ending(unsigned char number, uint64_t generation, const char *text, uint64_t end)
{
    const struct signature_seed seed = seed_of(number);
    const struct envelope in = {
        .generation = generation, .not_after = end, .text = text, .len = strlen(text)};
    struct strbuf out = STRBUF_INIT;

    CHECK(envelope_sign(&in, &seed, &out, NULL) == CORDON_OK);
    put_bytes(NEWEST, out.data, out.len);
    strbuf_deinit(&out);
    confirm(0);
}

static void fetch(uint64_t generation, const char *text)
{
    fetch_ending(1, generation, text, 0);
}

static void configure(unsigned char number, const char *more)
{
    const struct signature_seed seed = seed_of(number);
    struct strbuf text = STRBUF_INIT;
    struct signature_key key;
    char hex[2 * SIGNATURE_KEY + 1];

    signature_public(&seed, &key);
    signature_to_hex(key.bytes, sizeof(key.bytes), hex);
    strbuf_printf(&text, "url = \"https://policy.example.com/r\"\npublic_keys = [\"%s\"]\n%s", hex,
                  more);
    put(FETCHED_CONFIG, strbuf_text(&text));
    strbuf_deinit(&text);
}

static void start(bool keeps)
{
    const struct managed_places places = {root, geteuid()};

    managed_deinit(&managed);
    managed_init(&managed, &places, POLICY_OS_LINUX);
    managed.keeps = keeps;
    (void)managed_refresh(&managed, true);
}

static void begin(const char *more)
{
    static const char *const folders[] = {"/etc",     "/etc/cordon", "/var",
                                          "/var/lib", FETCHED_ROOT,  SPOOL};

    if (root[0] != '\0') {
        (void)nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    }
    (void)snprintf(root, sizeof(root), "/tmp/cordon-test-XXXXXX");
    CHECK(mkdtemp(root) != NULL);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        CHECK(mkdir(in_root(folders[i]), 0755) == 0);
    }
    if (more != NULL) {
        configure(1, more);
    }
    start(true);
}

/* Whether what is in force denies @path, for anybody. */
static bool denies(const char *path)
{
    static const struct host_user anybody = {.home = "/nonexistent", .user = "nobody"};
    struct managed_rules rules;
    bool found = false;

    memset(&rules, 0, sizeof(rules));
    if (managed_rules_update(&managed, &anybody, &rules, NULL) == CORDON_OK) {
        for (size_t i = 0; i < rules.policy->managed.count; i++) {
            found = found || strcmp(rules.policy->managed.rules[i].pattern, path) == 0;
        }
    }
    managed_rules_deinit(&rules);
    return found;
}

static bool alarm_has(const char *text)
{
    if (strstr(managed.alarm.text, text) == NULL) {
        (void)fprintf(stderr, "  alarm: %s\n", managed.alarm.text);
        return false;
    }
    return true;
}

static bool is_calm(void)
{
    return managed.alarm.err == CORDON_OK && managed_refusal(&managed) == NULL;
}

TEST(without_fetch_toml_nothing_is_fetched_and_nothing_refused)
{
    begin(NULL);
    fetch(1, DENY("/srv/a"));
    CHECK(managed_refresh(&managed, false) != MANAGED_BROKEN);
    CHECK(is_calm() && !denies("/srv/a"));
}

TEST(before_the_first_document_every_job_is_refused_unless_configured_otherwise)
{
    begin("");
    CHECK(managed_refusal(&managed) != NULL);
    CHECK(strstr(managed_refusal(&managed)->text, "no verified document") != NULL);
    CHECK(strstr(managed_refusal(&managed)->remedy, "cordon-fetch") != NULL);
    configure(1, "before_first = \"allow\"\n");
    CHECK(managed_refresh(&managed, false) == MANAGED_NEW && is_calm());
}

TEST(a_verified_document_is_in_force_at_the_next_look_and_is_kept)
{
    begin("");
    fetch(7, DENY("/srv/a"));
    CHECK(managed_refresh(&managed, false) == MANAGED_NEW);
    CHECK(is_calm() && denies("/srv/a"));
    CHECK_STR(managed.files.items[managed.files.count - 1].path,
              "fetch:https://policy.example.com/r#7");
    CHECK(access(in_root(KEPT), R_OK) == 0);
    CHECK(managed_refresh(&managed, false) == MANAGED_SAME);
    fetch(8, DENY("/srv/b"));
    CHECK(managed_refresh(&managed, false) == MANAGED_NEW && denies("/srv/b"));
    /* A restart, and a spool that somebody emptied. */
    CHECK(unlink(in_root(NEWEST)) == 0);
    start(true);
    CHECK(denies("/srv/b") && managed_refusal(&managed) == NULL &&
          alarm_has("nothing was fetched"));
}

TEST(files_of_this_host_and_fetched_ones_add_up)
{
    begin("");
    fetch(1, DENY("/srv/a"));
    put("/etc/cordon/requirements.toml", DENY("/srv/own"));
    CHECK(managed_refresh(&managed, false) == MANAGED_NEW);
    CHECK(denies("/srv/a") && denies("/srv/own"));
}

TEST(an_older_generation_is_refused_with_an_alarm_also_after_a_restart)
{
    begin("");
    fetch(5, DENY("/srv/a"));
    (void)managed_refresh(&managed, false);
    fetch(4, DENY("/srv/old"));
    CHECK(managed_refresh(&managed, false) == MANAGED_SAME);
    CHECK(denies("/srv/a") && alarm_has("generation 4 is older than 5"));
    start(true);
    CHECK(denies("/srv/a") && !denies("/srv/old") && alarm_has("older"));
    fetch(5, DENY("/srv/other"));
    (void)managed_refresh(&managed, false);
    CHECK(denies("/srv/a") && alarm_has("was something else"));
}

TEST(a_signature_that_does_not_fit_leaves_the_last_good_one)
{
    begin("");
    fetch(1, DENY("/srv/a"));
    (void)managed_refresh(&managed, false);
    fetch_ending(2, 2, DENY("/srv/b"), 0);
    CHECK(managed_refresh(&managed, false) == MANAGED_SAME);
    CHECK(denies("/srv/a") && alarm_has("none of ours"));
    put(NEWEST, "signature ");
    (void)managed_refresh(&managed, false);
    CHECK(denies("/srv/a") && alarm_has("malformed"));
    fetch(3, DENY("/srv/c"));
    CHECK(managed_refresh(&managed, false) == MANAGED_NEW && is_calm() && denies("/srv/c"));
}

TEST(a_document_that_does_not_load_leaves_the_last_good_one_and_the_files_of_this_host)
{
    begin("");
    fetch(1, DENY("/srv/a"));
    (void)managed_refresh(&managed, false);
    fetch(2, "[permissions.filesystem]\ndeny_raed = []\n");
    put("/etc/cordon/requirements.toml", DENY("/srv/own"));
    CHECK(managed_refresh(&managed, false) == MANAGED_NEW);
    CHECK(denies("/srv/a") && denies("/srv/own"));
    CHECK(alarm_has("fetch:https://policy.example.com/r#2:2:1"));
    fetch(1, DENY("/srv/a"));
    (void)managed_refresh(&managed, false);
    CHECK(is_calm());
}

TEST(only_a_bounded_regular_file_of_the_spool_is_read)
{
    static char big[ENVELOPE_MAX + 1];

    begin("");
    fetch(1, DENY("/srv/a"));
    (void)managed_refresh(&managed, false);
    CHECK(unlink(in_root(NEWEST)) == 0 && symlink("/etc/passwd", in_root(NEWEST)) == 0);
    (void)managed_refresh(&managed, false);
    CHECK(denies("/srv/a") && alarm_has("not a regular file"));
    CHECK(unlink(in_root(NEWEST)) == 0 && mkfifo(in_root(NEWEST), 0644) == 0);
    (void)managed_refresh(&managed, false);
    CHECK(denies("/srv/a") && alarm_has("not a regular file"));
    put_bytes(NEWEST, big, sizeof(big));
    (void)managed_refresh(&managed, false);
    CHECK(denies("/srv/a") && alarm_has("larger than"));
}

TEST(a_spool_that_is_a_link_is_not_followed)
{
    begin("");
    fetch(1, DENY("/srv/a"));
    (void)managed_refresh(&managed, false);
    fetch(2, DENY("/srv/b"));
    CHECK(mkdir(in_root("/elsewhere"), 0755) == 0);
    move(SPOOL "/" FETCHED_NEWEST, "/elsewhere/" FETCHED_NEWEST);
    move(CONFIRMED, "/elsewhere/" FETCHED_CONFIRMED);
    CHECK(rmdir(in_root(SPOOL)) == 0 && symlink("../../../elsewhere", in_root(SPOOL)) == 0);
    (void)managed_refresh(&managed, false);
    CHECK(denies("/srv/a") && !denies("/srv/b") && alarm_has("cannot be opened"));
}

TEST(an_unconfirmed_document_alarms_and_refuses_where_configured)
{
    uint64_t generation;

    begin("max_age_s = 100\n");
    fetch(1, DENY("/srv/a"));
    (void)managed_refresh(&managed, false);
    CHECK(is_calm());
    confirm(200);
    CHECK(managed_refresh(&managed, false) == MANAGED_SAME);
    CHECK(alarm_has("not confirmed for more than 100 s") && managed_refusal(&managed) == NULL);
    CHECK(managed_is_warning(&managed));
    configure(1, "max_age_s = 100\nwhen_stale = \"refuse\"\n");
    generation = managed.generation;
    CHECK(managed_refresh(&managed, false) == MANAGED_NEW && managed.generation > generation);
    CHECK(managed_refusal(&managed) != NULL && !denies("/srv/a"));
    CHECK(!managed_is_warning(&managed));
    confirm(0);
    generation = managed.generation;
    CHECK(managed_refresh(&managed, false) == MANAGED_NEW && managed.generation > generation);
    CHECK(is_calm() && denies("/srv/a") && !managed_is_warning(&managed));
    CHECK(unlink(in_root(CONFIRMED)) == 0);
    (void)managed_refresh(&managed, false);
    CHECK(managed_refusal(&managed) != NULL);
}

TEST(a_warning_is_none_where_something_else_is_wrong_too)
{
    begin("max_age_s = 100\n");
    fetch(2, DENY("/srv/a"));
    confirm(200);
    (void)managed_refresh(&managed, false);
    CHECK(managed_is_warning(&managed));
    put("/etc/cordon/requirements.toml", "deny_read = [");
    CHECK(managed_refresh(&managed, false) == MANAGED_BROKEN && !managed_is_warning(&managed));
    CHECK(unlink(in_root("/etc/cordon/requirements.toml")) == 0);
    (void)managed_refresh(&managed, false);
    CHECK(managed_is_warning(&managed));
    put(NEWEST, "signature ");
    (void)managed_refresh(&managed, false);
    CHECK(alarm_has("malformed") && !managed_is_warning(&managed));
}

TEST(a_document_past_its_end_is_too_old_however_often_it_is_confirmed)
{
    begin("when_stale = \"refuse\"\n");
    fetch_ending(1, 1, DENY("/srv/a"), (uint64_t)time(NULL) + 1000);
    (void)managed_refresh(&managed, false);
    CHECK(is_calm());
    fetch_ending(1, 2, DENY("/srv/a"), (uint64_t)time(NULL) - 1);
    (void)managed_refresh(&managed, false);
    CHECK(managed_refusal(&managed) != NULL);
    CHECK(strstr(managed_refusal(&managed)->text, "has ended") != NULL);
}

TEST(a_key_that_is_taken_away_takes_its_document_with_it_but_not_the_generation)
{
    begin("");
    fetch(9, DENY("/srv/a"));
    (void)managed_refresh(&managed, false);
    configure(2, "");
    (void)managed_refresh(&managed, false);
    CHECK(managed_refusal(&managed) != NULL && !denies("/srv/a"));
    fetch_ending(2, 8, DENY("/srv/b"), 0);
    (void)managed_refresh(&managed, false);
    CHECK(managed_refusal(&managed) != NULL && !denies("/srv/b"));
    fetch_ending(2, 10, DENY("/srv/b"), 0);
    (void)managed_refresh(&managed, false);
    CHECK(is_calm() && denies("/srv/b"));
}

TEST(what_cannot_be_kept_is_not_in_force)
{
    begin("");
    fetch(1, DENY("/srv/a"));
    (void)managed_refresh(&managed, false);
    CHECK(mkdir(in_root(FETCHED_ROOT "/." FETCHED_KEPT), 0755) == 0);
    fetch(2, DENY("/srv/b"));
    (void)managed_refresh(&managed, false);
    CHECK(denies("/srv/a") && !denies("/srv/b") && alarm_has("cannot be written"));
    CHECK(rmdir(in_root(FETCHED_ROOT "/." FETCHED_KEPT)) == 0);
    (void)managed_refresh(&managed, false);
    CHECK(is_calm() && denies("/srv/b"));
}

TEST(an_embedded_broker_keeps_nothing_and_honours_what_was_kept)
{
    begin("");
    fetch(5, DENY("/srv/a"));
    start(false);
    CHECK(is_calm() && denies("/srv/a") && access(in_root(KEPT), F_OK) != 0);
    start(true);
    fetch(4, DENY("/srv/b"));
    start(false);
    CHECK(denies("/srv/a") && alarm_has("older"));
}

TEST(a_configuration_or_kept_document_that_others_may_write_is_not_believed)
{
    begin("");
    fetch(1, DENY("/srv/a"));
    (void)managed_refresh(&managed, false);
    CHECK(chmod(in_root(FETCHED_CONFIG), 0666) == 0);
    CHECK(managed_refresh(&managed, false) == MANAGED_BROKEN && denies("/srv/a"));
    CHECK(strstr(managed.fault.text, FETCHED_CONFIG) != NULL);
    CHECK(chmod(in_root(FETCHED_CONFIG), 0644) == 0 && chmod(in_root(KEPT), 0666) == 0);
    start(true);
    CHECK(managed_refusal(&managed) != NULL);
    CHECK(strstr(managed_refusal(&managed)->text, KEPT) != NULL);
    CHECK(chmod(in_root(KEPT), 0644) == 0);
}

TEST(the_alarm_of_the_spool_is_one_bounded_line)
{
    const struct managed_places places = {root, geteuid()};
    char text[32];

    begin("");
    fetched_alarm(&places, text, sizeof(text));
    CHECK_STR(text, "");
    put(SPOOL "/" FETCHED_ALARM, "the network is down\nand more\n");
    fetched_alarm(&places, text, sizeof(text));
    CHECK_STR(text, "the network is down");
    managed_deinit(&managed);
    (void)nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TEST_MAIN()

/* SPDX-License-Identifier: Apache-2.0 */
/* What is looked up stays what it was found to be, or the witness says that it may not. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fscrypt.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/witness.h"
#include "tests/support/top.h"

/* A tree of its own, in memory:
 * top/a/b/file, top/link -> a/b, top/far -> link/../../away, top/away/end/ */
static void tree_make(void)
{
    top_make("witness");
    CHECK(mkdir(in_top("a"), 0755) == 0 && mkdir(in_top("a/b"), 0755) == 0);
    CHECK(mkdir(in_top("away"), 0755) == 0 && mkdir(in_top("away/end"), 0755) == 0);
    CHECK(symlink("a/b", in_top("link")) == 0);
    CHECK(symlink("link/../../away", in_top("far")) == 0);
    file_make(in_top("a/b/file"));
}

static struct witness *of(const char *name)
{
    struct witness *witness = witness_new();

    CHECK(witness != NULL);
    witness_name(witness, in_top(name));
    CHECK(witness_holds(witness));
    return witness;
}

enum change {
    MAKE,
    MAKE_DIRECTORY,
    REMOVE,
    REMOVE_DIRECTORY,
    TURN, /* a link to `other` */
    MOVE,
    MODE,
    WRITE
};

static void change_do(enum change change, const char *name, const char *other)
{
    int fd;

    switch (change) {
    case MAKE:
        file_make(in_top(name));
        return;
    case MAKE_DIRECTORY:
        CHECK(mkdir(in_top(name), 0755) == 0);
        return;
    case REMOVE:
        CHECK(unlink(in_top(name)) == 0);
        return;
    case REMOVE_DIRECTORY:
        CHECK(rmdir(in_top(name)) == 0);
        return;
    case TURN:
        CHECK(symlink(other, in_top("new")) == 0 && rename(in_top("new"), in_top(name)) == 0);
        return;
    case MOVE:
        CHECK(rename(in_top(name), in_top(other)) == 0);
        return;
    case MODE:
        CHECK(chmod(in_top(name), 0700) == 0);
        return;
    case WRITE:
        fd = open(in_top(name), O_WRONLY);
        CHECK(fd >= 0 && write(fd, "x", 1) == 1);
        (void)close(fd);
        return;
    }
}

static const struct {
    const char *seen;
    enum change change;
    const char *name, *other;
    bool holds;
} cases[] = {
    {"a/b/file", REMOVE, "a/b/file", NULL, false},
    {"a/b/file", MOVE, "a/b/file", "a/b/moved", false},
    {"a/b/file", MOVE, "a", "c", false},
    {"a/b/file", MOVE, "a/b", "a/c", false},
    {"a/b/file", MODE, "a", NULL, false},
    {"a/b/file", MAKE, "a/b/other", NULL, true},
    {"a/b/file", MAKE, "other", NULL, true},
    {"a/b/file", WRITE, "a/b/file", NULL, true},
    {"a/b/file", MOVE, "away", "gone", true},
    {"a/b/none", MAKE, "a/b/none", NULL, false},
    {"a/b/none", MAKE_DIRECTORY, "a/b/none", NULL, false},
    {"a/b/none", MAKE, "a/b/nones", NULL, true},
    /* Another name for most file systems, the same for some. */
    {"a/b/none", MAKE, "a/b/NonE", NULL, false},
    {"a/b/none", MAKE, "a/b/n\303\266ne", NULL, false},
    {"a/b/stra\303\237e", MAKE, "a/b/strasse", NULL, false},
    {"a/b/none", MAKE, "away/n\303\266ne", NULL, true},
    {"a/none/deep/er", MAKE_DIRECTORY, "a/none", NULL, false},
    {"a/none/deep/er", MAKE_DIRECTORY, "a/deep", NULL, true},
    {"a/b/file/below", REMOVE, "a/b/file", NULL, false},
    {"link", TURN, "link", "away", false},
    {"link/file", REMOVE, "a/b/file", NULL, false},
    {"link/file", TURN, "link", "away", false},
    {"link/file", MOVE, "a/b", "a/c", false},
    {"link/file", MOVE, "away", "gone", true},
    {"far/end/x", MAKE, "away/end/x", NULL, false},
    {"far/end/x", TURN, "link", "away/end", false},
    {"far/end/x", MOVE, "away/end", "away/over", false},
    {"far/end/x", TURN, "far", "a", false},
    {"far/end/x", MAKE, "a/b/x", NULL, true},
    {"away/end", REMOVE_DIRECTORY, "away/end", NULL, false},
};

/* Before anything asks for the table of mounts: what is mounted here shows to nobody else. */
TEST(on_mounts_of_our_own)
{
    CHECK(geteuid() != 0 ||
          (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0));
}

TEST(what_leads_to_a_name_is_watched_and_nothing_else)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct witness *witness;

        tree_make();
        witness = of(cases[i].seen);
        change_do(cases[i].change, cases[i].name, cases[i].other);
        if (witness_holds(witness) != cases[i].holds) {
            (void)fprintf(stderr, "case %zu: %s\n", i, cases[i].seen);
            CHECK(false);
        }
        /* Once it does not hold it never will. */
        CHECK(witness_holds(witness) == cases[i].holds);
        witness_free(witness);
        top_remove();
    }
}

TEST(names_that_begin_alike_are_each_watched)
{
    static const char *const names[] = {"a/b/file",   "a/b/none",  "a/c",
                                        "a/none/x",   "a/none/y",  "away/end/x",
                                        "link/none2", "a/b/none3", "far/end/z"};
    static const char *const made[] = {"a/b/none",  "a/c",       "a/none",    "away/end/x",
                                       "a/b/none2", "a/b/none3", "away/end/z"};

    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        struct witness *witness = witness_new();

        tree_make();
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
            witness_name(witness, in_top(names[k]));
        }
        CHECK(witness_holds(witness));
        file_make(in_top("a/b/nobody"));
        CHECK(witness_holds(witness));
        file_make(in_top(made[i]));
        CHECK(!witness_holds(witness));
        witness_free(witness);
        top_remove();
    }
}

TEST(one_that_goes_takes_no_other_s_watches)
{
    struct witness *one;
    struct witness *other;

    tree_make();
    one = of("a/b/none");
    other = of("a/b/none");
    witness_free(one);
    CHECK(witness_holds(other));
    file_make(in_top("a/b/none"));
    CHECK(!witness_holds(other));
    witness_free(other);
    /* All watches are gone with the last one; a new one begins with what is there. */
    one = of("a/b/none");
    CHECK(witness_holds(one));
    witness_free(one);
    top_remove();
}

TEST(links_that_go_round_and_paths_that_are_none_are_not_believed)
{
    struct witness *witness = witness_new();
    char longer[5000];

    tree_make();
    CHECK(symlink("round", in_top("round")) == 0);
    witness_name(witness, in_top("round/x"));
    CHECK(!witness_holds(witness));
    witness_free(witness);
    memset(longer, 'x', sizeof(longer));
    longer[0] = '/';
    longer[sizeof(longer) - 1] = '\0';
    witness = witness_new();
    witness_name(witness, longer);
    CHECK(!witness_holds(witness));
    witness_free(witness);
    witness = witness_new();
    witness_name(witness, "relative");
    CHECK(!witness_holds(witness));
    witness_free(witness);
    top_remove();
}

TEST(a_file_system_that_does_not_tell_is_not_believed)
{
    struct witness *witness = witness_new();

    witness_name(witness, "/proc/self/status");
    CHECK(!witness_holds(witness));
    witness_free(witness);
    /* The place where it lies tells of it, though. */
    witness = witness_new();
    witness_name(witness, "/proc");
    CHECK(witness_holds(witness));
    witness_free(witness);
}

TEST(a_file_system_whose_layers_may_change_is_not_believed)
{
    struct witness *witness;
    char layers[512];

    if (geteuid() != 0) {
        return;
    }
    tree_make();
    CHECK(mkdir(in_top("upper"), 0755) == 0 && mkdir(in_top("work"), 0755) == 0);
    (void)snprintf(layers, sizeof(layers), "lowerdir=%s,upperdir=%s,workdir=%s", in_top("a"),
                   in_top("upper"), in_top("work"));
    CHECK(mount("cordon-test", in_top("away"), "overlay", 0, layers) == 0);
    witness = witness_new();
    witness_name(witness, in_top("away/none"));
    CHECK(!witness_holds(witness));
    witness_free(witness);
    CHECK(umount(in_top("away")) == 0);
    top_remove();
}

/* An empty directory there whose names are encrypted. False: this host has no such thing. */
static bool encrypt(const char *path)
{
    static _Alignas(struct fscrypt_add_key_arg) char
        bytes[sizeof(struct fscrypt_add_key_arg) + FSCRYPT_MAX_KEY_SIZE];
    struct fscrypt_add_key_arg *key = (void *)bytes;
    struct fscrypt_policy_v2 policy = {.version = FSCRYPT_POLICY_V2,
                                       .contents_encryption_mode = FSCRYPT_MODE_AES_256_XTS,
                                       .filenames_encryption_mode = FSCRYPT_MODE_AES_256_CTS};
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool done;

    memset(bytes, 0, sizeof(bytes));
    memset(key + 1, 7, FSCRYPT_MAX_KEY_SIZE);
    key->key_spec.type = FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER;
    key->raw_size = FSCRYPT_MAX_KEY_SIZE;
    done = fd >= 0 && ioctl(fd, FS_IOC_ADD_ENCRYPTION_KEY, bytes) == 0;
    memcpy(policy.master_key_identifier, key->key_spec.u.identifier,
           sizeof(policy.master_key_identifier));
    done = done && ioctl(fd, FS_IOC_SET_ENCRYPTION_POLICY, &policy) == 0;
    (void)close(fd);
    return done;
}

/* Without the key they are other names; with a watch on it the key could not be taken away. */
TEST(a_directory_with_encrypted_names_is_not_believed)
{
    struct witness *witness;
    char command[512];

    if (geteuid() != 0) {
        return;
    }
    tree_make();
    (void)snprintf(
        command, sizeof(command),
        "PATH=$PATH:/sbin:/usr/sbin; truncate -s 16M %s && mkfs.ext4 -q -O encrypt %s && "
        "mount -o loop %s %s && mkdir %s/inner %s/plain",
        in_top("image"), in_top("image"), in_top("image"), in_top("away"), in_top("away"),
        in_top("away"));
    if (system(command) == 0 && encrypt(in_top("away/inner"))) { /* NOLINT: names of ours */
        witness_free(of("away/plain/none"));
        witness = witness_new();
        witness_name(witness, in_top("away/inner/none"));
        CHECK(!witness_holds(witness));
        witness_free(witness);
    } else {
        (void)fprintf(stderr, "no encrypted directory can be made here\n");
    }
    (void)umount(in_top("away"));
    top_remove();
}

/* What is opened again must not be where nobody may answer. */
TEST(an_object_on_a_file_system_that_does_not_tell_is_not_believed)
{
    const int told = open("/dev/shm", O_PATH | O_CLOEXEC);
    const int untold = open("/proc", O_PATH | O_CLOEXEC);
    struct witness *witness = witness_new();

    CHECK(told >= 0 && untold >= 0);
    witness_object(witness, told);
    CHECK(witness_holds(witness));
    witness_object(witness, untold);
    CHECK(!witness_holds(witness));
    witness_free(witness);
    (void)close(told);
    (void)close(untold);
}

/* They are the user's, who has other use for them. */
TEST(no_more_watches_are_taken_than_a_user_can_spare)
{
    struct witness *witness;
    char name[64];
    unsigned most;

    tree_make();
    for (most = 0; most < 9000; most++) {
        (void)snprintf(name, sizeof(name), "away/%u", most);
        CHECK(mkdir(in_top(name), 0755) == 0);
    }
    witness = of("a/b/none");
    for (most = 0; most < 9000 && witness_holds(witness); most++) {
        (void)snprintf(name, sizeof(name), "away/%u/none", most);
        witness_name(witness, in_top(name));
    }
    top_remove();
    witness_free(witness);
    CHECK(most > 1000 && most < 4096);
    /* All came back. */
    tree_make();
    witness_free(of("a/b/none"));
    top_remove();
}

TEST(more_events_than_fit_are_a_change)
{
    struct witness *witness;
    FILE *limit = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
    unsigned most = 0;

    CHECK(limit != NULL && fscanf(limit, "%u", &most) == 1);
    (void)fclose(limit);
    tree_make();
    witness = of("a/b/none");
    /* Equal events in a row are one. */
    for (unsigned i = 0; i < most + 2; i++) {
        change_do(i % 2 == 0 ? MAKE : REMOVE, "a/b/other", NULL);
    }
    CHECK(!witness_holds(witness));
    witness_free(witness);
    top_remove();
}

/* A mount may lie over any of the names, and takes no event. */
TEST(a_mount_is_a_change)
{
    struct witness *witness;

    if (geteuid() != 0) {
        return; /* the gate runs these as root */
    }
    tree_make();
    witness = of("a/b/none");
    CHECK(mount("cordon-test", in_top("away"), "tmpfs", 0, NULL) == 0);
    CHECK(!witness_holds(witness));
    witness_free(witness);
    CHECK(umount(in_top("away")) == 0);
    top_remove();
}

static void as_nobody(void)
{
    struct witness *witness = witness_new();
    const bool none = witness != NULL;

    CHECK(setgid(65534) == 0 && setuid(65534) == 0 && none);
    /* May not be searched: told of when that changes. */
    witness_name(witness, in_top("shut/x/y"));
    CHECK(witness_holds(witness));
    witness_free(witness);
    /* May be searched and not read, so not watched either. */
    witness = witness_new();
    witness_name(witness, in_top("half/x"));
    CHECK(!witness_holds(witness));
    witness_free(witness);
    _exit(0);
}

TEST(directories_that_may_not_be_read)
{
    struct witness *witness;
    int status = 1;
    pid_t pid;

    if (geteuid() != 0) {
        return;
    }
    tree_make();
    CHECK(chmod(top, 0755) == 0 && mkdir(in_top("shut"), 0700) == 0 &&
          mkdir(in_top("half"), 0711) == 0);
    pid = fork();
    if (pid == 0) {
        as_nobody();
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
    /* For whoever may search it, that it is shut to others is a change as well. */
    witness = of("shut/x");
    CHECK(chmod(in_top("shut"), 0755) == 0);
    CHECK(!witness_holds(witness));
    witness_free(witness);
    top_remove();
}

TEST_MAIN()

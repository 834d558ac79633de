/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "platform/linux/index/store.h"
#include "platform/linux/index/wire.h"
#include "tests/support/check.h"

static struct object object_named(const char *text)
{
    struct object object = {.len = (uint32_t)strlen(text), .type = 1};

    memcpy(object.bytes, text, object.len);
    return object;
}

static struct directory *directory_add(struct store *store, struct directory *parent,
                                       const char *name)
{
    struct object key = object_named(name);
    struct directory *directory = store_directory_put(store, &key, parent, name);

    CHECK(directory != NULL);
    return directory;
}

static struct file *name_add(struct store *store, struct directory *directory, const char *name,
                             const char *of)
{
    struct object key = object_named(of);
    struct file *file = store_name_put(store, directory, name, &key);

    CHECK(file != NULL);
    return file;
}

static const char *path_of(const struct store *store, const struct directory *directory,
                           const char *name)
{
    static struct strbuf path = STRBUF_INIT;

    CHECK(store_path(store_name(store, directory, name), &path));
    return path.data;
}

TEST(a_name_follows_its_directories)
{
    struct store store = {.changes = 0};
    struct directory *top = directory_add(&store, NULL, "/");
    struct directory *a = directory_add(&store, top, "a");
    struct directory *b = directory_add(&store, a, "b");
    struct object key = object_named("b");

    (void)name_add(&store, b, "x", "1");
    CHECK(strcmp(path_of(&store, b, "x"), "/a/b/x") == 0);
    CHECK(store_directory_put(&store, &key, top, "c") == b);
    CHECK(strcmp(path_of(&store, b, "x"), "/c/x") == 0);
    store_clear(&store);
}

TEST(a_name_below_a_part_of_a_file_system_begins_with_it)
{
    struct store store = {.changes = 0};
    struct directory *top = directory_add(&store, NULL, "/sub/volume");

    (void)name_add(&store, top, "x", "1");
    CHECK(strcmp(path_of(&store, top, "x"), "/sub/volume/x") == 0);
    store_clear(&store);
}

TEST(a_name_is_one_files_alone)
{
    struct store store = {.changes = 0};
    struct directory *top = directory_add(&store, NULL, "/");
    struct object one = object_named("1");

    (void)name_add(&store, top, "x", "1");
    (void)name_add(&store, top, "y", "1");
    CHECK(store_file(&store, &one)->count == 2);
    (void)name_add(&store, top, "x", "2");
    CHECK(store_file(&store, &one)->count == 1);
    (void)name_add(&store, top, "y", "2");
    CHECK(store_file(&store, &one) == NULL);
    CHECK(store.unsure == 1);
    store_clear(&store);
}

TEST(looking_at_a_name_again_changes_nothing)
{
    struct store store = {.changes = 0};
    struct directory *top = directory_add(&store, NULL, "/");
    struct file *file = name_add(&store, top, "x", "1");
    uint64_t changes = store.changes;

    file->touched = false;
    CHECK(name_add(&store, top, "x", "1") == file);
    CHECK(file->count == 1 && file->touched && store.changes == changes);
    store_clear(&store);
}

TEST(directories_go_with_the_last_name_below_them)
{
    struct store store = {.changes = 0};
    struct directory *top = directory_add(&store, NULL, "/");
    struct directory *a = directory_add(&store, top, "a");
    struct directory *b = directory_add(&store, a, "b");
    struct object key = object_named("a");

    top->refs++;
    (void)name_add(&store, b, "x", "1");
    store_name_drop(&store, store_name(&store, b, "x"));
    CHECK(store_directory(&store, &key) == NULL);
    CHECK(store.directories.count == 1);
    store_clear(&store);
}

TEST(directories_that_lie_in_each_other_have_no_path)
{
    struct store store = {.changes = 0};
    struct directory *a = directory_add(&store, NULL, "/");
    struct directory *b = directory_add(&store, a, "b");
    struct object key = object_named("/");
    struct strbuf path = STRBUF_INIT;

    (void)name_add(&store, b, "x", "1");
    CHECK(store_directory_put(&store, &key, b, "a") == a);
    CHECK(!store_path(store_name(&store, b, "x"), &path));
    strbuf_deinit(&path);
    store_clear(&store);
}

TEST(many_names_are_found_again)
{
    struct store store = {.changes = 0};
    struct directory *top = directory_add(&store, NULL, "/");
    char name[16];

    for (int i = 0; i < 5000; i++) {
        (void)snprintf(name, sizeof(name), "n%d", i);
        (void)name_add(&store, top, name, i % 2 == 0 ? name : "odd");
    }
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(name, sizeof(name), "n%d", i);
        CHECK(store_name(&store, top, name) != NULL);
    }
    CHECK(store.files.count == 2501);
    store_clear(&store);
}

/* Two files with two names each, one with one. */
static void block_make(struct strbuf *out)
{
    struct store store = {.changes = 0};
    struct directory *top = directory_add(&store, NULL, "/");

    (void)name_add(&store, top, "a", "1");
    (void)name_add(&store, top, "b", "1");
    (void)name_add(&store, top, "c", "2");
    (void)name_add(&store, top, "d", "2");
    (void)name_add(&store, top, "e", "3");
    CHECK(store_write(&store, out));
    store_clear(&store);
}

TEST(the_answer_holds_files_with_several_names_alone)
{
    struct strbuf block = STRBUF_INIT;
    struct index_cursor cursor;
    struct index_entry entry;
    unsigned objects = 0;

    block_make(&block);
    CHECK(index_open(block.data, block.len, &cursor));
    while (index_next(&cursor, &entry)) {
        CHECK(entry.name_count == 2);
        CHECK(entry.object.len == 1 && entry.object.bytes[0] != '3');
        CHECK(entry.names[0] == '/' && entry.names[3] == '/');
        objects++;
    }
    CHECK(objects == 2 && cursor.left == 0);
    strbuf_deinit(&block);
}

TEST(an_answer_that_is_cut_or_bent_is_told)
{
    struct strbuf block = STRBUF_INIT;

    block_make(&block);
    for (size_t len = 0; len < block.len; len++) {
        struct index_cursor cursor;

        CHECK(!index_open(block.data, len, &cursor));
    }
    /* Whatever byte is wrong, nothing outside the block is read, and the walk ends. */
    for (size_t i = 0; i < block.len; i++) {
        char *bent = malloc(block.len);
        struct index_cursor cursor;
        struct index_entry entry;

        CHECK(bent != NULL);
        memcpy(bent, block.data, block.len);
        bent[i] = (char)~bent[i];
        if (index_open(bent, block.len, &cursor)) {
            while (index_next(&cursor, &entry)) {
                CHECK(entry.object.len <= OBJECT_BYTES_MAX);
            }
        }
        free(bent);
    }
    strbuf_deinit(&block);
}

TEST_MAIN()

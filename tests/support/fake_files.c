/* SPDX-License-Identifier: Apache-2.0 */
/* The state's files: what was not flushed is lost in a crash. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/fake_parts.h"

struct fake_file *fake_file(struct fake *fake, const char *path)
{
    for (size_t i = 0; i < fake->file_count; i++) {
        if (strcmp(fake->files[i].path, path) == 0) {
            return &fake->files[i];
        }
    }
    return NULL;
}

static uint32_t fake_file_open(void *self, const char *path, enum api_mode mode,
                               api_handle *ret_handle)
{
    struct fake *fake = self;
    struct fake_file *file = fake_file(fake, path);

    if (file == NULL && mode == API_READ) {
        return API_FILE_NOT_FOUND;
    }
    if (file == NULL) {
        if (fake->file_count == FAKE_FILES) {
            abort();
        }
        file = &fake->files[fake->file_count++];
        *file = (struct fake_file){0};
        (void)snprintf(file->path, FAKE_PATH, "%s", path);
    }
    if (mode == API_LOCK && file->locked) {
        return API_SHARING_VIOLATION;
    }
    file->locked = mode == API_LOCK;
    if (mode == API_REPLACE) {
        strbuf_deinit(&file->text);
    }
    return fake_new_handle(fake, true, (size_t)(file - fake->files), 0, ret_handle);
}

static uint32_t fake_file_read(void *self, api_handle handle, uint8_t *bytes, size_t size,
                               size_t *ret_len)
{
    struct fake *fake = self;
    const struct fake_file *file = &fake->files[fake_get(fake, handle)->index];
    const size_t len = file->text.len < size ? file->text.len : size;

    memcpy(bytes, strbuf_text(&file->text), len);
    *ret_len = len;
    return API_OK;
}

static uint32_t fake_file_write(void *self, api_handle handle, const void *bytes, size_t len)
{
    struct fake *fake = self;

    strbuf_add(&fake->files[fake_get(fake, handle)->index].text, bytes, len);
    return API_OK;
}

static void copy_text(struct strbuf *to, const struct strbuf *from, size_t len)
{
    strbuf_deinit(to);
    strbuf_add(to, strbuf_text(from), len);
}

static uint32_t fake_file_flush(void *self, api_handle handle)
{
    struct fake *fake = self;
    struct fake_file *file = &fake->files[fake_get(fake, handle)->index];

    copy_text(&file->durable, &file->text, file->text.len);
    return API_OK;
}

static uint32_t fake_file_replace(void *self, const char *from, const char *to)
{
    struct fake *fake = self;
    struct fake_file *source = fake_file(fake, from);
    struct fake_file *target = fake_file(fake, to);

    if (source == NULL) {
        return API_FILE_NOT_FOUND;
    }
    for (size_t i = 0; i < FAKE_HANDLES; i++) {
        if (fake->handles[i].open && fake->handles[i].is_file && target != NULL &&
            &fake->files[fake->handles[i].index] == target) {
            return API_SHARING_VIOLATION;
        }
    }
    if (target != NULL) {
        target->path[0] = '\0';
    }
    (void)snprintf(source->path, FAKE_PATH, "%s", to);
    if (target != NULL) {
        /* So that the table does not fill up: the last slot takes the freed one. */
        strbuf_deinit(&target->text);
        strbuf_deinit(&target->durable);
        for (size_t i = 0; i < FAKE_HANDLES; i++) {
            if (fake->handles[i].open && fake->handles[i].is_file &&
                fake->handles[i].index == fake->file_count - 1) {
                fake->handles[i].index = (size_t)(target - fake->files);
            }
        }
        *target = fake->files[--fake->file_count];
    }
    return API_OK;
}

void fake_crash(struct fake *fake, bool torn)
{
    memset(fake->handles, 0, sizeof(fake->handles));
    fake->acting = 0;
    for (size_t i = 0; i < fake->file_count; i++) {
        struct fake_file *file = &fake->files[i];
        const size_t lost =
            file->text.len > file->durable.len ? file->text.len - file->durable.len : 0;

        file->locked = false;
        if (torn && lost > 0) {
            strbuf_add(&file->durable, file->text.data + file->durable.len, lost / 2);
        }
        copy_text(&file->text, &file->durable, file->durable.len);
    }
}

void fake_files_init(struct api *api)
{
    api->file_open = fake_file_open;
    api->file_read = fake_file_read;
    api->file_write = fake_file_write;
    api->file_flush = fake_file_flush;
    api->file_replace = fake_file_replace;
}

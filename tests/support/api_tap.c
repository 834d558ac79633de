/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/api_tap.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "platform/windows/sd.h"

unsigned api_tap_inside;

static const char *kind(enum api_object object)
{
    return object == API_KEY ? "key" : "file";
}

static void die(struct api_tap *tap)
{
    if (tap->die != NULL) {
        tap->die();
    }
    tap->dead = true;
}

/* Whether this call is made at all; else *@code is what it returns. */
static bool goes_on(struct api_tap *tap, uint32_t *code)
{
    if (tap->dead) {
        *code = API_TAP_DEAD;
        return false;
    }
    tap->calls++;
    if (tap->fail_at != 0 && tap->calls >= tap->fail_at &&
        tap->calls <= tap->fail_at + (tap->fail_count == 0 ? 0 : tap->fail_count - 1)) {
        *code = tap->fail_code;
        return false;
    }
    if (tap->calls == tap->crash_at && !tap->crash_after) {
        die(tap);
        *code = API_TAP_DEAD;
        return false;
    }
    return true;
}

/* Ends the line of a call that returned @code. */
static uint32_t end_line(struct api_tap *tap, uint32_t code)
{
    if (tap->dead) {
        return API_TAP_DEAD;
    }
    strbuf_printf(&tap->trace, code == API_OK ? "\n" : " -> %u\n", (unsigned)code);
    if (tap->calls == tap->crash_at && tap->crash_after) {
        die(tap);
        return API_TAP_DEAD;
    }
    return code;
}

static uint32_t returned(struct api_tap *tap, uint32_t code)
{
    const uint32_t told = end_line(tap, code);

    api_tap_inside--;
    return told;
}

static void print_list(struct api_tap *tap, const uint8_t *bytes, size_t len)
{
    static struct sd sd;

    strbuf_puts(&tap->trace, " ");
    if (sd_parse(bytes, len, &sd) == CORDON_OK) {
        sd.owner.len = 0;
        sd.group.len = 0;
        sd_print(&sd, &tap->trace);
    }
}

/* The head of every call below: its line, and the end of it if it is not made. */
#define CALL(...)                                                                                  \
    struct api_tap *tap = self;                                                                    \
    const struct api *under = tap->under;                                                          \
    uint32_t code = API_OK;                                                                        \
    api_tap_inside++;                                                                              \
    if (!tap->dead) {                                                                              \
        strbuf_printf(&tap->trace, __VA_ARGS__);                                                   \
    }                                                                                              \
    if (!goes_on(tap, &code)) {                                                                    \
        return returned(tap, code);                                                                \
    }

static uint32_t tap_impersonate(void *self, api_handle token)
{
    CALL("impersonate");
    return returned(tap, under->impersonate(under->self, token));
}

static uint32_t tap_revert(void *self)
{
    struct api_tap *tap = self;

    api_tap_inside++;
    if (!tap->dead) {
        strbuf_puts(&tap->trace, "revert\n");
    }
    api_tap_inside--;
    return tap->under->revert(tap->under->self);
}

static uint32_t tap_close(void *self, api_handle handle)
{
    struct api_tap *tap = self;

    return tap->dead ? API_OK : tap->under->close(tap->under->self, handle);
}

static uint64_t tap_now_ms(void *self)
{
    struct api_tap *tap = self;

    return tap->under->now_ms(tap->under->self);
}

static uint32_t tap_open(void *self, const struct api_open *how, api_handle *ret_handle)
{
    CALL("open %s %s%s access=0x%" PRIx32 "%s", kind(how->object), how->parent == 0 ? "" : ".\\",
         how->name, how->access, how->follow ? " follow" : "");
    return returned(tap, under->open(under->self, how, ret_handle));
}

static uint32_t tap_open_id(void *self, const char *near, const struct api_id *id, uint32_t access,
                            api_handle *ret_handle)
{
    CALL("open-id near %s access=0x%" PRIx32, near, access);
    return returned(tap, under->open_id(under->self, near, id, access, ret_handle));
}

static uint32_t tap_make(void *self, enum api_object object, const char *path, bool container,
                         api_handle *ret_handle)
{
    CALL("make %s %s%s", kind(object), path, container ? " container" : "");
    return returned(tap, under->make(under->self, object, path, container, ret_handle));
}

static uint32_t tap_info(void *self, enum api_object object, api_handle handle,
                         struct api_info *ret_info)
{
    CALL("info");
    return returned(tap, under->info(under->self, object, handle, ret_info));
}

static uint32_t tap_path(void *self, enum api_object object, api_handle handle, char *ret_path,
                         size_t size)
{
    CALL("path");
    code = under->path(under->self, object, handle, ret_path, size);
    strbuf_printf(&tap->trace, " %s", code == API_OK ? ret_path : "");
    return returned(tap, code);
}

static uint32_t tap_next(void *self, enum api_object object, api_handle handle, uint32_t index,
                         char ret_name[API_NAME_MAX])
{
    CALL("next");
    code = under->next(under->self, object, handle, index, ret_name);
    strbuf_printf(&tap->trace, " %s", code == API_OK ? ret_name : "");
    return returned(tap, code);
}

static uint32_t tap_get_security(void *self, api_handle handle, uint8_t *bytes, size_t size,
                                 size_t *ret_len)
{
    CALL("get-security");
    code = under->get_security(under->self, handle, bytes, size, ret_len);
    if (code == API_OK) {
        print_list(tap, bytes, *ret_len);
    }
    return returned(tap, code);
}

static uint32_t tap_set_security(void *self, enum api_object object, api_handle handle,
                                 const uint8_t *bytes, size_t len, bool below)
{
    CALL(below ? "set-security below" : "set-security");
    print_list(tap, bytes, len);
    return returned(tap, under->set_security(under->self, object, handle, bytes, len, below));
}

static uint32_t tap_set_owner(void *self, enum api_object object, api_handle handle,
                              const struct sid *sid)
{
    char text[SID_TEXT_MAX];

    sid_text(sid, text);
    {
        CALL("set-owner %s", text);
        return returned(tap, under->set_owner(under->self, object, handle, sid));
    }
}

static uint32_t tap_granted(void *self, api_handle token, enum api_object object,
                            const uint8_t *bytes, size_t len, uint32_t *ret_mask)
{
    CALL("granted");
    code = under->granted(under->self, token, object, bytes, len, ret_mask);
    strbuf_printf(&tap->trace, " 0x%" PRIx32, code == API_OK ? *ret_mask : 0);
    return returned(tap, code);
}

static uint32_t tap_erase(void *self, enum api_object object, api_handle handle)
{
    CALL("erase");
    return returned(tap, under->erase(under->self, object, handle));
}

static uint32_t tap_file_open(void *self, const char *path, enum api_mode mode,
                              api_handle *ret_handle)
{
    static const char *const modes[] = {"read", "append", "replace", "lock"};

    CALL("file-open %s %s", path, modes[mode]);
    return returned(tap, under->file_open(under->self, path, mode, ret_handle));
}

static uint32_t tap_file_read(void *self, api_handle handle, uint8_t *bytes, size_t size,
                              size_t *ret_len)
{
    CALL("file-read");
    return returned(tap, under->file_read(under->self, handle, bytes, size, ret_len));
}

/* The text itself, without the checksums at the start of its lines. */
static uint32_t tap_file_write(void *self, api_handle handle, const void *bytes, size_t len)
{
    CALL("file-write");
    for (const char *at = bytes, *end; at < (const char *)bytes + len; at = end + 1) {
        end = memchr(at, '\n', len - (size_t)(at - (const char *)bytes));
        if (end == NULL) {
            break;
        }
        at += end - at > 9 && at[8] == ' ' ? 9 : 0;
        strbuf_puts(&tap->trace, "\n  ");
        strbuf_add(&tap->trace, at, (size_t)(end - at));
    }
    return returned(tap, under->file_write(under->self, handle, bytes, len));
}

static uint32_t tap_file_flush(void *self, api_handle handle)
{
    CALL("file-flush");
    return returned(tap, under->file_flush(under->self, handle));
}

static uint32_t tap_file_replace(void *self, const char *from, const char *to)
{
    CALL("file-replace %s %s", from, to);
    return returned(tap, under->file_replace(under->self, from, to));
}

static uint32_t tap_folder(void *self, enum api_folder which, api_handle token, char *ret_path,
                           size_t size)
{
    CALL("folder %u", (unsigned)which);
    return returned(tap, under->folder(under->self, which, token, ret_path, size));
}

void api_tap_init(struct api_tap *tap, const struct api *under)
{
    *tap = (struct api_tap){.under = under,
                            .api = {.self = tap,
                                    .impersonate = tap_impersonate,
                                    .revert = tap_revert,
                                    .open = tap_open,
                                    .open_id = tap_open_id,
                                    .make = tap_make,
                                    .close = tap_close,
                                    .info = tap_info,
                                    .path = tap_path,
                                    .next = tap_next,
                                    .get_security = tap_get_security,
                                    .set_security = tap_set_security,
                                    .set_owner = tap_set_owner,
                                    .granted = tap_granted,
                                    .erase = tap_erase,
                                    .file_open = tap_file_open,
                                    .file_read = tap_file_read,
                                    .file_write = tap_file_write,
                                    .file_flush = tap_file_flush,
                                    .file_replace = tap_file_replace,
                                    .folder = tap_folder,
                                    .now_ms = tap_now_ms}};
}

bool api_tap_begin(struct api_tap *tap, uint32_t *ret_code, const char *fmt, ...)
{
    char line[512];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    api_tap_inside++;
    *ret_code = API_OK;
    if (!tap->dead) {
        strbuf_puts(&tap->trace, line);
    }
    if (goes_on(tap, ret_code)) {
        return true;
    }
    *ret_code = returned(tap, *ret_code);
    return false;
}

uint32_t api_tap_end(struct api_tap *tap, uint32_t code)
{
    return returned(tap, code);
}

void api_tap_deinit(struct api_tap *tap)
{
    strbuf_deinit(&tap->trace);
}

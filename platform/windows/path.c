/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/path.h"

#include <string.h>

#include "platform/base/ascii.h"
#include "platform/windows/upcase.h"

/* One spelling on its way to its normal form. */
struct reader {
    const char *spelled; /* for messages */
    const char *rest;    /* what is still to be read */
    size_t len;
    bool verbatim; /* after "\\?\": nothing is normalised by Windows */
    char *out;
    size_t out_len;
    size_t root_len; /* of out: the root of the volume with its '\' */
    size_t units;    /* UTF-16 units of out */
    uint32_t depth;
    enum win_path_kind kind;
    struct cordon_fault *fault;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_separator(const struct reader *r, char c)
{
    return c == '\\' || (c == '/' && !r->verbatim);
}

static enum cordon_err refuse(const struct reader *r, const char *what, const char *remedy)
{
    return fault_set(r->fault, CORDON_E_INVALID, remedy, "path \"%.200s\" %s", r->spelled, what);
}

static void skip(struct reader *r, size_t count)
{
    r->rest += count;
    r->len -= count;
}

/* Bytes up to the next separator. */
static size_t part_len(const struct reader *r)
{
    size_t len = 0;

    while (len < r->len && !is_separator(r, r->rest[len])) {
        len++;
    }
    return len;
}

static bool starts(const struct reader *r, const char *word)
{
    size_t len = strlen(word);

    return r->len >= len && ascii_equal(r->rest, word, len);
}

static void put(struct reader *r, const char *text, size_t len)
{
    memcpy(r->out + r->out_len, text, len);
    r->out_len += len;
}

/* ---- roots ---- */

static enum cordon_err read_drive(struct reader *r)
{
    char letter = r->rest[0];

    if (!is_letter(letter)) {
        return refuse(r, "has no drive letter before the ':'", "write C:\\...");
    }
    if (r->len == 2 || !is_separator(r, r->rest[2])) {
        return refuse(r, "is relative to the drive's current directory",
                      "write a \\ after the colon: C:\\...");
    }
    letter = ascii_upper(letter);
    put(r, &letter, 1);
    put(r, ":\\", 2);
    skip(r, 3);
    r->kind = WIN_PATH_DRIVE;
    return CORDON_OK;
}

/* What leads back to this machine, past its drive letters. */
static bool is_this_machine(const char *server, size_t len)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "--1.ipv6-literal.net",
                                        "0--1.ipv6-literal.net"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == len && ascii_equal(server, names[i], len)) {
            return true;
        }
    }
    return len > 4 && memcmp(server, "127.", 4) == 0;
}

/* "C$", "ADMIN$", "IPC$": an alias of a drive or no place of files at all. */
static bool is_administrative(const char *share, size_t len)
{
    return (len == 2 && is_letter(share[0]) && share[1] == '$') ||
           (len == 6 && ascii_equal(share, "ADMIN$", 6)) ||
           (len == 4 && ascii_equal(share, "IPC$", 4));
}

static enum cordon_err read_unc(struct reader *r)
{
    size_t server_len = part_len(r);
    const char *server = r->rest;
    const char *share = server + server_len + 1;
    size_t share_len;

    skip(r, server_len);
    skip(r, r->len > 0 ? 1 : 0);
    share_len = part_len(r);
    if (server_len == 0 || share_len == 0) {
        return refuse(r, "names no server and share", "write \\\\server\\share\\...");
    }
    if (is_this_machine(server, server_len) || is_administrative(share, share_len)) {
        return refuse(r, "goes through the network to a drive that has a letter",
                      "write the drive: C:\\...");
    }
    if (win_name_check(server, server_len, r->fault) != CORDON_OK ||
        win_name_check(share, share_len, r->fault) != CORDON_OK) {
        fault_prefix(r->fault, "path \"%.200s\"", r->spelled);
        return CORDON_E_INVALID;
    }
    skip(r, share_len);
    skip(r, r->len > 0 ? 1 : 0);
    put(r, "\\\\", 2);
    put(r, server, server_len);
    put(r, "\\", 1);
    put(r, share, share_len);
    put(r, "\\", 1);
    r->kind = WIN_PATH_UNC;
    return CORDON_OK;
}

static enum cordon_err read_verbatim(struct reader *r)
{
    r->verbatim = true;
    skip(r, 4);
    if (starts(r, "UNC\\")) {
        skip(r, 4);
        return read_unc(r);
    }
    if (starts(r, "Volume{")) {
        return refuse(r, "names a volume by its number", "write its drive letter: C:\\...");
    }
    if (starts(r, "GLOBALROOT\\")) {
        return refuse(r, "names an object of the kernel", "write the drive: C:\\...");
    }
    if (r->len >= 2 && r->rest[1] == ':') {
        return read_drive(r);
    }
    return refuse(r, "names no drive and no share", "write \\\\?\\C:\\... or C:\\...");
}

/* Two separators, then '?' or '.', then a separator, whatever their direction. */
static bool is_namespace(const struct reader *r, char mark)
{
    return r->len >= 3 && is_separator(r, r->rest[0]) && is_separator(r, r->rest[1]) &&
           r->rest[2] == mark && (r->len == 3 || is_separator(r, r->rest[3]));
}

/* What begins with one separator. */
static enum cordon_err refuse_rooted(struct reader *r)
{
    skip(r, 1);
    if (starts(r, "??\\") || starts(r, "Device\\") || starts(r, "DosDevices\\") ||
        starts(r, "GLOBAL??\\")) {
        return refuse(r, "names an object of the kernel", "write the drive: C:\\...");
    }
    return refuse(r, "is relative to the current drive", "write the drive: C:\\...");
}

static enum cordon_err read_base(struct reader *r, const char *base)
{
    const char *spelled = r->spelled;
    const char *rest = r->rest;
    size_t len = r->len;
    enum cordon_err err;

    if (base == NULL) {
        return refuse(r, "is relative", "write it out from the drive: C:\\...");
    }
    r->rest = base;
    r->len = strlen(base);
    if (base[0] == '\\') {
        skip(r, 2);
        err = read_unc(r);
    } else {
        err = read_drive(r);
    }
    r->root_len = r->out_len;
    while (err == CORDON_OK && r->len > 0) {
        size_t part = part_len(r);

        put(r, r->rest, part);
        put(r, "\\", 1);
        skip(r, part);
        skip(r, r->len > 0 ? 1 : 0);
        r->depth++;
    }
    r->spelled = spelled;
    r->rest = rest;
    r->len = len;
    return err;
}

static enum cordon_err read_root(struct reader *r, const char *base)
{
    if (r->len == 0) {
        return refuse(r, "is empty", "write C:\\...");
    }
    if (r->len >= 4 && memcmp(r->rest, "\\\\?\\", 4) == 0) {
        return read_verbatim(r);
    }
    if (is_namespace(r, '?')) {
        return refuse(r, "is in a namespace that Windows reads in two ways",
                      "write \\\\?\\ with backslashes, or C:\\...");
    }
    if (is_namespace(r, '.')) {
        return refuse(r, "names a device", "write the drive: C:\\...");
    }
    if (r->len >= 2 && is_separator(r, r->rest[0]) && is_separator(r, r->rest[1])) {
        skip(r, 2);
        return read_unc(r);
    }
    if (is_separator(r, r->rest[0])) {
        return refuse_rooted(r);
    }
    if (r->len >= 2 && r->rest[1] == ':') {
        return read_drive(r);
    }
    return read_base(r, base);
}

/* ---- components ---- */

/* Takes the last component off again. */
static enum cordon_err climb(struct reader *r)
{
    if (r->depth == 0) {
        return refuse(r, "climbs above the root of its volume", "write it without \"..\"");
    }
    r->out_len--;
    while (r->out_len > r->root_len && r->out[r->out_len - 1] != '\\') {
        r->out_len--;
    }
    r->depth--;
    return CORDON_OK;
}

static enum cordon_err read_part(struct reader *r, size_t len)
{
    bool dots = r->rest[0] == '.' && (len == 1 || (len == 2 && r->rest[1] == '.'));

    if (dots && r->verbatim) {
        return refuse(r, "has \".\" or \"..\" after \\\\?\\, where it is a name",
                      "write it without them");
    }
    if (dots) {
        return len == 1 ? CORDON_OK : climb(r);
    }
    if (win_name_check(r->rest, len, r->fault) != CORDON_OK) {
        fault_prefix(r->fault, "path \"%.200s\"", r->spelled);
        return CORDON_E_INVALID;
    }
    put(r, r->rest, len);
    put(r, "\\", 1);
    r->depth++;
    return CORDON_OK;
}

static enum cordon_err read_parts(struct reader *r)
{
    enum cordon_err err = CORDON_OK;

    while (err == CORDON_OK && r->len > 0) {
        size_t len = part_len(r);

        if (len > 0) {
            err = read_part(r, len);
        } else if (r->verbatim) {
            return refuse(r, "has an empty component after \\\\?\\", "write one \\ at a time");
        }
        skip(r, len);
        skip(r, r->len > 0 ? 1 : 0);
    }
    return err;
}

static enum cordon_err check_length(const struct reader *r)
{
    size_t units = 0;
    size_t step;

    for (size_t at = 0; at < r->out_len; at += step) {
        uint32_t value = 0;

        step = win_utf8(r->out + at, r->out_len - at, &value);
        units += win_utf16_units(value);
        step = step == 0 ? 1 : step;
    }
    return units <= WIN_PATH_UNITS_MAX
               ? CORDON_OK
               : refuse(r, "is longer than a path can be (32767 characters)", NULL);
}

/* Anything that would make the rest of the reading guesswork. */
static enum cordon_err check_bytes(const struct reader *r)
{
    size_t step;

    for (size_t at = 0; at < r->len; at += step) {
        uint32_t value = 0;

        step = win_utf8(r->rest + at, r->len - at, &value);
        if (step == 0) {
            return refuse(r, "is not UTF-8", "save the file as UTF-8");
        }
        if (value < 0x20) {
            return refuse(r, "has a control character in it", "no name on Windows has one");
        }
    }
    return CORDON_OK;
}

char *win_fold(const char *text, size_t len, struct arena *arena)
{
    /* The longest way up: two bytes to three. */
    char *out = arena_array(arena, len + 1, 2);
    size_t used = 0;
    size_t step;

    for (size_t at = 0; out != NULL && at < len; at += step) {
        uint32_t value;

        step = win_utf8(text + at, len - at, &value);
        if (step == 0) {
            out[used++] = text[at];
            step = 1;
        } else {
            used += win_utf8_put(win_upcase(value), out + used);
        }
    }
    return out;
}

static enum cordon_err finish(const struct reader *r, struct arena *arena,
                              struct win_path *ret_path)
{
    bool root = r->depth == 0;
    size_t bare = r->out_len - 1; /* without the '\' that every component was given */

    *ret_path = (struct win_path){
        .kind = r->kind,
        .text = arena_strndup(arena, r->out, root ? r->out_len : bare),
        .key = win_fold(r->out, bare, arena),
        .depth = r->depth,
        .directory = root || is_separator(r, r->rest[-1]),
    };
    return ret_path->text == NULL || ret_path->key == NULL
               ? fault_set(r->fault, CORDON_E_NOMEM, NULL, "out of memory for a path")
               : CORDON_OK;
}

enum cordon_err win_path_read(const char *spelled, size_t len, const char *base,
                              struct arena *arena, struct win_path *ret_path,
                              struct cordon_fault *fault)
{
    struct reader r = {.rest = spelled, .len = len, .fault = fault};
    size_t base_len = base == NULL ? 0 : strlen(base);
    enum cordon_err err;

    r.spelled = arena_strndup(arena, spelled, len);
    r.out = arena_alloc(arena, len + base_len + 8);
    if (r.spelled == NULL || r.out == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory for a path");
    }
    err = check_bytes(&r);
    if (err == CORDON_OK) {
        err = read_root(&r, base);
    }
    if (err == CORDON_OK) {
        r.root_len = r.root_len == 0 ? r.out_len : r.root_len;
        err = read_parts(&r);
    }
    if (err == CORDON_OK) {
        err = check_length(&r);
    }
    return err == CORDON_OK ? finish(&r, arena, ret_path) : err;
}

bool win_key_covers(const char *above, const char *key)
{
    size_t len = strlen(above);

    return strncmp(above, key, len) == 0 && (key[len] == '\\' || key[len] == '\0');
}

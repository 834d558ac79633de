/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/spelling.h"

#include <stdio.h>
#include <string.h>

#include "platform/base/ascii.h"
#include "policy/suggest.h"

static const struct special {
    const char *name;
    enum spelling_kind kind;
    bool scoped;
} specials[] = {
    {":root", SPELL_ROOT, false},
    {":minimal", SPELL_MINIMAL, false},
    {":workspace_roots", SPELL_WORKSPACE, true},
    {":project_roots", SPELL_WORKSPACE, true},
    {":tmpdir", SPELL_TMPDIR, false},
    {":slash_tmp", SPELL_SLASH_TMP, false},
};
#define SPECIAL_COUNT (sizeof(specials) / sizeof(specials[0]))

static enum cordon_err bad(struct cordon_fault *fault, const struct toml_pos *pos, const char *text,
                           const char *what, const char *remedy)
{
    char quoted[PLACE_QUOTE_MAX];

    return place_fail(fault, CORDON_E_INVALID, pos, remedy, "%s: %s", place_quote(text, quoted),
                      what);
}

static enum cordon_err parse_special(const char *text, const struct toml_pos *pos,
                                     struct spelling *ret, struct cordon_fault *fault)
{
    const char *names[SPECIAL_COUNT];
    char remedy[CORDON_FAULT_REMEDY_MAX];
    const char *near;

    for (size_t i = 0; i < SPECIAL_COUNT; i++) {
        names[i] = specials[i].name;
        if (strcmp(text, names[i]) == 0) {
            *ret = (struct spelling){
                .kind = specials[i].kind, .rest = "", .scoped = specials[i].scoped};
            return CORDON_OK;
        }
    }
    near = suggest(text, names, SPECIAL_COUNT);
    (void)snprintf(remedy, sizeof(remedy), "did you mean \"%s\"?", near == NULL ? "" : near);
    return bad(fault, pos, text, "unknown special path",
               near != NULL ? remedy
                            : "there are :root :minimal :workspace_roots :tmpdir :slash_tmp");
}

static bool is_drive(const char *text)
{
    return ((text[0] >= 'A' && text[0] <= 'Z') || (text[0] >= 'a' && text[0] <= 'z')) &&
           text[1] == ':' && (text[2] == '/' || text[2] == '\\');
}

/* Wildcards, or something that only a pattern's author can have meant. */
static bool looks_glob(const char *text, size_t len)
{
    size_t open = 0;
    bool comma = false;

    if (len > 0 && text[len - 1] == '\\') {
        return true;
    }
    for (size_t i = 0; i < len; i++) {
        if (strchr("*?[]", text[i]) != NULL) {
            return true;
        }
        open += text[i] == '{';
        open -= text[i] == '}' && open > 0;
        comma = comma || (text[i] == ',' && open > 0);
    }
    return open > 0 || comma;
}

/* A path being put together, component by component. */
struct join {
    char *out;
    size_t len;
    bool climbed_wildcard;
};

static bool has_wildcard(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\\' && i + 1 < len) {
            i++;
        } else if (strchr("*?[]{}", text[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static void join_up(struct join *join, bool glob)
{
    size_t end = join->len;

    while (join->len > 0 && join->out[--join->len] != '/') {
        continue;
    }
    if (glob && has_wildcard(join->out + join->len, end - join->len)) {
        join->climbed_wildcard = true;
    }
}

static void join_part(struct join *join, const char *part, size_t len, bool glob)
{
    if (len == 0 || (len == 1 && part[0] == '.')) {
        return;
    }
    if (len == 2 && part[0] == '.' && part[1] == '.') {
        join_up(join, glob);
        return;
    }
    join->out[join->len++] = '/';
    memcpy(join->out + join->len, part, len);
    join->len += len;
}

static void join_parts(struct join *join, const char *text, size_t len, bool glob)
{
    size_t at = 0;

    while (at < len) {
        const char *slash = memchr(text + at, '/', len - at);
        size_t end = slash == NULL ? len : (size_t)(slash - text);

        join_part(join, text + at, end - at, glob);
        at = end + 1;
    }
}

/* What is written after the base, normalised as spelling_join() will do it. */
static enum cordon_err check_glob(const char *text, const struct spelling *spelling,
                                  const struct toml_pos *pos, struct cordon_fault *fault)
{
    char pattern[POLICY_PATTERN_MAX + 4];
    struct join join = {pattern, 0, false};
    struct cordon_fault reason;
    enum cordon_err err;

    join_parts(&join, spelling->rest, spelling->rest_len, true);
    if (join.climbed_wildcard) {
        return bad(fault, pos, text, "\"..\" after a wildcard", "write the path without \"..\"");
    }
    err = glob_check(pattern, join.len, &reason);
    if (err == CORDON_E_NOMEM) {
        return place_no_memory(fault);
    }
    return err == CORDON_OK ? err : bad(fault, pos, text, reason.text, reason.remedy);
}

/* Cuts the double star a grant may end in, finds wildcards, and checks both. */
static enum cordon_err finish(const char *text, enum policy_access access,
                              const struct toml_pos *pos, struct spelling *spelling,
                              struct cordon_fault *fault)
{
    bool grant = access == ACCESS_READ || access == ACCESS_WRITE;

    spelling->rest_len = strlen(spelling->rest);
    /* Behind a drive '\' separates: at the end it names a directory and escapes nothing. */
    while ((is_drive(spelling->rest) || spelling->unc) && spelling->rest_len > 3 &&
           spelling->rest[spelling->rest_len - 1] == '\\') {
        spelling->rest_len--;
    }
    if (grant && spelling->rest_len >= 3 &&
        strcmp(spelling->rest + spelling->rest_len - 3, "/**") == 0) {
        spelling->rest_len -= 3;
    }
    if (spelling->rest_len > POLICY_PATTERN_MAX) {
        return bad(fault, pos, text, "longer than a path can be", NULL);
    }
    spelling->glob = (spelling->rest_len != 3 || !is_drive(spelling->rest)) &&
                     looks_glob(spelling->rest, spelling->rest_len);
    if (!spelling->glob) {
        return CORDON_OK;
    }
    if (grant) {
        return bad(fault, pos, text, "only \"deny\" may use wildcards",
                   "name the directory; read and write cover what is below it");
    }
    return check_glob(text, spelling, pos, fault);
}

/* What begins with "\\\\": a share, or a path that Windows is to take as it is. */
static enum cordon_err parse_backslashes(const char *text, const struct toml_pos *pos,
                                         struct spelling *ret, struct cordon_fault *fault)
{
    bool verbatim = strncmp(text, "\\\\?\\", 4) == 0;

    ret->kind = SPELL_ABSOLUTE;
    ret->rest = text + (verbatim ? 4 : 2);
    if (verbatim && is_drive(ret->rest)) {
        return CORDON_OK;
    }
    if (verbatim && strncmp(ret->rest, "UNC\\", 4) == 0) {
        ret->rest += 4;
    } else if (verbatim || strchr("?.", text[2]) != NULL) {
        return bad(fault, pos, text, "names no file of a drive or a share",
                   "write C:\\... or \\\\server\\share\\...");
    }
    ret->unc = true;
    return CORDON_OK;
}

/* Everything but specials. */
static enum cordon_err parse_path(const char *text, const struct toml_pos *pos,
                                  struct spelling *ret, struct cordon_fault *fault)
{
    *ret = (struct spelling){.kind = SPELL_RELATIVE, .rest = text, .scoped = true};
    if (text[0] == '\0') {
        return bad(fault, pos, text, "an empty path", NULL);
    }
    if (text[0] == '\\' && text[1] == '\\') {
        return parse_backslashes(text, pos, ret, fault);
    }
    if (text[0] == '/' || is_drive(text)) {
        ret->kind = SPELL_ABSOLUTE;
    } else if (text[0] == '~') {
        ret->kind = SPELL_HOME;
        ret->rest = text + 1;
        if (text[1] != '\0' && text[1] != '/') {
            return bad(fault, pos, text, "homes of other users are not looked up",
                       "write the directory out");
        }
    }
    return CORDON_OK;
}

enum cordon_err spelling_parse(const char *text, enum policy_access access,
                               const struct toml_pos *pos, struct spelling *ret_spelling,
                               struct cordon_fault *fault)
{
    struct spelling spelling = {.rest = text};
    enum cordon_err err = text[0] == ':' ? parse_special(text, pos, &spelling, fault)
                                         : parse_path(text, pos, &spelling, fault);

    if (err == CORDON_OK && spelling.kind == SPELL_RELATIVE) {
        err = bad(fault, pos, text, "not an absolute path",
                  "begin it with \"/\", \"~/\" or a special such as :workspace_roots");
    }
    if (err == CORDON_OK) {
        err = finish(text, access, pos, &spelling, fault);
    }
    if (err == CORDON_OK) {
        *ret_spelling = spelling;
    }
    return err;
}

/* A ".." among the components. */
static bool climbs(const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "/\\");

        if (len == 2 && text[0] == '.' && text[1] == '.') {
            return true;
        }
        text += len;
        text += *text != '\0';
    }
    return false;
}

enum cordon_err spelling_parse_sub(const char *text, enum policy_access access,
                                   const struct toml_pos *pos, struct spelling *ret_spelling,
                                   struct cordon_fault *fault)
{
    struct spelling spelling = {.rest = text};
    enum cordon_err err = parse_path(text, pos, &spelling, fault);

    if (err == CORDON_OK && (spelling.kind != SPELL_RELATIVE || climbs(text) || text[0] == ':')) {
        err = bad(fault, pos, text, "a sub-path is relative and has no \"..\"",
                  "\".\" names the directory itself");
    }
    if (err == CORDON_OK) {
        err = finish(text, access, pos, &spelling, fault);
    }
    if (err == CORDON_OK) {
        *ret_spelling = spelling;
    }
    return err;
}

enum cordon_err spelling_parse_managed(const char *text, const struct toml_pos *pos,
                                       struct spelling *ret_spelling, struct cordon_fault *fault)
{
    struct spelling spelling = {.rest = text};
    enum cordon_err err = parse_path(text, pos, &spelling, fault);

    if (err == CORDON_OK && text[0] == ':') {
        err = bad(fault, pos, text, "a managed rule names a path, not a special", NULL);
    }
    if (err == CORDON_OK) {
        err = finish(text, ACCESS_DENY, pos, &spelling, fault);
    }
    if (err == CORDON_OK) {
        *ret_spelling = spelling;
    }
    return err;
}

const char *spelling_escape(const char *text, struct arena *arena)
{
    char *copy = arena_array(arena, strlen(text) + 1, 2);
    size_t used = 0;

    for (; copy != NULL && *text != '\0'; text++) {
        if (strchr("*?[]{}\\", *text) != NULL) {
            copy[used++] = '\\';
        }
        copy[used++] = *text;
    }
    return copy;
}

/* On Windows both slashes separate, and nothing escapes. */
static const char *with_slashes(const char *text, size_t len, enum policy_os os,
                                struct arena *arena)
{
    char *copy = arena_strndup(arena, text, len);

    for (size_t i = 0; copy != NULL && os == POLICY_OS_WINDOWS && i < len; i++) {
        copy[i] = copy[i] == '\\' ? '/' : copy[i];
    }
    return copy;
}

/* "server/share" and more; without "..", which would have to stop at the share. */
static bool is_share(const char *rest)
{
    size_t server = strcspn(rest, "/");

    return server > 0 && rest[server] == '/' && rest[server + 1] != '/' &&
           rest[server + 1] != '\0' && strchr("?.", rest[0]) == NULL && !climbs(rest);
}

/* What a text begins with; @unc: a share, even if no "//" says so. */
struct start {
    enum policy_os os;
    bool unc;
    bool glob;
};

/* Adds @text, slashes turned; a share below "/UNC". false: it would be a share, but is none. */
static bool join_text(struct join *join, const char *text, const struct start *start)
{
    bool marked = start->os == POLICY_OS_WINDOWS && text[0] == '/' && text[1] == '/';

    text += marked ? 2 : 0;
    if (marked || start->unc) {
        if (!is_share(text)) {
            return false;
        }
        join_parts(join, "/UNC", 4, false);
    }
    join_parts(join, text, strlen(text), start->glob);
    return true;
}

static const char *join_done(struct join *join)
{
    if (join->len == 0) {
        join->out[join->len++] = '/';
    }
    join->out[join->len] = '\0';
    return join->out;
}

static bool is_foreign(const struct spelling *spelling, const char *rest, enum policy_os os)
{
    return os != POLICY_OS_WINDOWS && spelling->kind == SPELL_ABSOLUTE &&
           (spelling->unc || is_drive(rest));
}

enum cordon_err spelling_join(const struct spelling_use *use, const char *base,
                              const struct spelling *spelling, const char **ret_pattern)
{
    const struct start at_base = {use->os, false, false};
    const struct start at_rest = {use->os, spelling->unc, spelling->glob};
    const char *rest = with_slashes(spelling->rest, spelling->rest_len, use->os, use->arena);
    const char *start = with_slashes(base, strlen(base), use->os, use->arena);
    struct join join = {NULL, 0, false};

    if (start != NULL && spelling->glob) {
        start = spelling_escape(start, use->arena);
    }
    if (rest == NULL || start == NULL) {
        return place_no_memory(use->fault);
    }
    if (is_foreign(spelling, rest, use->os)) {
        return bad(use->fault, &use->pos, use->text, "not an absolute path on this system", NULL);
    }
    join.out = arena_alloc(use->arena, strlen(start) + strlen(rest) + 12);
    if (join.out == NULL) {
        return place_no_memory(use->fault);
    }
    if (!join_text(&join, start, &at_base) || !join_text(&join, rest, &at_rest)) {
        return bad(use->fault, &use->pos, use->text, "names no server and share",
                   "write \\\\server\\share\\... without \"..\"");
    }
    if (join.climbed_wildcard) {
        return bad(use->fault, &use->pos, use->text, "\"..\" after a wildcard",
                   "write the path without \"..\"");
    }
    if (join.len > POLICY_PATTERN_MAX) {
        return bad(use->fault, &use->pos, use->text, "longer than a path can be", NULL);
    }
    *ret_pattern = join_done(&join);
    return CORDON_OK;
}

enum cordon_err spelling_normal(const char *path, enum policy_os os, struct arena *arena,
                                const char **ret_path)
{
    const struct start at = {os, false, false};
    const char *text = with_slashes(path, strlen(path), os, arena);
    struct join join = {NULL, 0, false};

    if (text == NULL) {
        return CORDON_E_NOMEM;
    }
    if (text[0] != '/' && !(os == POLICY_OS_WINDOWS && is_drive(text))) {
        return CORDON_E_INVALID;
    }
    join.out = arena_alloc(arena, strlen(text) + 7);
    if (join.out == NULL) {
        return CORDON_E_NOMEM;
    }
    if (!join_text(&join, text, &at)) {
        return CORDON_E_INVALID;
    }
    *ret_path = join_done(&join);
    return CORDON_OK;
}

static char folded(char c, bool fold_case)
{
    return fold_case ? ascii_lower(c) : c;
}

bool spelling_covers(const char *above, const char *path, size_t path_len, bool fold_case)
{
    size_t len = strlen(above);

    if (len == 1) {
        return true; /* "/" */
    }
    if (len > path_len || (len < path_len && path[len] != '/')) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (folded(above[i], fold_case) != folded(path[i], fold_case)) {
            return false;
        }
    }
    return true;
}

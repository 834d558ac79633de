/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/path.h"

#include "tests/support/check.h"

/* One spelling: its normal form, or (text NULL) words of the refusal and of its remedy. */
struct row {
    const char *spelled;
    const char *text;
    const char *what;
    const char *remedy;
};

#define GOOD(spelled, text)                                                                        \
    {                                                                                              \
        spelled, text, NULL, NULL                                                                  \
    }
/* What is wrong is two words of the table: what the text says, what the remedy says. */
#define BAD(spelled, ...)                                                                          \
    {                                                                                              \
        spelled, NULL, __VA_ARGS__                                                                 \
    }

#define DRIVE_RELATIVE "relative to the drive's current directory", "after the colon"
#define ROOT_RELATIVE "relative to the current drive", "write the drive"
#define KERNEL "names an object of the kernel", "write the drive"
#define DEVICE_SPACE "names a device", "write the drive"
#define TWO_WAYS "reads in two ways", "with backslashes"
#define STREAM "names a stream", "covers its streams"
#define DROPPED "ends in a dot or a blank", "without its end"
#define DEVICE "is the name of a device", "deny the directory"
#define SHORT "shortened (8.3) name", "write the long name"
#define ABOVE "climbs above the root", "without \"..\""
#define NETWORK "goes through the network", "write the drive"
#define NO_SHARE "no server and share", "\\\\server\\share"
#define CHARACTER "one of < > \" | ? * / \\", "no name on Windows"
#define CONTROL "a control character", "no name on Windows"
#define NOT_UTF8 "not UTF-8", "save the file"
#define RELATIVE "is relative", "from the drive"

static const struct row rows[] = {
    /* drives */
    GOOD("C:\\", "C:\\"),
    GOOD("c:\\", "C:\\"),
    GOOD("z:/", "Z:\\"),
    GOOD("C:\\Users\\a", "C:\\Users\\a"),
    GOOD("c:\\Users\\a", "C:\\Users\\a"),
    GOOD("C:/Users/a", "C:\\Users\\a"),
    GOOD("C:/Users\\a", "C:\\Users\\a"),
    GOOD("C:\\Users\\a\\", "C:\\Users\\a"),
    GOOD("C:/Users/a/", "C:\\Users\\a"),
    GOOD("C:\\\\Users\\\\\\a", "C:\\Users\\a"),
    GOOD("C:\\Users//a", "C:\\Users\\a"),
    GOOD("C:\\ws\\.env", "C:\\ws\\.env"),
    GOOD("C:\\ws\\a b c", "C:\\ws\\a b c"),
    GOOD("C:\\ws\\ leading", "C:\\ws\\ leading"),
    GOOD("C:\\ws\\a.b.c", "C:\\ws\\a.b.c"),
    GOOD("C:\\ws\\..a", "C:\\ws\\..a"),
    GOOD("C:\\ws\\...a", "C:\\ws\\...a"),
    GOOD("C:\\ws\\%TEMP%", "C:\\ws\\%TEMP%"),
    GOOD("C:\\ws\\a;b=c,d+e[f]{g}", "C:\\ws\\a;b=c,d+e[f]{g}"),
    GOOD("C:\\ws\\a$b@c#d&e'f(g)!", "C:\\ws\\a$b@c#d&e'f(g)!"),
    GOOD("C:\\ws\\\x7f", "C:\\ws\\\x7f"),
    GOOD("C:\\ws\\~", "C:\\ws\\~"),
    GOOD("C:\\ws\\gr\xc3\xb6\xc3\x9f"
         "e",
         "C:\\ws\\gr\xc3\xb6\xc3\x9f"
         "e"),
    GOOD("C:\\ws\\\xe6\x97\xa5\xe6\x9c\xac", "C:\\ws\\\xe6\x97\xa5\xe6\x9c\xac"),
    GOOD("C:\\ws\\\xf0\x9f\x94\x91", "C:\\ws\\\xf0\x9f\x94\x91"),
    BAD("1:\\x", "no drive letter", "write C:"),
    BAD("::\\x", "no drive letter", "write C:"),
    BAD("\xc3\xa9:\\x", RELATIVE),
    BAD("C:", DRIVE_RELATIVE),
    BAD("C:x", DRIVE_RELATIVE),
    BAD("C:x\\y", DRIVE_RELATIVE),
    BAD("C:..\\x", DRIVE_RELATIVE),
    BAD("c:.", DRIVE_RELATIVE),
    BAD("\\x", ROOT_RELATIVE),
    BAD("/x", ROOT_RELATIVE),
    BAD("\\", ROOT_RELATIVE),
    BAD("/home/a/ws", ROOT_RELATIVE),
    BAD("\\Users\\a", ROOT_RELATIVE),
    BAD("", "is empty", "write C:"),
    BAD("x", RELATIVE),
    BAD("x\\y", RELATIVE),
    BAD(".\\x", RELATIVE),
    BAD("..\\x", RELATIVE),
    BAD("%USERPROFILE%\\.ssh", RELATIVE),
    BAD(" C:\\x", RELATIVE),
    BAD("file:///C:/x", RELATIVE),
    /* "." and ".." */
    GOOD("C:\\a\\.", "C:\\a"),
    GOOD("C:\\a\\.\\b", "C:\\a\\b"),
    GOOD("C:\\.\\a", "C:\\a"),
    GOOD("C:\\.", "C:\\"),
    GOOD("C:\\a\\..", "C:\\"),
    GOOD("C:\\a\\..\\b", "C:\\b"),
    GOOD("C:\\a\\b\\..\\..\\c", "C:\\c"),
    GOOD("C:/a/../b/./c", "C:\\b\\c"),
    GOOD("C:\\a\\b\\..\\", "C:\\a"),
    BAD("C:\\..", ABOVE),
    BAD("C:\\..\\x", ABOVE),
    BAD("C:\\a\\..\\..\\x", ABOVE),
    BAD("C:/../Windows", ABOVE),
    BAD("C:\\a\\...", DROPPED),
    BAD("C:\\a\\.. ", DROPPED),
    BAD("C:\\a\\. \\b", DROPPED),
    /* dropped ends */
    BAD("C:\\a.", DROPPED),
    BAD("C:\\a ", DROPPED),
    BAD("C:\\a..", DROPPED),
    BAD("C:\\a. ", DROPPED),
    BAD("C:\\a .", DROPPED),
    BAD("C:\\.env.", DROPPED),
    BAD("C:\\.env ", DROPPED),
    BAD("C:\\dir.\\x", DROPPED),
    BAD("C:\\dir \\x", DROPPED),
    BAD("\\\\?\\C:\\a.", DROPPED),
    BAD("\\\\?\\C:\\a \\b", DROPPED),
    BAD("C:\\ ", DROPPED),
    /* streams */
    BAD("C:\\a:b", STREAM),
    BAD("C:\\a::$DATA", STREAM),
    BAD("C:\\a:b:$DATA", STREAM),
    BAD("C:\\dir:$I30:$INDEX_ALLOCATION", STREAM),
    BAD("C:\\dir::$INDEX_ALLOCATION\\x", STREAM),
    BAD("C:\\:x", STREAM),
    BAD("C:\\a\\C:\\b", STREAM),
    BAD("\\\\?\\C:\\a:b", STREAM),
    BAD("\\\\srv\\share\\a:b", STREAM),
    BAD("C:\\.env::$DATA", STREAM),
    /* devices */
    BAD("C:\\CON", DEVICE),
    BAD("C:\\con", DEVICE),
    BAD("C:\\a\\PRN", DEVICE),
    BAD("C:\\a\\Aux", DEVICE),
    BAD("C:\\a\\nul", DEVICE),
    BAD("C:\\a\\NUL.txt", DEVICE),
    BAD("C:\\a\\nul.tar.gz", DEVICE),
    BAD("C:\\a\\nul .txt", DEVICE),
    BAD("C:\\a\\NUL   .x", DEVICE),
    BAD("C:\\a\\COM1", DEVICE),
    BAD("C:\\a\\com9.log", DEVICE),
    BAD("C:\\a\\COM0", DEVICE),
    BAD("C:\\a\\LPT1", DEVICE),
    BAD("C:\\a\\lpt9", DEVICE),
    BAD("C:\\a\\LPT5.x", DEVICE),
    BAD("C:\\a\\COM\xc2\xb9", DEVICE),
    BAD("C:\\a\\COM\xc2\xb2.txt", DEVICE),
    BAD("C:\\a\\LPT\xc2\xb3", DEVICE),
    BAD("C:\\a\\CONIN$", DEVICE),
    BAD("C:\\a\\conout$", DEVICE),
    BAD("C:\\CON\\x", DEVICE),
    BAD("C:\\aux.d\\x", DEVICE),
    BAD("\\\\?\\C:\\NUL", DEVICE),
    BAD("\\\\srv\\share\\nul", DEVICE),
    GOOD("C:\\a\\CONSOLE", "C:\\a\\CONSOLE"),
    GOOD("C:\\a\\CON1", "C:\\a\\CON1"),
    GOOD("C:\\a\\COM", "C:\\a\\COM"),
    GOOD("C:\\a\\COM10", "C:\\a\\COM10"),
    GOOD("C:\\a\\COMA", "C:\\a\\COMA"),
    GOOD("C:\\a\\COM\xc2\xb4", "C:\\a\\COM\xc2\xb4"),
    GOOD("C:\\a\\xNUL", "C:\\a\\xNUL"),
    GOOD("C:\\a\\.nul", "C:\\a\\.nul"),
    GOOD("C:\\a\\nul-x", "C:\\a\\nul-x"),
    GOOD("C:\\a\\LPT", "C:\\a\\LPT"),
    GOOD("C:\\a\\CONIN", "C:\\a\\CONIN"),
    /* shortened names */
    BAD("C:\\PROGRA~1", SHORT),
    BAD("C:\\progra~1\\x", SHORT),
    BAD("C:\\a\\SECRET~1.ENV", SHORT),
    BAD("C:\\a\\SEC~12.TXT", SHORT),
    BAD("C:\\a\\A~1", SHORT),
    BAD("C:\\a\\AB12CD~9.x", SHORT),
    BAD("C:\\a\\GIT~1", SHORT),
    GOOD("C:\\a\\~1", "C:\\a\\~1"),
    GOOD("C:\\a\\x~", "C:\\a\\x~"),
    GOOD("C:\\a\\x~a", "C:\\a\\x~a"),
    GOOD("C:\\a\\x~1a", "C:\\a\\x~1a"),
    GOOD("C:\\a\\longname~1", "C:\\a\\longname~1"),
    GOOD("C:\\a\\x~1.json", "C:\\a\\x~1.json"),
    GOOD("C:\\a\\x~1.a.b", "C:\\a\\x~1.a.b"),
    /* characters */
    BAD("C:\\a<b", CHARACTER),
    BAD("C:\\a>b", CHARACTER),
    BAD("C:\\a\"b", CHARACTER),
    BAD("C:\\a|b", CHARACTER),
    BAD("C:\\a?b", CHARACTER),
    BAD("C:\\a*b", CHARACTER),
    BAD("C:\\*", CHARACTER),
    BAD("\\\\?\\C:\\a/b", CHARACTER),
    BAD("C:\\a\x01"
        "b",
        CONTROL),
    BAD("C:\\a\tb", CONTROL),
    BAD("C:\\a\nb", CONTROL),
    BAD("C:\\a\x1f", CONTROL),
    BAD("\x07", CONTROL),
    BAD("C:\\\xff", NOT_UTF8),
    BAD("C:\\\xc3", NOT_UTF8),
    BAD("C:\\\xc3(", NOT_UTF8),
    BAD("C:\\\xc0\xaf", NOT_UTF8),
    BAD("C:\\\xe0\x80\xaf", NOT_UTF8),
    BAD("C:\\\xed\xa0\x80", NOT_UTF8),
    BAD("C:\\\xf4\x90\x80\x80", NOT_UTF8),
    BAD("C:\\\xf0\x80\x80\xaf", NOT_UTF8),
    BAD("C:\\\x80", NOT_UTF8),
    /* shares */
    GOOD("\\\\srv\\share", "\\\\srv\\share\\"),
    GOOD("\\\\srv\\share\\", "\\\\srv\\share\\"),
    GOOD("\\\\srv\\share\\a\\b", "\\\\srv\\share\\a\\b"),
    GOOD("//srv/share/a/b", "\\\\srv\\share\\a\\b"),
    GOOD("\\\\srv/share\\a", "\\\\srv\\share\\a"),
    GOOD("\\/srv\\share\\a", "\\\\srv\\share\\a"),
    GOOD("\\\\srv\\share\\a\\..\\b", "\\\\srv\\share\\b"),
    GOOD("\\\\srv\\share\\\\a", "\\\\srv\\share\\a"),
    GOOD("\\\\10.0.0.7\\share\\a", "\\\\10.0.0.7\\share\\a"),
    GOOD("\\\\srv\\hidden$\\a", "\\\\srv\\hidden$\\a"),
    BAD("\\\\", NO_SHARE),
    BAD("\\\\srv", NO_SHARE),
    BAD("\\\\srv\\", NO_SHARE),
    BAD("\\\\\\share\\a", NO_SHARE),
    BAD("\\\\srv\\\\a", NO_SHARE),
    BAD("\\\\srv\\share\\..", ABOVE),
    BAD("\\\\srv\\share\\..\\other", ABOVE),
    BAD("\\\\localhost\\share\\a", NETWORK),
    BAD("\\\\LOCALHOST\\share\\a", NETWORK),
    BAD("\\\\127.0.0.1\\share\\a", NETWORK),
    BAD("\\\\127.8.8.8\\share", NETWORK),
    BAD("\\\\--1.ipv6-literal.net\\share\\a", NETWORK),
    BAD("\\\\srv\\C$\\a", NETWORK),
    BAD("\\\\srv\\c$", NETWORK),
    BAD("\\\\srv\\ADMIN$\\a", NETWORK),
    BAD("\\\\srv\\ipc$", NETWORK),
    BAD("\\\\srv.\\share\\a", DROPPED),
    BAD("\\\\srv\\share \\a", DROPPED),
    BAD("\\\\s?v\\share\\a", CHARACTER),
    BAD("\\\\srv\\sh*re\\a", CHARACTER),
    /* verbatim */
    GOOD("\\\\?\\C:\\", "C:\\"),
    GOOD("\\\\?\\c:\\a\\b", "C:\\a\\b"),
    GOOD("\\\\?\\C:\\a\\", "C:\\a"),
    GOOD("\\\\?\\UNC\\srv\\share\\a", "\\\\srv\\share\\a"),
    GOOD("\\\\?\\unc\\srv\\share", "\\\\srv\\share\\"),
    BAD("\\\\?\\C:", DRIVE_RELATIVE),
    BAD("\\\\?\\C:/a", DRIVE_RELATIVE),
    BAD("\\\\?\\C:\\a\\.\\b", "where it is a name", "without them"),
    BAD("\\\\?\\C:\\a\\..\\b", "where it is a name", "without them"),
    BAD("\\\\?\\C:\\a\\\\b", "an empty component", "one \\ at a time"),
    BAD("\\\\?\\UNC\\srv", NO_SHARE),
    BAD("\\\\?\\UNC\\localhost\\x", NETWORK),
    BAD("\\\\?\\UNC\\srv\\D$\\x", NETWORK),
    BAD("\\\\?\\Volume{0b0c0000-0000-0000-0000-100000000000}\\a", "a volume by its number",
        "drive letter"),
    BAD("\\\\?\\GLOBALROOT\\Device\\HarddiskVolume1\\a", KERNEL),
    BAD("\\\\?\\pipe\\x", "no drive and no share", "\\\\?\\C:"),
    BAD("\\\\?\\", "no drive and no share", "\\\\?\\C:"),
    BAD("\\\\?\\a", "no drive and no share", "\\\\?\\C:"),
    BAD("\\\\?\\\xc3\x84:\\a", "no drive and no share", "\\\\?\\C:"),
    BAD("//?/C:/a", TWO_WAYS),
    BAD("\\\\?/C:\\a", TWO_WAYS),
    BAD("/\\?\\C:\\a", TWO_WAYS),
    BAD("\\\\?", TWO_WAYS),
    /* other namespaces */
    BAD("\\\\.\\C:\\a", DEVICE_SPACE),
    BAD("//./C:/a", DEVICE_SPACE),
    BAD("\\\\.\\PhysicalDrive0", DEVICE_SPACE),
    BAD("\\\\.\\pipe\\x", DEVICE_SPACE),
    BAD("\\\\.", DEVICE_SPACE),
    BAD("\\\\./NUL", DEVICE_SPACE),
    BAD("\\??\\C:\\a", KERNEL),
    BAD("\\Device\\HarddiskVolume1\\a", KERNEL),
    BAD("\\DosDevices\\C:\\a", KERNEL),
    BAD("\\GLOBAL??\\C:\\a", KERNEL),
    BAD("/Device/Mup/srv/share", ROOT_RELATIVE),
};

static struct arena arena;

static enum cordon_err read_path(const char *spelled, const char *base, struct win_path *ret_path,
                                 struct cordon_fault *fault)
{
    return win_path_read(spelled, strlen(spelled), base, &arena, ret_path, fault);
}

static bool row_holds(const struct row *row)
{
    struct cordon_fault fault = {.err = CORDON_OK};
    struct win_path path = {.text = NULL};
    enum cordon_err err = read_path(row->spelled, NULL, &path, &fault);

    if (row->text != NULL) {
        return err == CORDON_OK && strcmp(path.text, row->text) == 0;
    }
    return err == CORDON_E_INVALID && path.text == NULL && strstr(fault.text, row->what) != NULL &&
           strstr(fault.remedy, row->remedy) != NULL;
}

TEST(every_spelling_has_one_normal_form_or_a_refusal_that_says_why)
{
    size_t failed = 0;

    arena_init(&arena, (size_t)1 << 22);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!row_holds(&rows[i])) {
            struct cordon_fault fault = {.err = CORDON_OK};
            struct win_path path = {.text = "(refused)"};

            (void)read_path(rows[i].spelled, NULL, &path, &fault);
            (void)fprintf(stderr, "row %zu: %s: got %s; %s; %s\n", i, rows[i].spelled, path.text,
                          fault.text, fault.remedy);
            failed++;
        }
    }
    arena_deinit(&arena);
    CHECK(sizeof(rows) / sizeof(rows[0]) >= 150);
    CHECK(failed == 0);
}

TEST(a_normal_form_is_its_own_normal_form)
{
    arena_init(&arena, (size_t)1 << 22);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct win_path first;
        struct win_path again;

        if (rows[i].text == NULL) {
            continue;
        }
        CHECK(read_path(rows[i].spelled, NULL, &first, NULL) == CORDON_OK);
        CHECK(read_path(first.text, NULL, &again, NULL) == CORDON_OK);
        CHECK_STR(again.text, first.text);
        CHECK_STR(again.key, first.key);
        CHECK(again.depth == first.depth && again.kind == first.kind);
    }
    arena_deinit(&arena);
}

/* Each pair: two spellings, and whether they are one place. */
static const struct {
    const char *a;
    const char *b;
    bool same;
} pairs[] = {
    {"C:\\Users\\A", "c:/users/a/", true},
    {"\\\\?\\C:\\Users", "C:\\USERS", true},
    {"\\\\SRV\\Share\\x", "//srv/share/X", true},
    {"\\\\?\\UNC\\srv\\share\\x", "\\\\srv\\share\\x", true},
    {"C:\\gr\xc3\xb6n", "C:\\GR\xc3\x96N", true},
    {"C:\\\xc3\xbf", "C:\\\xc5\xb8", true},
    {"C:\\\xd0\xb6", "C:\\\xd0\x96", true},
    {"C:\\\xce\xb1", "C:\\\xce\x91", true},
    {"C:\\\xef\xbd\x81", "C:\\\xef\xbc\xa1", true},
    {"C:\\stra\xc3\x9f"
     "e",
     "C:\\STRASSE", false},
    {"C:\\\xc4\xb1", "C:\\I", false},
    {"C:\\\xc5\xbf", "C:\\S", false},
    {"C:\\\xe2\x84\xaa", "C:\\k", false},
    {"C:\\\xcf\x82", "C:\\\xce\xa3", false},
    {"C:\\\xf0\x90\x90\xa8", "C:\\\xf0\x90\x90\x80", false},
    {"C:\\e\xcc\x81", "C:\\\xc3\xa9", false},
    {"C:\\a", "D:\\a", false},
    {"C:\\a b", "C:\\ab", false},
    {"C:\\a-b", "C:\\a_b", false},
};

TEST(names_are_compared_as_ntfs_does)
{
    arena_init(&arena, (size_t)1 << 22);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct win_path a;
        struct win_path b;

        CHECK(read_path(pairs[i].a, NULL, &a, NULL) == CORDON_OK);
        CHECK(read_path(pairs[i].b, NULL, &b, NULL) == CORDON_OK);
        if ((strcmp(a.key, b.key) == 0) != pairs[i].same) {
            (void)fprintf(stderr, "  %s and %s\n", pairs[i].a, pairs[i].b);
        }
        CHECK((strcmp(a.key, b.key) == 0) == pairs[i].same);
    }
    arena_deinit(&arena);
}

TEST(relative_spellings_are_taken_from_a_base_that_is_given)
{
    struct win_path path;
    struct cordon_fault fault;

    arena_init(&arena, (size_t)1 << 20);
    CHECK(read_path("b\\c", "C:\\a", &path, NULL) == CORDON_OK);
    CHECK_STR(path.text, "C:\\a\\b\\c");
    CHECK(path.depth == 3);
    CHECK(read_path("../x/", "C:\\a\\b", &path, NULL) == CORDON_OK);
    CHECK_STR(path.text, "C:\\a\\x");
    CHECK(path.directory);
    CHECK(read_path(".", "C:\\a", &path, NULL) == CORDON_OK);
    CHECK_STR(path.text, "C:\\a");
    CHECK(read_path("x", "\\\\srv\\share\\a", &path, NULL) == CORDON_OK);
    CHECK_STR(path.text, "\\\\srv\\share\\a\\x");
    CHECK(read_path("x", "C:\\", &path, NULL) == CORDON_OK);
    CHECK_STR(path.text, "C:\\x");
    CHECK(read_path("..\\..\\x", "C:\\a", &path, &fault) == CORDON_E_INVALID);
    CHECK(strstr(fault.text, "climbs above") != NULL);
    CHECK(read_path("\\x", "C:\\a", &path, &fault) == CORDON_E_INVALID);
    CHECK(read_path("D:x", "C:\\a", &path, &fault) == CORDON_E_INVALID);
    arena_deinit(&arena);
}

TEST(a_separator_at_the_end_says_directory)
{
    struct win_path path;

    arena_init(&arena, (size_t)1 << 20);
    CHECK(read_path("C:\\a\\", NULL, &path, NULL) == CORDON_OK && path.directory);
    CHECK(read_path("C:/a/", NULL, &path, NULL) == CORDON_OK && path.directory);
    CHECK(read_path("C:\\a", NULL, &path, NULL) == CORDON_OK && !path.directory);
    CHECK(read_path("C:\\", NULL, &path, NULL) == CORDON_OK && path.directory && path.depth == 0);
    arena_deinit(&arena);
}

/* "C:\" and @count times @unit. */
static enum cordon_err read_long(const char *unit, size_t count, struct cordon_fault *fault)
{
    static char text[200000];
    struct win_path path;
    size_t unit_len = strlen(unit);

    memcpy(text, "C:\\", 3);
    for (size_t i = 0; i < count; i++) {
        memcpy(text + 3 + i * unit_len, unit, unit_len);
    }
    return win_path_read(text, 3 + count * unit_len, NULL, &arena, &path, fault);
}

TEST(lengths_are_counted_as_windows_counts_them)
{
    struct cordon_fault fault;

    arena_init(&arena, (size_t)1 << 24);
    CHECK(read_long("x", 255, &fault) == CORDON_OK);
    CHECK(read_long("x", 256, &fault) == CORDON_E_INVALID);
    CHECK(strstr(fault.text, "longer than a name can be") != NULL);
    CHECK(read_long("\xe6\x97\xa5", 255, &fault) == CORDON_OK);
    CHECK(read_long("\xf0\x9f\x94\x91", 127, &fault) == CORDON_OK);
    CHECK(read_long("\xf0\x9f\x94\x91", 128, &fault) == CORDON_E_INVALID);
    CHECK(read_long("abc\\", 8189, &fault) == CORDON_OK);
    CHECK(read_long("abc\\", 8190, &fault) == CORDON_E_INVALID);
    CHECK(strstr(fault.text, "longer than a path can be") != NULL);
    arena_deinit(&arena);
}

TEST(a_nul_ends_nothing)
{
    struct win_path path;
    struct cordon_fault fault;

    arena_init(&arena, (size_t)1 << 16);
    CHECK(win_path_read("C:\\a\0b", 6, NULL, &arena, &path, &fault) == CORDON_E_INVALID);
    CHECK(strstr(fault.text, "control character") != NULL);
    arena_deinit(&arena);
}

TEST(an_exhausted_arena_is_an_error)
{
    size_t limit = 0;
    enum cordon_err err = CORDON_E_NOMEM;

    while (err == CORDON_E_NOMEM && limit < 4096) {
        struct win_path path;
        struct cordon_fault fault;

        arena_init(&arena, limit);
        err = read_path("C:\\Users\\a\\x", NULL, &path, &fault);
        arena_deinit(&arena);
        limit += 16;
    }
    CHECK(err == CORDON_OK);
    CHECK(limit > 64);
}

TEST(containment_is_by_components)
{
    CHECK(win_key_covers("C:\\A", "C:\\A"));
    CHECK(win_key_covers("C:\\A", "C:\\A\\B"));
    CHECK(win_key_covers("C:", "C:\\A"));
    CHECK(!win_key_covers("C:\\A", "C:\\AB"));
    CHECK(!win_key_covers("C:\\A\\B", "C:\\A"));
}

TEST_MAIN()

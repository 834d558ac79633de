/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden_plans CASES [--update]: for every CASES/NAME/case.txt the plans of all
 * systems, compared with CASES/NAME/{linux,macos,windows}.plan. With --update
 * (or CORDON_UPDATE_GOLDEN=1) the files are written instead.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/golden/plan_case.h"

#define CASE_MAX 65536U

struct run {
    const char *cases;
    bool update;
    int compared;
    int failed;
};

static bool read_file(const char *path, char *ret_text, size_t size)
{
    FILE *file = fopen(path, "re");
    size_t len;

    if (file == NULL) {
        return false;
    }
    len = fread(ret_text, 1, size - 1, file);
    ret_text[len] = '\0';
    (void)fclose(file);
    return len < size - 1;
}

static bool write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    bool written;

    if (file == NULL) {
        return false;
    }
    written = fputs(text, file) >= 0;
    return fclose(file) == 0 && written;
}

static void report(struct run *run, const char *path, const char *what)
{
    (void)fprintf(stderr, "FAIL %s: %s\n", path, what);
    run->failed++;
}

static void compare(struct run *run, const char *path, const char *got)
{
    static char want[CASE_MAX];

    run->compared++;
    if (run->update) {
        if (!write_file(path, got)) {
            report(run, path, "cannot be written");
        }
    } else if (!read_file(path, want, sizeof(want))) {
        report(run, path, "missing; run golden_plans CASES --update");
    } else if (strcmp(want, got) != 0) {
        report(run, path, "differs; this is what the planner says now");
        (void)fputs(got, stderr);
    }
}

static void run_case(struct run *run, const char *name)
{
    static char text[CASE_MAX];
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/%s/case.txt", run->cases, name);
    if (!read_file(path, text, sizeof(text))) {
        report(run, path, "cannot be read");
        return;
    }
    for (int os = POLICY_OS_LINUX; os <= POLICY_OS_WINDOWS; os++) {
        struct plan_case plan_case;
        struct strbuf out = STRBUF_INIT;

        if (plan_case_parse(&plan_case, text)) {
            plan_case_print(&plan_case, (enum policy_os)os, false, &out);
            (void)snprintf(path, sizeof(path), "%s/%s/%s.plan", run->cases, name,
                           plan_os_name((enum policy_os)os));
            compare(run, path, strbuf_text(&out));
        } else {
            report(run, path, "does not parse");
        }
        plan_case_deinit(&plan_case);
        strbuf_deinit(&out);
    }
}

static int is_case(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct run run = {.cases = argc > 1 ? argv[1] : "."};
    struct dirent **names = NULL;
    const char *wish = getenv("CORDON_UPDATE_GOLDEN");
    int count = scandir(run.cases, &names, is_case, alphasort);

    run.update =
        (argc > 2 && strcmp(argv[2], "--update") == 0) || (wish != NULL && strcmp(wish, "1") == 0);
    for (int i = 0; i < count; i++) {
        run_case(&run, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    (void)printf("%d plans, %d failed\n", run.compared, run.failed);
    return run.failed != 0 || run.compared == 0;
}

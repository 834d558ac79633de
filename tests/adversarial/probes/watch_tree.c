/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LG-07: names everything that is created, removed, renamed or written in a
 * tree while it runs. watch_tree DIR FILE: reports to FILE, "ready" first,
 * until it is killed. Directories that appear later are not entered: their
 * appearance is what the test looks for.
 */
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static int watcher;
static int report;

static int add(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)walk;
    if (type == FTW_D) {
        (void)inotify_add_watch(watcher, path,
                                IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY |
                                    IN_ATTRIB | IN_DELETE_SELF | IN_ONLYDIR);
    }
    return 0;
}

static void tell(const struct inotify_event *event)
{
    char line[NAME_MAX + 64];
    int len =
        snprintf(line, sizeof(line), "%#x %s\n", event->mask, event->len > 0 ? event->name : ".");

    (void)!write(report, line, (size_t)len);
}

int main(int argc, char **argv)
{
    char events[1 << 14] __attribute__((aligned(8)));
    ssize_t len;

    if (argc != 3) {
        return 64;
    }
    watcher = inotify_init1(IN_CLOEXEC);
    report = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    if (watcher < 0 || report < 0 || nftw(argv[1], add, 16, FTW_PHYS) != 0) {
        return 1;
    }
    (void)!write(report, "ready\n", 6);
    while ((len = read(watcher, events, sizeof(events))) > 0) {
        for (ssize_t at = 0; at < len;) {
            const struct inotify_event *event = (const void *)(events + at);

            tell(event);
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
    return 0;
}

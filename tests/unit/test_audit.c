/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broker/audit.h"
#include "broker/audit_fields.h"
#include "tests/support/check.h"

#define PAGE_MAX ((size_t)64U * 1024U)

static char page[PAGE_MAX];

static void load(void)
{
    FILE *file = fopen(MAN_FOLDER "/cordond.8", "r");
    size_t len;

    CHECK(file != NULL);
    len = fread(page, 1, sizeof(page) - 1, file);
    page[len] = '\0';
    (void)fclose(file);
}

/* An event that has every field which its kind can have. */
static struct audit_event whole(enum audit_event_kind kind)
{
    static const struct ipc_violation what = {.operation = IPC_OPERATION_OPEN,
                                              .mechanism = IPC_MECHANISM_FANOTIFY,
                                              .path = "/srv/secret",
                                              .comm = "cat",
                                              .pid = 12};
    static const struct audit_denial denial = {&what, "deny_read[0]", "/etc/x.toml:3", 5};
    static const struct ipc_usage usage = {.known = (1U << IPC_USAGE_COUNT) - 1U};
    static const struct cordon_fault fault = {
        .err = CORDON_E_DENIED, .text = "no", .remedy = "do not"};

    return (struct audit_event){.kind = kind,
                                .job = 7,
                                .uid = 1000,
                                .pid = 11,
                                .command = "make",
                                .policy_hash = "abc",
                                .generation = 2,
                                .outcome = "exited",
                                .code = 3,
                                .usage = &usage,
                                .limit = "wall_s",
                                .fault = kind == AUDIT_VIOLATION ? NULL : &fault,
                                .denial = kind == AUDIT_VIOLATION ? &denial : NULL};
}

TEST(every_field_and_message_id_is_in_the_manual)
{
    load();
    for (int kind = AUDIT_START; kind <= AUDIT_VIOLATION; kind++) {
        const struct audit_event event = whole((enum audit_event_kind)kind);
        struct audit_fields fields;

        CHECK(strlen(audit_message_id(event.kind)) == 32);
        CHECK(strstr(page, audit_message_id(event.kind)) != NULL);
        audit_fields_of(&event, &fields);
        CHECK(fields.count < AUDIT_FIELDS_MAX);
        for (size_t i = 0; i < fields.count; i++) {
            char name[64] = ".It Li CORDON_";
            size_t len = strlen(name);

            for (const char *at = fields.items[i].name; *at != '\0'; at++) {
                name[len++] = (char)toupper((unsigned char)*at);
            }
            name[len++] = '\n';
            name[len] = '\0';
            if (strstr(page, name) == NULL) {
                (void)fprintf(stderr, "missing: %s", name);
            }
            CHECK(strstr(page, name) != NULL);
        }
    }
}

static bool says(enum audit_event_kind kind, const char *want)
{
    const struct audit_event event = whole(kind);
    struct strbuf line = STRBUF_INIT;
    bool same;

    audit_message(&event, &line);
    same = strcmp(strbuf_text(&line), want) == 0;
    if (!same) {
        (void)fprintf(stderr, "got: %s\n", strbuf_text(&line));
    }
    strbuf_deinit(&line);
    return same;
}

TEST(a_record_is_one_line_for_a_person)
{
    CHECK(says(AUDIT_START, "job 7 of user 1000: started make"));
    CHECK(says(AUDIT_END, "job 7 of user 1000: exited 3: no; do not"));
    CHECK(says(AUDIT_REFUSED, "job 7 of user 1000: refused: no; do not"));
    CHECK(says(AUDIT_ALARM, "managed policy: no; do not"));
    CHECK(says(AUDIT_VIOLATION, "job 7 of user 1000: denied open /srv/secret (deny_read[0], "
                                "/etc/x.toml:3) by cat[12]"));
}

TEST(an_alarm_is_about_no_job)
{
    const struct audit_event event = whole(AUDIT_ALARM);
    struct audit_fields fields;

    audit_fields_of(&event, &fields);
    for (size_t i = 0; i < fields.count; i++) {
        CHECK(strcmp(fields.items[i].name, "job") != 0);
        CHECK(strcmp(fields.items[i].name, "uid") != 0);
    }
}

/* What descriptor @fd has, from its beginning. */
static bool holds(int fd, const char *want)
{
    char text[4096];
    ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

    text[len < 0 ? 0 : len] = '\0';
    return strstr(text, want) != NULL;
}

TEST(a_record_is_in_the_file_or_in_the_log_and_an_alarm_in_both)
{
    const struct audit_event start = whole(AUDIT_START), alarm = whole(AUDIT_ALARM);
    struct audit audit = {.line_fd = memfd_create("log", 0), .record_fd = -1};

    audit.sink_fd = memfd_create("sink", 0);
    CHECK(audit.line_fd >= 0 && audit.sink_fd >= 0);
    audit_record(&audit, &start);
    CHECK(holds(audit.sink_fd, "\"event\":\"start\"") && !holds(audit.line_fd, "start"));
    audit_record(&audit, &alarm);
    CHECK(holds(audit.sink_fd, "alarm") && holds(audit.line_fd, "alarm"));
    /* A disk that is full. */
    CHECK(close(audit.sink_fd) == 0);
    audit.sink_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    CHECK(audit.sink_fd >= 0);
    audit_record(&audit, &start);
    CHECK(holds(audit.line_fd, "\"event\":\"start\""));
    CHECK(close(audit.sink_fd) == 0 && close(audit.line_fd) == 0);
}

TEST_MAIN()

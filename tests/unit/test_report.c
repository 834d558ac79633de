/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "broker/report.h"
#include "platform/ipc.h"
#include "tests/support/check.h"

static struct {
    struct ipc_status status;
    struct ipc_status_user users[2];
} status_block;

static struct {
    struct ipc_jobs_head head;
    struct ipc_job jobs[2];
} jobs_block;

static void begin(void)
{
    memset(&status_block, 0, sizeof(status_block));
    status_block.status = (struct ipc_status){.magic = IPC_MAGIC,
                                              .user_count = 2,
                                              .all = 1,
                                              .pid = 42,
                                              .uptime_ms = 90061000,
                                              .generation = 3,
                                              .managed_files = 2,
                                              .mechanism = IPC_MECHANISM_BPF,
                                              .version = "1.2",
                                              .backend = "linux"};
    status_block.users[0] = (struct ipc_status_user){.uid = 7, .jobs = 5, .name = "anna"};
    status_block.users[1] = (struct ipc_status_user){.uid = 8};
    memset(&jobs_block, 0, sizeof(jobs_block));
    jobs_block.head = (struct ipc_jobs_head){.magic = IPC_MAGIC, .count = 2, .all = 1};
    jobs_block.jobs[0] = (struct ipc_job){.job = 12,
                                          .uid = 7,
                                          .pid = 99,
                                          .elapsed_ms = 1500,
                                          .denied = 4,
                                          .mechanism = IPC_MECHANISM_FANOTIFY,
                                          .user = "anna",
                                          .command = "make \x1b[2J\n\"x\""};
    jobs_block.jobs[1] = (struct ipc_job){.job = 13, .uid = 8, .command = "ls"};
}

static bool make(report_fn *report, bool json, struct strbuf *out, bool *ret_failed)
{
    struct report_options options = {.json = json};
    const bool status = report != report_jobs;
    bool made;

    out->len = 0;
    made = report(status ? (const void *)&status_block : (const void *)&jobs_block,
                  status ? sizeof(status_block) : sizeof(jobs_block), &options, out);
    if (ret_failed != NULL) {
        *ret_failed = options.failed;
    }
    return made;
}

static bool says(const struct strbuf *out, const char *text)
{
    return strstr(strbuf_text(out), text) != NULL;
}

TEST(status_tells_the_service_and_each_user)
{
    struct strbuf out = STRBUF_INIT;

    begin();
    CHECK(make(report_status, false, &out, NULL));
    CHECK(says(&out, "cordond 1.2, service, pid 42, up 1 d 01:01:01\n"));
    CHECK(says(&out, "enforcement  bpf by linux\n"));
    CHECK(says(&out, "generation 3, 2 files\n"));
    CHECK(says(&out, "\nanna ") && says(&out, "\n8 "));
    CHECK(make(report_status, true, &out, NULL));
    CHECK(says(&out,
               "\"generation\":3,\"files\":2,\"refused\":false,\"error\":null,\"warning\":null"));
    CHECK(says(&out, "{\"uid\":8,\"user\":null,"));
    strbuf_deinit(&out);
}

TEST(totals_are_for_root_alone)
{
    struct strbuf out = STRBUF_INIT;

    begin();
    status_block.status.all = 0;
    CHECK(make(report_status, false, &out, NULL) && !says(&out, "total"));
    CHECK(make(report_status, true, &out, NULL) && says(&out, "\"total\":null"));
    begin();
    jobs_block.head.all = 0;
    CHECK(make(report_jobs, false, &out, NULL) && !says(&out, "USER") && !says(&out, "anna"));
    strbuf_deinit(&out);
}

TEST(a_reload_fails_where_the_files_are_not_in_force)
{
    struct strbuf out = STRBUF_INIT;
    bool failed = true;

    begin();
    CHECK(make(report_reload, false, &out, &failed) && !failed);
    CHECK_STR(strbuf_text(&out), "generation 3, 2 files\n");
    status_block.status.fault = (struct ipc_fault){
        .err = CORDON_E_SYNTAX, .text = "/etc/x.toml:1:7: odd\x1b", .remedy = "mend it"};
    CHECK(make(report_reload, false, &out, &failed) && failed);
    CHECK(says(&out, "generation 3, 2 files; the latest update is broken: "
                     "/etc/x.toml:1:7: odd\\x1b; mend it\n"));
    CHECK(make(report_reload, true, &out, &failed) && failed);
    CHECK(says(&out, "{\"ok\":false,\"generation\":3,") && says(&out, "\"remedy\":\"mend it\""));
    status_block.status.generation = 0;
    status_block.status.refused = 1;
    CHECK(make(report_reload, false, &out, &failed) &&
          says(&out, "no generation in force, every job is refused: /etc/x"));
    strbuf_deinit(&out);
}

TEST(what_is_in_force_but_too_old_is_a_warning_and_no_failure)
{
    struct strbuf out = STRBUF_INIT;
    bool failed = true;

    begin();
    status_block.status.fault = (struct ipc_fault){
        .err = CORDON_E_TIMEOUT, .text = "not confirmed", .remedy = "is cordon-fetch running?"};
    status_block.status.warning = 1;
    CHECK(make(report_reload, false, &out, &failed) && !failed);
    CHECK_STR(strbuf_text(&out), "generation 3, 2 files; warning: not confirmed; is cordon-fetch "
                                 "running?\n");
    CHECK(make(report_reload, true, &out, &failed) && !failed);
    CHECK(says(&out, "{\"ok\":true,") && says(&out, "\"error\":null,\"warning\":{\"text\":\"not "));
    CHECK(make(report_status, false, &out, NULL) && !says(&out, "broken"));
    /* Where fetch.toml refuses it, it is one. */
    status_block.status.warning = 0;
    status_block.status.refused = 1;
    CHECK(make(report_reload, false, &out, &failed) && failed);
    CHECK(says(&out, "2 files, every job is refused: not confirmed; ") && !says(&out, "broken"));
    CHECK(make(report_reload, true, &out, &failed) && says(&out, "\"warning\":null"));
    strbuf_deinit(&out);
}

TEST(lg01_what_a_job_is_called_is_one_line_and_acts_on_no_terminal)
{
    struct strbuf out = STRBUF_INIT;
    const char *end;

    begin();
    CHECK(make(report_jobs, false, &out, NULL));
    CHECK(says(&out, "make \\x1b[2J\\n\"x\"\n") && !says(&out, "\x1b"));
    end = strchr(strbuf_text(&out), '\n');
    CHECK(end != NULL && strlen(end) > 1);
    CHECK(make(report_jobs, true, &out, NULL));
    CHECK(says(&out, "\"command\":\"make \\u001b[2J\\n\\\"x\\\"\""));
    CHECK(says(&out, "\"job\":\"12\",\"uid\":7,\"user\":\"anna\",\"pid\":99,"));
    CHECK(says(&out, "\"enforcement\":\"fanotify\"") && says(&out, "\"enforcement\":\"mounts\""));
    strbuf_deinit(&out);
}

TEST(text_without_an_end_stays_in_its_field)
{
    struct strbuf out = STRBUF_INIT;

    begin();
    memset(jobs_block.jobs[0].command, 'c', sizeof(jobs_block.jobs[0].command));
    memset(jobs_block.jobs[0].policy_hash, 'h', sizeof(jobs_block.jobs[0].policy_hash));
    memset(status_block.status.version, 'v', sizeof(status_block.status.version));
    memset(status_block.users[0].name, 'n', sizeof(status_block.users[0].name));
    CHECK(make(report_jobs, false, &out, NULL) && !says(&out, "ch"));
    CHECK(make(report_status, false, &out, NULL));
    strbuf_deinit(&out);
}

TEST(a_block_that_is_cut_or_of_another_kind_is_none)
{
    struct report_options options = {.json = true};
    struct strbuf out = STRBUF_INIT;

    begin();
    for (size_t len = 0; len < sizeof(jobs_block); len++) {
        CHECK(!report_jobs(&jobs_block, len, &options, &out));
    }
    for (size_t len = 0; len < sizeof(status_block); len++) {
        CHECK(!report_status(&status_block, len, &options, &out));
        CHECK(!report_reload(&status_block, len, &options, &out));
    }
    jobs_block.head.magic = 0;
    status_block.status.magic = 0;
    CHECK(!make(report_jobs, true, &out, NULL) && !make(report_status, true, &out, NULL));
    strbuf_deinit(&out);
}

TEST_MAIN()

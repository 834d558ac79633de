/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/report.h"

#include <stdio.h>
#include <string.h>

#include "broker/names.h"
#include "platform/base/jsonw.h"
#include "platform/host.h"
#include "platform/ipc.h"

/* "bpf", "fanotify", or @none. */
static const char *mechanism(uint32_t number, const char *none)
{
    return number == 0 ? none : denial_mechanism((uint16_t)number);
}

/* The user's name, else his number. */
static void put_name(struct strbuf *out, const char *name, uint32_t uid, int width)
{
    struct strbuf text = STRBUF_INIT;

    if (name[0] == '\0') {
        strbuf_printf(&text, "%u", (unsigned)uid);
    } else {
        strbuf_plain(&text, name);
    }
    strbuf_printf(out, "%-*s", width, strbuf_text(&text));
    out->failed = out->failed || text.failed;
    strbuf_deinit(&text);
}

/* "3 d 04:05:06" */
static void put_span(struct strbuf *out, uint64_t ms)
{
    const uint64_t s = ms / 1000;

    if (s >= 86400) {
        strbuf_printf(out, "%llu d ", (unsigned long long)(s / 86400));
    }
    strbuf_printf(out, "%02u:%02u:%02u", (unsigned)(s / 3600 % 24), (unsigned)(s / 60 % 60),
                  (unsigned)(s % 60));
}

static void put_fault(struct jsonw *json, const char *name, const struct ipc_fault *fault)
{
    if (fault == NULL) {
        jsonw_string(json, name, NULL);
        return;
    }
    jsonw_object(json, name);
    jsonw_string(json, "text", fault->text);
    jsonw_string(json, "remedy", fault->remedy[0] == '\0' ? NULL : fault->remedy);
    jsonw_object_end(json);
}

/* ---- status ---- */

/* What was read last is not in force, or lets no job start. */
static bool is_broken(const struct ipc_status *status)
{
    return status->fault.err != CORDON_OK && status->warning == 0;
}

static void put_trouble(struct jsonw *json, const struct ipc_status *status)
{
    put_fault(json, "error", is_broken(status) ? &status->fault : NULL);
    put_fault(json, "warning", status->warning != 0 ? &status->fault : NULL);
}

/* Takes the head and leaves *ret_users in front of its rows, which are all there. */
static bool status_open(const void *block, size_t len, struct ipc_status *ret_status,
                        const char **ret_users)
{
    struct ipc_status status;

    if (len < sizeof(status)) {
        return false;
    }
    memcpy(&status, block, sizeof(status));
    if (status.magic != IPC_MAGIC ||
        (len - sizeof(status)) / sizeof(struct ipc_status_user) != status.user_count) {
        return false;
    }
    status.version[sizeof(status.version) - 1] = '\0';
    status.backend[sizeof(status.backend) - 1] = '\0';
    status.fault.text[sizeof(status.fault.text) - 1] = '\0';
    status.fault.remedy[sizeof(status.fault.remedy) - 1] = '\0';
    *ret_status = status;
    *ret_users = (const char *)block + sizeof(status);
    return true;
}

static struct ipc_status_user user_at(const char *users, uint32_t index)
{
    struct ipc_status_user user;

    memcpy(&user, users + index * sizeof(user), sizeof(user));
    user.name[sizeof(user.name) - 1] = '\0';
    return user;
}

static void status_users_json(const struct ipc_status *status, const char *users,
                              struct jsonw *json)
{
    jsonw_array(json, "users");
    for (uint32_t i = 0; i < status->user_count; i++) {
        const struct ipc_status_user user = user_at(users, i);

        jsonw_object(json, NULL);
        jsonw_uint(json, "uid", user.uid);
        jsonw_string(json, "user", user.name[0] == '\0' ? NULL : user.name);
        jsonw_uint(json, "sessions", user.sessions);
        jsonw_uint(json, "jobs", user.jobs);
        jsonw_uint(json, "workers", user.workers);
        jsonw_object_end(json);
    }
    jsonw_array_end(json);
}

static void status_json(const struct ipc_status *status, const char *users,
                        const struct report_options *options, struct jsonw *json)
{
    char time[HOST_TIME_MAX];

    host_time_of(status->start_ms, time);
    jsonw_object(json, NULL);
    jsonw_string(json, "version", status->version);
    jsonw_string(json, "mode", options->embedded ? "embedded" : "service");
    jsonw_int(json, "pid", status->pid);
    jsonw_string(json, "start", time);
    jsonw_uint(json, "uptime_ms", status->uptime_ms);
    jsonw_string(json, "backend", status->backend);
    jsonw_string(json, "enforcement", mechanism(status->mechanism, "snapshot"));
    jsonw_object(json, "managed");
    jsonw_uint(json, "generation", status->generation);
    jsonw_uint(json, "files", status->managed_files);
    jsonw_bool(json, "refused", status->refused != 0);
    put_trouble(json, status);
    jsonw_object_end(json);
    jsonw_object(json, "quota");
    jsonw_uint(json, "sessions", status->sessions_each);
    jsonw_uint(json, "jobs", status->jobs_each);
    jsonw_object_end(json);
    status_users_json(status, users, json);
    if (status->all == 0) {
        jsonw_string(json, "total", NULL);
    } else {
        jsonw_object(json, "total");
        jsonw_uint(json, "sessions", status->sessions);
        jsonw_uint(json, "sessions_max", status->sessions_max);
        jsonw_uint(json, "jobs", status->jobs);
        jsonw_uint(json, "jobs_max", status->jobs_max);
        jsonw_uint(json, "workers", status->workers);
        jsonw_object_end(json);
    }
    jsonw_object_end(json);
    jsonw_newline(json);
}

static void managed_line(const struct ipc_status *status, struct strbuf *out)
{
    if (status->generation == 0) {
        strbuf_puts(out, "no generation in force");
    } else {
        strbuf_printf(out, "generation %llu, %u file%s", (unsigned long long)status->generation,
                      status->managed_files, status->managed_files == 1 ? "" : "s");
    }
    if (status->fault.err != CORDON_OK) {
        strbuf_puts(out, status->refused != 0   ? ", every job is refused: "
                         : status->warning != 0 ? "; warning: "
                                                : "; the latest update is broken: ");
        strbuf_plain(out, status->fault.text);
        if (status->fault.remedy[0] != '\0') {
            strbuf_puts(out, "; ");
            strbuf_plain(out, status->fault.remedy);
        }
    }
    strbuf_puts(out, "\n");
}

static void status_text(const struct ipc_status *status, const char *users,
                        const struct report_options *options, struct strbuf *out)
{
    strbuf_printf(out, "cordond %s, %s, pid %d, up ", status->version,
                  options->embedded ? "embedded" : "service", (int)status->pid);
    put_span(out, status->uptime_ms);
    strbuf_printf(out, "\nenforcement  %s by %s\nmanaged      ",
                  mechanism(status->mechanism, "snapshot"), status->backend);
    managed_line(status, out);
    if (status->all != 0) {
        strbuf_printf(out, "total        %u of %u sessions, %u of %u jobs, %u worker%s\n",
                      status->sessions, status->sessions_max, status->jobs, status->jobs_max,
                      status->workers, status->workers == 1 ? "" : "s");
    }
    for (uint32_t i = 0; i < status->user_count; i++) {
        const struct ipc_status_user user = user_at(users, i);

        put_name(out, user.name, user.uid, 12);
        strbuf_printf(out, " %u of %u sessions, %u of %u jobs, %u worker%s\n", user.sessions,
                      status->sessions_each, user.jobs, status->jobs_each, user.workers,
                      user.workers == 1 ? "" : "s");
    }
}

bool report_status(const void *block, size_t len, struct report_options *options,
                   struct strbuf *out)
{
    struct jsonw json = JSONW_INIT(out);
    struct ipc_status status;
    const char *users;

    if (!status_open(block, len, &status, &users)) {
        return false;
    }
    if (options->json) {
        status_json(&status, users, options, &json);
    } else {
        status_text(&status, users, options, out);
    }
    return true;
}

bool report_reload(const void *block, size_t len, struct report_options *options,
                   struct strbuf *out)
{
    struct jsonw json = JSONW_INIT(out);
    struct ipc_status status;
    const char *users;

    if (!status_open(block, len, &status, &users)) {
        return false;
    }
    options->failed = is_broken(&status);
    if (!options->json) {
        managed_line(&status, out);
        return true;
    }
    jsonw_object(&json, NULL);
    jsonw_bool(&json, "ok", !options->failed);
    jsonw_uint(&json, "generation", status.generation);
    jsonw_uint(&json, "files", status.managed_files);
    jsonw_bool(&json, "refused", status.refused != 0);
    put_trouble(&json, &status);
    jsonw_object_end(&json);
    jsonw_newline(&json);
    return true;
}

/* ---- jobs ---- */

static struct ipc_job job_at(const char *jobs, uint32_t index)
{
    struct ipc_job job;

    memcpy(&job, jobs + index * sizeof(job), sizeof(job));
    job.user[sizeof(job.user) - 1] = '\0';
    job.command[sizeof(job.command) - 1] = '\0';
    job.policy_hash[sizeof(job.policy_hash) - 1] = '\0';
    return job;
}

static void job_json(const struct ipc_job *job, struct jsonw *json)
{
    char time[HOST_TIME_MAX];
    char number[24];

    host_time_of(job->start_ms, time);
    (void)snprintf(number, sizeof(number), "%llu", (unsigned long long)job->job);
    jsonw_object(json, NULL);
    jsonw_string(json, "job", number);
    jsonw_uint(json, "uid", job->uid);
    jsonw_string(json, "user", job->user[0] == '\0' ? NULL : job->user);
    jsonw_int(json, "pid", job->pid);
    jsonw_string(json, "command", job->command);
    jsonw_string(json, "start", time);
    jsonw_uint(json, "elapsed_ms", job->elapsed_ms);
    jsonw_string(json, "enforcement", mechanism(job->mechanism, "mounts"));
    jsonw_uint(json, "generation", job->generation);
    jsonw_string(json, "policy", job->policy_hash);
    jsonw_uint(json, "violations", job->denied);
    jsonw_object_end(json);
}

static void job_line(const struct ipc_job *job, bool all, struct strbuf *out)
{
    struct strbuf span = STRBUF_INIT;
    char time[HOST_TIME_MAX];

    host_time_of(job->start_ms, time);
    put_span(&span, job->elapsed_ms);
    strbuf_printf(out, "%-8llu ", (unsigned long long)job->job);
    if (all) {
        put_name(out, job->user, job->uid, 12);
        strbuf_puts(out, " ");
    }
    strbuf_printf(out, "%-8d %s %10s  %-8s %10llu %10llu  ", (int)job->pid, time,
                  strbuf_text(&span), mechanism(job->mechanism, "mounts"),
                  (unsigned long long)job->generation, (unsigned long long)job->denied);
    strbuf_escape(out, job->command, strlen(job->command));
    strbuf_puts(out, "\n");
    strbuf_deinit(&span);
}

bool report_jobs(const void *block, size_t len, struct report_options *options, struct strbuf *out)
{
    struct jsonw json = JSONW_INIT(out);
    struct ipc_jobs_head head;
    const char *jobs;

    if (len < sizeof(head)) {
        return false;
    }
    memcpy(&head, block, sizeof(head));
    jobs = (const char *)block + sizeof(head);
    if (head.magic != IPC_MAGIC || (len - sizeof(head)) / sizeof(struct ipc_job) != head.count) {
        return false;
    }
    if (options->json) {
        jsonw_object(&json, NULL);
        jsonw_array(&json, "jobs");
    } else {
        strbuf_printf(out, "%-8s %s%-8s %-24s %10s  %-8s %10s %10s  COMMAND\n", "ID",
                      head.all != 0 ? "USER         " : "", "PID", "START", "ELAPSED", "BY",
                      "GENERATION", "DENIED");
    }
    for (uint32_t i = 0; i < head.count; i++) {
        const struct ipc_job job = job_at(jobs, i);

        if (options->json) {
            job_json(&job, &json);
        } else {
            job_line(&job, head.all != 0, out);
        }
    }
    if (options->json) {
        jsonw_array_end(&json);
        jsonw_object_end(&json);
        jsonw_newline(&json);
    }
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "proto_samples.h"

static char arg_cmd[] = "make";
static char arg_odd[] = "-j2 \xff\n=";
static char arg_empty[] = "";
static char env_path[] = "PATH=/usr/bin";
static char env_odd[] = "no equals sign";
static char override_mode[] = "sandbox_mode=\"workspace-write\"";
static char override_text[] = "k=\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"";
static char notice[] = "1 rule holds as a snapshot";
static char *const argv_items[] = {arg_cmd, arg_odd, arg_empty};
static char *const env_items[] = {env_path, env_odd};
static char *const override_items[] = {override_mode, override_text};
static char *const notice_items[] = {notice};
static const uint32_t target_items[] = {3, 9, 65535};

#define CHOICE                                                                                     \
    {                                                                                              \
        .mode = "workspace-write", .profile = "dev", .overrides = {override_items, 2},             \
        .os = MSG_OS_LINUX, .cwd_display = "/home/a/\xfe", .codex_home = "/home/a/.codex",         \
        .tmpdir = "/tmp", .xdg_config_home = "/home/a/.config"                                     \
    }

static const struct message samples[SAMPLE_COUNT] = {
    {.type = CORDON_MSG_HELLO, .u.hello = {1, 3, "0.1.0"}},
    {.type = CORDON_MSG_SPAWN,
     .u.spawn = {.argv = {argv_items, 3},
                 .env = {env_items, 2},
                 .choice = CHOICE,
                 .log_denials = true,
                 .json = true,
                 .timeout_ms = 4294967295U,
                 .stdin_tty = true,
                 .stdout_tty = true,
                 .stderr_tty = true,
                 .term_rows = 24,
                 .term_cols = 65535,
                 .fd_targets = {target_items, 3}}},
    {.type = CORDON_MSG_SIGNAL, .u.signal = {"job-1", 15}},
    {.type = CORDON_MSG_PLAN, .u.plan = {.choice = CHOICE, .json = true}},
    {.type = CORDON_MSG_STATUS, .u.status = {MSG_REPORT_JOBS, true}},
    {.type = CORDON_MSG_BYE},
    {.type = CORDON_MSG_VIOLATIONS, .u.violations = {true}},
    {.type = CORDON_MSG_KILL, .u.kill = {"12", 15}},
    {.type = CORDON_MSG_RELOAD, .u.reload = {true}},
    {.type = CORDON_MSG_WELCOME, .u.welcome = {1, "0.1.0", MSG_BROKER_SERVICE}},
    {.type = CORDON_MSG_STARTED, .u.started = {"job-1", true, {notice_items, 1}}},
    {.type = CORDON_MSG_EXITED, .u.exited = {"job-1", MSG_EXIT_SIGNALLED, 9, 2, "memory_mib = 9"}},
    {.type = CORDON_MSG_FAILED, .u.failed = {CORDON_E_DENIED, "denied \xff", "ask root", 125}},
    {.type = CORDON_MSG_PLAN_TEXT, .u.plan_text = {"view: read-only root\n"}},
    {.type = CORDON_MSG_STATUS_TEXT, .u.status_text = {"{\"jobs\":[]}", true}},
    {.type = CORDON_MSG_VIOLATION,
     .u.violation = {"open", "/home/a/.ssh/id", "deny_read[2]", "/etc/cordon/requirements.toml:7",
                     "cat", 4121, "12", 1000, "2026-01-31T23:59:59.123Z", "fanotify"}},
    {.type = CORDON_MSG_VIOLATIONS_TOLD, .u.violations_told = {4294967295U, true}},
};

struct message sample_message(size_t index)
{
    return samples[index];
}

void wire_varint(struct strbuf *out, uint64_t value)
{
    char byte;

    while (value >= 0x80) {
        byte = (char)(unsigned char)(value | 0x80);
        strbuf_add(out, &byte, 1);
        value >>= 7;
    }
    byte = (char)value;
    strbuf_add(out, &byte, 1);
}

void wire_tag(struct strbuf *out, uint32_t field, uint32_t wire_type)
{
    wire_varint(out, (uint64_t)field << 3 | wire_type);
}

void wire_number(struct strbuf *out, uint32_t field, uint64_t value)
{
    wire_tag(out, field, 0);
    wire_varint(out, value);
}

void wire_string(struct strbuf *out, uint32_t field, const char *text, size_t len)
{
    wire_tag(out, field, 2);
    wire_varint(out, len);
    strbuf_add(out, text, len);
}

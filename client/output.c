/* SPDX-License-Identifier: Apache-2.0 */
#include "client/output.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "platform/base/jsonw.h"

static int write_all(int fd, const struct strbuf *out)
{
    for (size_t done = 0; done < out->len;) {
        const size_t rest = out->len - done;
        ssize_t n = write(fd, out->data + done, rest < INT_MAX ? (unsigned)rest : INT_MAX);

        if (n < 0 && errno != EINTR) {
            return 1;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return out->failed;
}

static void say(const char *text, const char *remedy)
{
    struct strbuf out = STRBUF_INIT;

    strbuf_puts(&out, "cordon: ");
    strbuf_plain(&out, text);
    if (remedy != NULL && remedy[0] != '\0') {
        strbuf_puts(&out, "; ");
        strbuf_plain(&out, remedy);
    }
    strbuf_puts(&out, "\n");
    (void)write_all(STDERR_FILENO, &out);
    strbuf_deinit(&out);
}

void output_failure(const char *text, const char *remedy)
{
    say(text, remedy);
}

void output_lines(const struct strbuf *lines)
{
    (void)write_all(STDERR_FILENO, lines);
}

void output_error(const struct cordon_error *error, bool as_json)
{
    struct strbuf out = STRBUF_INIT;
    struct jsonw json = JSONW_INIT(&out);

    if (!as_json) {
        say(error->text, error->remedy);
        return;
    }
    jsonw_object(&json, NULL);
    jsonw_string(&json, "event", "failed");
    jsonw_int(&json, "status", error->status);
    jsonw_string(&json, "text", error->text);
    jsonw_string(&json, "remedy", error->remedy);
    jsonw_object_end(&json);
    jsonw_newline(&json);
    output_lines(&out);
    strbuf_deinit(&out);
}

void output_notice(const char *text, bool as_json, struct strbuf *lines)
{
    struct jsonw json = JSONW_INIT(lines);

    if (!as_json) {
        strbuf_puts(lines, "cordon: ");
        strbuf_escape(lines, text, strlen(text));
        strbuf_puts(lines, "\n");
        return;
    }
    jsonw_object(&json, NULL);
    jsonw_string(&json, "event", "notice");
    jsonw_string(&json, "text", text);
    jsonw_object_end(&json);
    jsonw_newline(&json);
}

static void violation_json(const struct cordon_event *event, struct strbuf *out)
{
    struct jsonw json = JSONW_INIT(out);

    jsonw_object(&json, NULL);
    jsonw_string(&json, "event", "denied");
    jsonw_string(&json, "time", event->time);
    jsonw_string(&json, "job", event->job_id);
    jsonw_uint(&json, "uid", event->uid);
    jsonw_string(&json, "operation", event->operation);
    jsonw_string(&json, "path", event->path);
    jsonw_string(&json, "rule", event->rule);
    jsonw_string(&json, "origin", event->origin);
    jsonw_string(&json, "command", event->command);
    jsonw_uint(&json, "pid", event->pid);
    jsonw_string(&json, "mechanism", event->mechanism);
    jsonw_object_end(&json);
    jsonw_newline(&json);
}

static void escape(struct strbuf *out, const char *text, const char *unknown)
{
    text = *text == '\0' ? unknown : text;
    strbuf_escape(out, text, strlen(text));
}

/* "denied open /home/a/.ssh/id (deny_read[2], /etc/codex/requirements.toml:7) by cat[12]" */
static void violation_text(const struct cordon_event *event, struct strbuf *out)
{
    strbuf_printf(out, "denied %s ", event->operation);
    escape(out, event->path, "a file without a name");
    strbuf_puts(out, " (");
    if (*event->rule == '\0') {
        /* By object, not by name: no single rule says why. */
        strbuf_puts(out, "it had a denied name, or has one elsewhere");
    } else {
        escape(out, event->rule, "");
        strbuf_puts(out, ", ");
        escape(out, event->origin, "?");
    }
    strbuf_puts(out, ") by ");
    escape(out, event->command, "?");
    strbuf_printf(out, "[%u]", (unsigned)event->pid);
}

void output_violation(const struct cordon_event *event, bool json, struct strbuf *out)
{
    if (json) {
        violation_json(event, out);
        return;
    }
    strbuf_puts(out, "cordon: ");
    violation_text(event, out);
    strbuf_puts(out, "\n");
}

void output_record(const struct cordon_event *event, bool json, struct strbuf *out)
{
    if (json) {
        violation_json(event, out);
        return;
    }
    escape(out, event->time, "?");
    strbuf_puts(out, " job ");
    escape(out, event->job_id, "?");
    strbuf_printf(out, " uid %u ", (unsigned)event->uid);
    violation_text(event, out);
    strbuf_puts(out, "\n");
}

void output_missed(uint32_t missed, bool json, struct strbuf *out)
{
    struct jsonw writer = JSONW_INIT(out);

    if (!json) {
        strbuf_printf(out, "%u denial%s without a record\n", (unsigned)missed,
                      missed == 1 ? "" : "s");
        return;
    }
    jsonw_object(&writer, NULL);
    jsonw_string(&writer, "event", "missed");
    jsonw_uint(&writer, "count", missed);
    jsonw_object_end(&writer);
    jsonw_newline(&writer);
}

int output_text(const struct strbuf *text)
{
    if (write_all(STDOUT_FILENO, text) != 0) {
        output_failure("cannot write to standard output", NULL);
        return 1;
    }
    return 0;
}

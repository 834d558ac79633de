/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fake_job_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/sd.h"

/* ---- handles ---- */

static api_handle new_thing(struct fake_job *fake, const char *kind)
{
    for (size_t i = 0; i < FAKE_JOB_THINGS; i++) {
        if (fake->things[i].kind == NULL) {
            fake->things[i].kind = kind;
            return FAKE_JOB_FIRST + i;
        }
    }
    abort();
}

/* One that is open, and of this kind: else a bug of the code under test. */
static void check_thing(const struct fake_job *fake, api_handle handle, const char *kind)
{
    if (handle < FAKE_JOB_FIRST || handle >= FAKE_JOB_FIRST + FAKE_JOB_THINGS ||
        fake->things[handle - FAKE_JOB_FIRST].kind == NULL ||
        strcmp(fake->things[handle - FAKE_JOB_FIRST].kind, kind) != 0) {
        abort();
    }
}

/* As closing elsewhere, it is written down but neither counted nor made to fail. */
static uint32_t end_thing(struct fake_job *fake, api_handle handle, const char *kind)
{
    check_thing(fake, handle, kind);
    fake->things[handle - FAKE_JOB_FIRST].kind = NULL;
    api_tap_inside++;
    strbuf_printf(&fake->tap->trace, "close %s\n", kind);
    api_tap_inside--;
    return API_OK;
}

/* ---- around ---- */

bool fake_job_begin_listed(struct fake_job *fake, uint32_t *ret_code, const char *what,
                           const uint8_t *bytes, size_t len)
{
    static struct sd sd;
    struct strbuf text = STRBUF_INIT;
    bool made;

    if (sd_parse(bytes, len, &sd) != CORDON_OK) {
        abort();
    }
    api_tap_inside++;
    sd_print(&sd, &text);
    made = api_tap_begin(fake->tap, ret_code, "%s %s", what, strbuf_text(&text));
    strbuf_deinit(&text);
    api_tap_inside--;
    return made;
}

static uint32_t a_random(void *self, uint8_t *bytes, size_t len)
{
    CALL("random");
    memset(bytes, 0xab, len);
    DONE;
}

static uint32_t a_filters_open(void *self, api_handle *ret_engine)
{
    CALL("filters-open");
    *ret_engine = new_thing(fake, "filters");
    DONE;
}

static uint32_t a_filters_begin(void *self, api_handle engine)
{
    CALL("filters-begin");
    check_thing(fake, engine, "filters");
    DONE;
}

static uint32_t a_filters_layer(void *self, api_handle engine, uint8_t ret_key[16])
{
    CALL("filters-layer");
    check_thing(fake, engine, "filters");
    memset(ret_key, 1, 16);
    DONE;
}

static uint32_t a_filters_add(void *self, api_handle engine, const uint8_t key[16],
                              enum around_layer layer, const uint8_t *bytes, size_t len)
{
    static const char *const names[] = {"filter connect v4", "filter connect v6",
                                        "filter accept v4", "filter accept v6"};
    struct fake_job *fake = self;
    uint32_t code;

    check_thing(fake, engine, "filters");
    if (key[15] != 1) {
        abort();
    }
    return fake_job_begin_listed(fake, &code, names[layer], bytes, len)
               ? api_tap_end(fake->tap, API_OK)
               : code;
}

static uint32_t a_filters_commit(void *self, api_handle engine)
{
    CALL("filters-commit");
    check_thing(fake, engine, "filters");
    fake->filtered = true;
    DONE;
}

static uint32_t a_filters_close(void *self, api_handle engine)
{
    struct fake_job *fake = self;

    fake->filtered = false;
    return end_thing(fake, engine, "filters");
}

static uint32_t make_listed(struct fake_job *fake, const char *kind, const char *name,
                            const uint8_t *bytes, size_t len, api_handle *ret_handle)
{
    char what[128];
    uint32_t code;

    (void)snprintf(what, sizeof(what), "%s %s", kind, name);
    if (!fake_job_begin_listed(fake, &code, what, bytes, len)) {
        return code;
    }
    *ret_handle = new_thing(fake, kind);
    DONE;
}

static uint32_t a_station_make(void *self, const char *name, const uint8_t *bytes, size_t len,
                               api_handle *ret_station)
{
    return make_listed(self, "station", name, bytes, len, ret_station);
}

static uint32_t a_station_close(void *self, api_handle station)
{
    return end_thing(self, station, "station");
}

static uint32_t a_desktop_make(void *self, api_handle station, const char *name,
                               const uint8_t *bytes, size_t len, api_handle *ret_desktop)
{
    if (station != 0) {
        check_thing(self, station, "station");
    }
    return make_listed(self, "desktop", name, bytes, len, ret_desktop);
}

static uint32_t a_desktop_close(void *self, api_handle desktop)
{
    return end_thing(self, desktop, "desktop");
}

static uint32_t a_console_make(void *self, api_handle token, const struct around_terminal *terminal,
                               api_handle *ret_console)
{
    CALL("console %ux%u%s", terminal->columns, terminal->rows, token == 0 ? "" : " as-job");
    if (token != 0) {
        (void)fake_job_token(fake, token);
    }
    *ret_console = new_thing(fake, "console");
    DONE;
}

static uint32_t a_console_size(void *self, api_handle console, uint16_t columns, uint16_t rows)
{
    CALL("console-size %ux%u", columns, rows);
    check_thing(fake, console, "console");
    DONE;
}

static uint32_t a_console_close(void *self, api_handle console)
{
    return end_thing(self, console, "console");
}

/* ---- launch ---- */

static uint32_t l_job_make(void *self, api_handle *ret_job)
{
    CALL("job");
    *ret_job = new_thing(fake, "job");
    DONE;
}

static uint32_t l_job_limit(void *self, api_handle job, const struct launch_limits *limits)
{
    CALL("job-limit 0x%" PRIx32 " processes=%" PRIu32 " memory=%" PRIu64, limits->flags,
         limits->processes, limits->memory);
    check_thing(fake, job, "job");
    fake->job_limits = *limits;
    DONE;
}

static uint32_t l_job_limits(void *self, api_handle job, struct launch_limits *ret_limits)
{
    CALL("job-limits");
    check_thing(fake, job, "job");
    *ret_limits = fake->job_limits;
    DONE;
}

static uint32_t l_job_restrict_ui(void *self, api_handle job)
{
    CALL("job-restrict-ui");
    check_thing(fake, job, "job");
    DONE;
}

static uint32_t l_process_make(void *self, const struct launch_process *what,
                               api_handle *ret_process, api_handle *ret_thread)
{
    CALL("process \"%s\" in %s desktop=%s handles=%u%s", what->command_line,
         what->folder == NULL ? "-" : what->folder, what->desktop == NULL ? "-" : what->desktop,
         (unsigned)what->handle_count, what->console == 0 ? "" : " console");
    (void)fake_job_token(fake, what->token);
    check_thing(fake, what->job, "job");
    fake->list_len = 0;
    if (what->list != NULL) {
        fake->list_len = what->list_len;
        memcpy(fake->list, what->list, what->list_len);
    }
    fake->ran_as = what->token;
    fake->ran_on = what->console;
    *ret_process = new_thing(fake, "process");
    *ret_thread = new_thing(fake, "thread");
    DONE;
}

static uint32_t l_is_in_job(void *self, api_handle process, api_handle job, bool *ret_is)
{
    CALL("is-in-job");
    check_thing(fake, process, "process");
    check_thing(fake, job, "job");
    *ret_is = true;
    DONE;
}

static uint32_t l_resume(void *self, api_handle thread)
{
    CALL("resume");
    check_thing(fake, thread, "thread");
    fake->running = true;
    DONE;
}

static uint32_t l_job_end(void *self, api_handle job, uint32_t status)
{
    struct fake_job *fake = self;

    check_thing(fake, job, "job");
    api_tap_inside++;
    strbuf_printf(&fake->tap->trace, "job-end %" PRIu32 "\n", status);
    api_tap_inside--;
    fake->running = fake->never_ends && fake->running;
    return API_OK;
}

static uint32_t l_job_wait(void *self, api_handle job, uint32_t wait_ms)
{
    struct fake_job *fake = self;

    check_thing(fake, job, "job");
    api_tap_inside++;
    strbuf_printf(&fake->tap->trace, "job-wait %" PRIu32 "\n", wait_ms);
    api_tap_inside--;
    return fake->running ? API_TIMEOUT : API_OK;
}

static uint32_t l_close(void *self, api_handle handle)
{
    const struct fake_job *fake = self;

    if (handle < FAKE_JOB_FIRST || handle >= FAKE_JOB_FIRST + FAKE_JOB_THINGS ||
        fake->things[handle - FAKE_JOB_FIRST].kind == NULL) {
        abort();
    }
    return end_thing(self, handle, fake->things[handle - FAKE_JOB_FIRST].kind);
}

/* ---- the whole ---- */

void fake_job_init(struct fake_job *fake, struct api_tap *tap, struct fake *world)
{
    *fake = (struct fake_job){
        .around = {.self = fake,
                   .random = a_random,
                   .filters_open = a_filters_open,
                   .filters_begin = a_filters_begin,
                   .filters_layer = a_filters_layer,
                   .filters_add = a_filters_add,
                   .filters_commit = a_filters_commit,
                   .filters_close = a_filters_close,
                   .station_make = a_station_make,
                   .station_close = a_station_close,
                   .desktop_make = a_desktop_make,
                   .desktop_close = a_desktop_close,
                   .console_make = a_console_make,
                   .console_size = a_console_size,
                   .console_close = a_console_close},
        .launch = {.self = fake,
                   .job_make = l_job_make,
                   .job_limit = l_job_limit,
                   .job_limits = l_job_limits,
                   .job_restrict_ui = l_job_restrict_ui,
                   .process_make = l_process_make,
                   .is_in_job = l_is_in_job,
                   .resume = l_resume,
                   .job_end = l_job_end,
                   .job_wait = l_job_wait,
                   .close = l_close},
        .tap = tap,
        .world = world,
        .level = TOKEN_LEVEL_MEDIUM,
    };
    fake_job_tokens(fake);
    if (sid_from_text("S-1-5-5-0-4", &fake->session) != CORDON_OK) {
        abort();
    }
}

struct job_host fake_job_host(const struct fake_job *fake, struct state *state)
{
    return (struct job_host){
        .token = &fake->token, .around = &fake->around, .launch = &fake->launch, .state = state};
}

size_t fake_job_open(const struct fake_job *fake)
{
    size_t count = 0;

    for (size_t i = 0; i < FAKE_JOB_THINGS; i++) {
        count += fake->things[i].kind != NULL ? 1U : 0U;
    }
    for (size_t i = 0; i < FAKE_TOKENS; i++) {
        count += fake->tokens[i] == FAKE_JOB_TOKEN_OPEN ? 1U : 0U;
    }
    return count;
}

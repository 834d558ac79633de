/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole job with the system's own calls: token, desktop, entries, process, and the end of it.
 * What Wine does not do is refused here as it is on a Windows that does not do it, and each such
 * refusal is a test: it fails once Wine can.
 */
#include "platform/windows/account.h"
#include "platform/windows/job.h"
#include "tests/support/check.h"
#include "tests/wine/jobs.h"
#include "tests/wine/keys.h"

static struct cordon_fault fault;
static struct job job;

static struct sid sid_of(const char *text)
{
    struct sid sid;

    CHECK(sid_from_text(text, &sid) == CORDON_OK);
    return sid;
}

static struct state *state;

static struct job_host host_of(enum wine_pretence pretence)
{
    const struct state_config config = keys_config(api_win32());

    if (state == NULL) {
        CHECK(keys_make() && state_open(&config, &state, &fault) == CORDON_OK);
    }
    return (struct job_host){.token = wine_tokens(pretence),
                             .around = around_win32(),
                             .launch = wine_launch(),
                             .state = state};
}

/* This program as its own child, with @arguments. */
static struct job_order order_of(const char *arguments)
{
    static char line[MAX_PATH + 300];
    static const struct state_target target = {
        {.object = API_KEY, .type = SD_DENIED, .mask = 0x000d017f, .path = KEYS_A}, STATE_REFUSE};
    char program[MAX_PATH];

    CHECK(GetModuleFileNameA(NULL, program, sizeof(program)) > 0);
    (void)snprintf(line, sizeof(line), "\"%s\" %s", program, arguments);
    return (struct job_order){
        .token = {.kind = TOKEN_WRITE_RESTRICTED,
                  .account = "cordon-job",
                  .principal = sid_of(KEYS_JOB),
                  .restricting = {sid_of(KEYS_JOB), {0}, sid_of("S-1-5-12")},
                  .restricting_count = 3},
        .around = {.desktop = true, .station = true},
        .targets = &target,
        .target_count = 1,
        .holder = "job-1",
        .launch = {.process = {.command_line = line, .folder = "C:\\"}, .processes = 8}};
}

static enum cordon_err start(const struct job_host *host, const struct job_order *order)
{
    memset(&fault, 0, sizeof(fault));
    return job_start(host, order, &job, &fault);
}

static DWORD status_of(void)
{
    DWORD status = 0xffff;

    CHECK(WaitForSingleObject((HANDLE)job.launch.process, 30000) == WAIT_OBJECT_0);
    CHECK(GetExitCodeProcess((HANDLE)job.launch.process, &status));
    return status;
}

TEST(a_whole_job_finds_closed_what_its_policy_denies)
{
    const struct job_host host = host_of(WINE_ALL);
    struct job_order order = order_of("--open " KEYS_A);

    if (start(&host, &order) != CORDON_OK) {
        (void)fprintf(stderr, "  %s\n", fault.text);
        CHECK(false);
    }
    CHECK(status_of() == API_ACCESS_DENIED);
    CHECK(state_size(state) == 1);
    CHECK(job_end(&host, &job));
    CHECK(state_size(state) == 0);
    order = order_of("--open " KEYS_B);
    CHECK(start(&host, &order) == CORDON_OK && status_of() == 0);
    CHECK(job_end(&host, &job));
}

TEST(a_job_has_a_desktop_of_its_own)
{
    const struct job_host host = host_of(WINE_ALL);
    const struct job_order order = order_of("--desktop x");

    CHECK(start(&host, &order) == CORDON_OK && job.around.name[0] != '\0');
    CHECK(status_of() == 0);
    CHECK(job_end(&host, &job));
}

TEST(a_token_reads_back_as_the_calls_set_it)
{
    const struct token_api *api = token_win32();
    const struct sid principal = sid_of(KEYS_JOB), other = sid_of(KEYS_DOMAIN "-901");
    const struct token_group groups[] = {{principal, TOKEN_GROUP_USUAL},
                                         {sid_of("S-1-5-5-0-77"), TOKEN_GROUP_USUAL}};
    uint32_t attributes = 0, count = 1, found = 0;
    uint64_t first = 0, second = 0;
    api_handle token = 0, copy = 0;

    CHECK(api->unique(NULL, &first) == 0 && api->unique(NULL, &second) == 0 && first != second);
    CHECK(wine_tokens(WINE_NOTHING)->logon(NULL, "cordon-job", groups, 2, &token) == 0);
    CHECK(api->copy(NULL, token, &copy) == 0);
    CHECK(api->group(NULL, copy, &principal, &attributes) == 0);
    CHECK((attributes & TOKEN_GROUP_ENABLED) != 0);
    CHECK(api->group(NULL, copy, &other, &attributes) == 0 && attributes == 0);
    CHECK(api->privileges(NULL, copy, &count) == 0 && count == 0);
    CHECK(api->level(NULL, copy, &found) == 0 && found == 0x3000);
    CHECK(api->close(NULL, copy) == 0 && api->close(NULL, token) == 0);
}

/* ---- what Wine 10 does not do ---- */

static void refused(enum wine_pretence pretence, const struct job_order *order, const char *why)
{
    const struct job_host host = host_of(pretence);

    CHECK(start(&host, order) != CORDON_OK);
    if (strstr(fault.text, why) == NULL) {
        (void)fprintf(stderr, "  %s\n", fault.text);
        CHECK(false);
    }
    CHECK(state_size(state) == 0);
}

TEST(no_account_is_made)
{
    struct sid sid;
    struct account_facts facts;

    CHECK(account_ensure(account_win32(), ACCOUNT_NAME, &sid, &fault) != CORDON_OK);
    CHECK(strstr(fault.text, "asking for the account cordon-job") != NULL);
    CHECK(account_win32()->find(NULL, ACCOUNT_NAME, &facts) != API_OK);
}

TEST(no_account_is_logged_on)
{
    const struct token_group group = {sid_of(KEYS_JOB), TOKEN_GROUP_USUAL};
    api_handle token = 0;

    CHECK(token_win32()->logon(NULL, "cordon-job", &group, 1, &token) != 0 && token == 0);
}

TEST(restricting_sids_are_not_told_and_the_job_refused)
{
    const struct job_order order = order_of("--open " KEYS_B);

    refused(WINE_LEVELS, &order, "asking what restricts the job's token: failed (error 1)");
}

TEST(the_integrity_of_a_token_is_not_set_and_the_job_refused)
{
    const struct job_order order = order_of("--open " KEYS_B);

    refused(WINE_NOTHING, &order, "its integrity is above medium");
}

TEST(there_is_no_filter_engine_and_a_job_without_network_is_refused)
{
    struct job_order order = order_of("--open " KEYS_B);

    order.around.filter[AROUND_CONNECT_V4] = true;
    refused(WINE_ALL, &order, "keeping the job from the network");
}

TEST(there_is_no_terminal_as_another_and_a_job_with_one_is_refused)
{
    static const struct around_terminal terminal = {80, 24, 0, 0};
    struct job_order order = order_of("--open " KEYS_B);

    order.around.terminal = &terminal;
    refused(WINE_ALL, &order, "making the job's terminal");
}

/* Whether this process has a terminal of 80 columns. */
static int check_terminal(void)
{
    const HANDLE screen = CreateFileA("CONOUT$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_WRITE,
                                      NULL, OPEN_EXISTING, 0, NULL);
    CONSOLE_SCREEN_BUFFER_INFO info;

    if (screen == INVALID_HANDLE_VALUE || !GetConsoleScreenBufferInfo(screen, &info)) {
        return 2;
    }
    return info.dwSize.X == 80 ? 0 : 1;
}

/* Whether this process is on a desktop of a job's. */
static int check_desktop(void)
{
    char name[128] = "";
    DWORD len = 0;

    if (!GetUserObjectInformationA(GetProcessWindowStation(), UOI_NAME, name, sizeof(name), &len)) {
        return 2;
    }
    return strncmp(name, "cordon-", 7) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    int status;

    if (keys_child(argc, argv, &status)) {
        return status;
    }
    if (argc == 3) {
        return strcmp(argv[1], "--terminal") == 0 ? check_terminal() : check_desktop();
    }
    return check_main(argc, argv);
}

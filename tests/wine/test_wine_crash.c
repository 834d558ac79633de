/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that works on real keys and writes its journal to a real file ends before and after
 * every call; the next one finds out what is left to do. The traces of such a process and of the
 * one over the disk in memory are the same, call by call: the world of the unit tests is this one.
 */
#include "tests/wine/keys.h"

#include "tests/support/api_tap.h"
#include "tests/support/check.h"
#include "tests/support/fake_api.h"

#define DENY 0x000d017fU
#define DIED 99

static struct strbuf before, after;
static struct cordon_fault fault;

static struct sid job(void)
{
    struct sid sid;

    CHECK(sid_from_text(KEYS_JOB, &sid) == CORDON_OK);
    return sid;
}

static bool nobody(void *context, const char *holder)
{
    (void)context;
    (void)holder;
    return false;
}

/* A policy of @count targets, a relaxed one, a second session, and the end of both. False:
 * something failed. */
static bool scenario(const struct api *api, size_t count)
{
    const struct state_target targets[] = {
        {{.object = API_KEY, .type = SD_DENIED, .mask = DENY, .path = KEYS_A}, STATE_REFUSE},
        {{.object = API_KEY, .type = SD_DENIED, .mask = DENY, .path = KEYS_B}, STATE_REFUSE},
        {{.object = API_KEY, .type = SD_DENIED, .mask = DENY, .path = KEYS_NEW},
         STATE_MAKE_CONTAINER},
    };
    struct state_request request = {
        .principal = job(), .holder = "s1", .targets = targets, .target_count = count};
    const struct state_config config = keys_config(api);
    struct state *state = NULL;
    bool done = state_open(&config, &state, &fault) == CORDON_OK &&
                state_apply(state, &request, &fault) == CORDON_OK;

    request.target_count = 1;
    done = done && state_apply(state, &request, &fault) == CORDON_OK;
    request.holder = "s2";
    done = done && state_apply(state, &request, &fault) == CORDON_OK &&
           state_drop(state, &request.principal, "s1", &fault) == CORDON_OK &&
           state_drop(state, &request.principal, "s2", &fault) == CORDON_OK &&
           state_size(state) == 0;
    state_close(state);
    return done;
}

static void end_process(void)
{
    (void)TerminateProcess(GetCurrentProcess(), DIED);
}

/* In the child: "--crash N before|after". */
static int run_child(char **argv)
{
    static struct api_tap tap;

    api_tap_init(&tap, api_win32());
    tap.crash_at = (unsigned)strtoul(argv[2], NULL, 10);
    tap.crash_after = strcmp(argv[3], "after") == 0;
    tap.die = end_process;
    return scenario(&tap.api, 3) ? 0 : 1;
}

static DWORD crash(unsigned n, const char *when)
{
    char program[MAX_PATH], line[MAX_PATH + 64];
    STARTUPINFOA start = {.cb = sizeof(start)};
    PROCESS_INFORMATION child;
    DWORD status = 1;

    CHECK(GetModuleFileNameA(NULL, program, sizeof(program)) > 0);
    (void)snprintf(line, sizeof(line), "\"%s\" --crash %u %s", program, n, when);
    CHECK(CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &start, &child));
    CHECK(WaitForSingleObject(child.hProcess, 30000) == WAIT_OBJECT_0);
    CHECK(GetExitCodeProcess(child.hProcess, &status));
    (void)CloseHandle(child.hProcess);
    (void)CloseHandle(child.hThread);
    return status;
}

static void recover(void)
{
    const struct state_config config = keys_config(api_win32());
    struct state *state = NULL;

    CHECK(state_open(&config, &state, &fault) == CORDON_OK);
    CHECK_STR(state_notices(state), "");
    CHECK(state_retain(state, nobody, NULL, &fault) == CORDON_OK && state_size(state) == 0);
    state_close(state);
    keys_print(&after);
    CHECK_STR(strbuf_text(&after), strbuf_text(&before));
}

TEST(a_process_that_ends_at_any_call_leaves_nothing)
{
    unsigned n = 0;
    DWORD status;

    CHECK(keys_make());
    keys_print(&before);
    do {
        n++;
        for (unsigned after_it = 0; after_it < 2; after_it++) {
            status = crash(n, after_it != 0 ? "after" : "before");
            CHECK(status == DIED || status == 0);
            recover();
        }
    } while (status == DIED);
    CHECK(n > 100);
    (void)printf("ended at each of %u calls\n", n - 1);
}

TEST(a_journal_of_zeros_costs_nothing_but_a_scan)
{
    static const char zeros[1000];
    const struct state_config config = keys_config(api_win32());
    struct state *state = NULL;
    HANDLE file;
    DWORD written;

    CHECK(keys_make());
    keys_print(&before);
    CHECK(crash(60, "after") == DIED);
    keys_print(&after);
    CHECK(strstr(strbuf_text(&after), KEYS_JOB) != NULL);
    file = CreateFileA(KEYS_FOLDER "\\acl.log", GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    CHECK(file != INVALID_HANDLE_VALUE && WriteFile(file, zeros, 1000, &written, NULL));
    (void)CloseHandle(file);
    CHECK(state_open(&config, &state, &fault) == CORDON_OK && state_size(state) == 0);
    CHECK(strstr(state_notices(state), "is damaged; it is set aside as " KEYS_FOLDER) != NULL);
    state_close(state);
    keys_print(&after);
    CHECK(strstr(strbuf_text(&after), KEYS_JOB) == NULL);
}

TEST(the_world_in_memory_is_the_real_one_call_by_call)
{
    static struct fake world;
    struct api_tap real, unreal;

    CHECK(keys_make());
    api_tap_init(&real, api_win32());
    /* Without the key that is made: Wine gives new keys a list of its own instead of an inherited
     * one. */
    CHECK(scenario(&real.api, 2));

    fake_init(&world);
    (void)fake_add(&world, API_KEY, "HKLM\\Software", NULL);
    (void)fake_add(&world, API_KEY, KEYS_TOP, "O:SYD:(A;CI;KA;;;WD)");
    (void)fake_add(&world, API_KEY, KEYS_A, "O:SYD:(A;CI;KA;;;WD)");
    (void)fake_add(&world, API_KEY, KEYS_B, "O:SYD:(A;CI;KA;;;WD)");
    (void)fake_add(&world, API_KEY, KEYS_BELOW, "O:SYD:(A;CI;KA;;;WD)");
    api_tap_init(&unreal, &world.api);
    CHECK(scenario(&unreal.api, 2));
    CHECK_STR(strbuf_text(&real.trace), strbuf_text(&unreal.trace));
    api_tap_deinit(&real);
    api_tap_deinit(&unreal);
    fake_deinit(&world);
}

int main(int argc, char **argv)
{
    return argc == 4 && strcmp(argv[1], "--crash") == 0 ? run_child(argv) : check_main(argc, argv);
}

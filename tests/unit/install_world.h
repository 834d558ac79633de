/* SPDX-License-Identifier: Apache-2.0 */
/* A machine to install on, with a disk as Windows sets one up; shared by the tests of that. */
#ifndef CORDON_TESTS_INSTALL_WORLD_H
#define CORDON_TESTS_INSTALL_WORLD_H

#include "tests/support/fake_install.h"
#include "tests/unit/state_world.h"

#define PROGRAMS "C:\\Program Files\\cordon"
#define STATE_FOLDER FOLDER "\\state"
#define OF_SYSTEM "(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

static struct fake_install machine;
static struct state_config install_state;
static struct install what;
static struct strbuf notices;

static inline void add(const char *path, const char *list)
{
    (void)fake_add(&world, API_FILE, path, list);
}

/* Users may add folders to C:\ and files to C:\ProgramData; programs are the system's. */
static inline void build_machine(void)
{
    empty_world();
    fake_find(&world, API_FILE, "C:")->path[0] = '\0';
    add("C:\\", "O:SYG:SYD:" OF_SYSTEM "(A;OICI;0x1200a9;;;BU)(A;CI;0x4;;;AU)");
    add("C:\\ProgramData\\", "O:SYG:SYD:" OF_SYSTEM "(A;OICI;0x1200af;;;BU)");
    add("C:\\Program Files\\", "O:SYG:SYD:P" OF_SYSTEM "(A;OICI;0x1200a9;;;BU)");
    add(PROGRAMS "\\", NULL);
    add(PROGRAMS "\\cordond.exe", NULL);
    add(PROGRAMS "\\cordon-worker.exe", NULL);
    add("C:\\w\\", "O:SYG:SYD:(A;OICI;FA;;;WD)");
    add("C:\\w\\a", NULL);
    fake_install_init(&machine, &tap, &world, STATE_FOLDER "\\acl.lock");
    install_state = config_of(STATE_FOLDER);
    what = (struct install){
        .api = &machine.install,
        .account = &machine.account,
        .state = &install_state,
        .folder = FOLDER,
        .programs = {PROGRAMS "\\cordond.exe", PROGRAMS "\\cordon-worker.exe", NULL}};
    memset(&fault, 0, sizeof(fault));
}

static inline enum cordon_err install(void)
{
    return install_run(&what, &fault);
}

static inline enum cordon_err uninstall(void)
{
    strbuf_deinit(&notices);
    return install_undo(&what, &notices, &fault);
}

static inline bool all_there(void)
{
    return machine.source && machine.service && machine.running && machine.is_account &&
           machine.hidden && machine.denied && machine.member &&
           machine.settings == (1U << SCM_SETTINGS) - 1U &&
           fake_find(&world, API_FILE, STATE_FOLDER) != NULL;
}

static inline bool nothing_there(void)
{
    for (size_t i = 0; i < world.file_count; i++) {
        if (world.files[i].path[0] != '\0') {
            return false;
        }
    }
    return !machine.source && !machine.service && !machine.running && !machine.is_account &&
           !machine.hidden && !machine.denied && fake_find(&world, API_FILE, FOLDER) == NULL &&
           strstr(fake_list(&world, API_FILE, "C:\\w\\a"), DOMAIN) == NULL &&
           fake_find(&world, API_FILE, "C:\\w\\made") == NULL && fake_open_handles(&world) == 0;
}

/* The service ran a job, and was killed: an entry, and a file that was made, are left. */
static inline void leave_a_job(void)
{
    const struct state_target targets[] = {denied("C:\\w\\a"),
                                           making("C:\\w\\made", STATE_MAKE_FILE)};
    const struct state_request request = {.principal = sid_of(JOB),
                                          .token = fake_token(&world, JOB " WD"),
                                          .holder = "job-1",
                                          .targets = targets,
                                          .target_count = 2};
    struct state *left;

    CHECK(machine.install.stop_service(&machine, SCM_CORDON, 1) == API_OK);
    CHECK(state_open(&install_state, &left, &fault) == CORDON_OK);
    CHECK(state_apply(left, &request, &fault) == CORDON_OK);
    state_close(left);
    CHECK(strstr(fake_list(&world, API_FILE, "C:\\w\\a"), JOB) != NULL);
    CHECK(machine.install.start_service(&machine, SCM_CORDON, 1) == API_OK);
    strbuf_deinit(&tap.trace);
    tap.calls = 0;
}

#endif

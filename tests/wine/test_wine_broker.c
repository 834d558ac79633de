/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker itself, its worker and a job's init, as .exe files with the null back end: from a
 * client's HELLO over the pipe to the exit status of his command.
 */
#include "tests/support/check.h"
#include "tests/wine/broker.h"

static HANDLE broker;

TEST(a_client_is_greeted)
{
    struct talk talk;

    broker = broker_start();
    talk_open(&talk);
    CHECK(talk.in.message.u.welcome.mode == MSG_BROKER_SERVICE);
    talk_end(&talk);
}

TEST(a_job_has_its_exit_status)
{
    static const char *const args[] = {"--exit", "42", NULL};
    struct talk talk;
    uint32_t code = 0;

    talk_open(&talk);
    talk_spawn(&talk, args, NULL);
    CHECK(talk_wait(&talk, &code) == MSG_EXIT_EXITED && code == 42);
    talk_end(&talk);
}

/* ---- children ---- */

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--exit") == 0) {
        return (int)strtoul(argv[2], NULL, 10);
    }
    return check_main(argc, argv);
}

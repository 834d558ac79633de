/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/init.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "platform/linux/init/watch.h"

void init_report(enum ipc_report_kind kind, uint32_t code, const struct init *init)
{
    struct ipc_report report = {
        .kind = (uint32_t)kind, .code = code, .masked = init->masked, .more = init->gone};

    report.fault.err = (uint32_t)init->fault.err;
    report.fault.os_code = init->fault.os_code;
    (void)snprintf(report.fault.text, sizeof(report.fault.text), "%.*s",
                   (int)sizeof(report.fault.text) - 1, init->fault.text);
    (void)snprintf(report.fault.remedy, sizeof(report.fault.remedy), "%.*s",
                   (int)sizeof(report.fault.remedy) - 1, init->fault.remedy);
    /* A pipe with a reader takes it; what fails once for want of memory may succeed then. */
    for (int tries = 0; write(INIT_FD_REPORT, &report, sizeof(report)) < 0; tries++) {
        if (errno == EPIPE || tries == 3) {
            _exit(125); /* nobody is left to run for */
        }
    }
}

static enum cordon_err load(struct init *init)
{
    const int tables[] = {[ORDER_SET_OWN] = INIT_FD_OWN, [ORDER_SET_MANAGED] = INIT_FD_MANAGED};

    return rules_load(init, INIT_FD_ORDER, tables);
}

/* The broker's death is ours; asked again after every change of credentials. */
static enum cordon_err die_with_broker(struct init *init)
{
    struct pollfd report = {.fd = INIT_FD_REPORT, .events = POLLOUT};

    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || poll(&report, 1, 0) < 0 ||
        (report.revents & POLLERR) != 0) {
        return fault_set(&init->fault, CORDON_E_CLOSED, NULL, "the broker is gone");
    }
    return CORDON_OK;
}

static enum cordon_err map_user(struct init *init)
{
    enum cordon_err err = CORDON_OK;

    if ((init->order->flags & ORDER_USER_NS) != 0) {
        init->is_waited_for = true;
        err = identity_map_user(init);
    }
    /* Only now: the maps of an undumpable process belong to root. */
    if (err == CORDON_OK && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        err = fault_os(&init->fault, errno, NULL, "cannot close itself to others");
    }
    return err;
}

/* The way from every privilege to none; each row may rely on those above it. */
static enum cordon_err (*const stages[])(struct init *) = {
    die_with_broker,  network_ahead, parts_take,       load,           map_user,
    identity_prepare, view_own,      network_begin,    watch_prepare,  view_prepare,
    view_enter,       view_apply,    network_enter,    leave_end,      watch_start,
    view_seal,        park_look,     confine_landlock, identity_bound, confine_seccomp,
    child_make,       park_wait,     child_stands,     identity_drop,  die_with_broker,
};

int main(void)
{
    static struct init init;
    struct command command = {.pty_slave = -1};
    enum cordon_err err = CORDON_OK;

    if (!parts_begin()) {
        return 125;
    }
    (void)setsid();
    /* What the broker ignores is not what the command should. */
    for (int signo = 1; signo < NSIG; signo++) {
        (void)signal(signo, signo == SIGPIPE ? SIG_IGN : SIG_DFL);
    }
    for (size_t i = 0; err == CORDON_OK && i < sizeof(stages) / sizeof(stages[0]); i++) {
        err = stages[i](&init);
    }
    if (err == CORDON_OK) {
        err = command_receive(&init, &command);
    }
    if (err == CORDON_OK) {
        err = command_prepare(&init, &command);
    }
    if (err == CORDON_OK) {
        err = watch_ready(&init);
    }
    if (err != CORDON_OK) {
        init_report(IPC_REPORT_SETUP, 0, &init);
        return 125;
    }
    command_run(&init, &command);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/service.h"

#include <fcntl.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

bool service_managed(void)
{
    return getenv("NOTIFY_SOCKET") != NULL || getenv("JOURNAL_STREAM") != NULL;
}

enum cordon_err service_listen_fd(int *ret_fd, struct cordon_fault *fault)
{
    int count = sd_listen_fds(1);

    if (count <= 0) {
        *ret_fd = -1;
        return CORDON_OK;
    }
    if (count != 1 || sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) <= 0) {
        return fault_set(fault, CORDON_E_INVALID, "see cordond.socket(5)",
                         "the service manager handed over something else than one stream socket");
    }
    if (fcntl(SD_LISTEN_FDS_START, F_SETFL, O_NONBLOCK) != 0) {
        return fault_set(fault, CORDON_E_OS, NULL, "the socket handed over cannot be used");
    }
    *ret_fd = SD_LISTEN_FDS_START;
    return CORDON_OK;
}

void service_ready(void)
{
    (void)sd_notify(0, "READY=1");
}

void service_stopping(void)
{
    (void)sd_notify(0, "STOPPING=1");
}

void service_log(enum service_priority priority, const char *line, const char *record)
{
    if (record == NULL) {
        (void)sd_journal_send("MESSAGE=%s", line, "PRIORITY=%i", (int)priority, NULL);
        return;
    }
    (void)sd_journal_send("MESSAGE=%s", line, "PRIORITY=%i", (int)priority, "CORDON_RECORD=%s",
                          record, NULL);
}

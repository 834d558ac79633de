/* SPDX-License-Identifier: Apache-2.0 */
/* Where in our source is nobody's business. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "platform/service.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

#include "platform/base/strbuf.h"

const char *const service_help = "";

int service_main(int argc, char **argv, service_main_fn *main)
{
    return main(argc, argv);
}

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

enum cordon_err service_log(enum service_priority priority, const char *line,
                            const struct service_field *fields, size_t count)
{
    struct strbuf texts[SERVICE_FIELDS_MAX + 2];
    struct iovec parts[SERVICE_FIELDS_MAX + 2];
    size_t used = count < SERVICE_FIELDS_MAX ? count : SERVICE_FIELDS_MAX;
    bool failed = false;

    for (size_t i = 0; i < used + 2; i++) {
        texts[i] = (struct strbuf)STRBUF_INIT;
    }
    for (size_t i = 0; i < used; i++) {
        strbuf_printf(&texts[i], "%s=%s", fields[i].name, fields[i].value);
    }
    strbuf_printf(&texts[used], "PRIORITY=%d", (int)priority);
    strbuf_printf(&texts[used + 1], "MESSAGE=%s", line);
    for (size_t i = 0; i < used + 2; i++) {
        failed = failed || texts[i].failed;
        parts[i] = (struct iovec){texts[i].data, texts[i].len};
    }
    failed = failed || sd_journal_sendv(parts, (int)used + 2) != 0;
    for (size_t i = 0; i < used + 2; i++) {
        strbuf_deinit(&texts[i]);
    }
    return failed ? CORDON_E_OS : CORDON_OK;
}

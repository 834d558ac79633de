/* SPDX-License-Identifier: Apache-2.0 */
/* Where in our source is nobody's business. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "platform/service.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

#include "platform/base/strbuf.h"

const char *const service_help = "";

/*
 * libsystemd, which is asked for when a service manager has started this. It brings six libraries
 * more; what they cost is a quarter of the start of a broker that is one job's own.
 */
struct manager {
    __typeof__(&sd_listen_fds) listen_fds;
    __typeof__(&sd_is_socket_unix) is_socket_unix;
    __typeof__(&sd_notify) notify;
    __typeof__(&sd_journal_sendv) journal_sendv;
};

/* Sets the function that @ret_function points to. */
static bool function_find(void *library, const char *name, void *ret_function)
{
    void *symbol = dlsym(library, name);

    memcpy(ret_function, &symbol, sizeof(symbol));
    return symbol != NULL;
}

/* NULL: it is not there. */
static const struct manager *manager(void)
{
    static struct manager found;
    static bool asked, there;
    void *library;

    if (!asked) {
        asked = true;
        library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
        there = library != NULL && function_find(library, "sd_listen_fds", &found.listen_fds) &&
                function_find(library, "sd_is_socket_unix", &found.is_socket_unix) &&
                function_find(library, "sd_notify", &found.notify) &&
                function_find(library, "sd_journal_sendv", &found.journal_sendv);
    }
    return there ? &found : NULL;
}

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
    int count;

    if (getenv("LISTEN_FDS") == NULL && !service_managed()) {
        *ret_fd = -1;
        return CORDON_OK;
    }
    if (manager() == NULL) {
        return fault_set(fault, CORDON_E_UNSUPPORTED, "install libsystemd0 (systemd-libs)",
                         "started by the service manager, but libsystemd.so.0 cannot be used");
    }
    count = manager()->listen_fds(1);
    if (count <= 0) {
        *ret_fd = -1;
        return CORDON_OK;
    }
    if (count != 1 ||
        manager()->is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) <= 0) {
        return fault_set(fault, CORDON_E_INVALID, "see cordond.socket(5)",
                         "the service manager handed over something else than one stream socket");
    }
    if (fcntl(SD_LISTEN_FDS_START, F_SETFL, O_NONBLOCK) != 0) {
        return fault_set(fault, CORDON_E_OS, NULL, "the socket handed over cannot be used");
    }
    *ret_fd = SD_LISTEN_FDS_START;
    return CORDON_OK;
}

static void tell(const char *state)
{
    if (getenv("NOTIFY_SOCKET") != NULL && manager() != NULL) {
        (void)manager()->notify(0, state);
    }
}

void service_ready(void)
{
    tell("READY=1");
}

void service_stopping(void)
{
    tell("STOPPING=1");
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
    failed = failed || manager() == NULL || manager()->journal_sendv(parts, (int)used + 2) != 0;
    for (size_t i = 0; i < used + 2; i++) {
        strbuf_deinit(&texts[i]);
    }
    return failed ? CORDON_E_OS : CORDON_OK;
}

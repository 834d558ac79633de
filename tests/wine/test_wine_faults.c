/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each call into the system, and each allocation, of what the broker does with descriptors,
 * packets, clients and children fails once: it is an error, nothing crashes, and no handle is left
 * open.
 */
#include "platform/ipc.h"
#include "platform/platform.h"
#include "platform/windows/io.h"
#include "tests/support/check.h"

#define PIPE "\\\\.\\pipe\\cordon-faults"
#define WAIT_MS 5000U

static int fail_at = -1; /* calls until one fails; below 0: none does */
static const char *failed;

static bool fails(const char *name)
{
    if (fail_at < 0 || fail_at-- > 0) {
        return false;
    }
    failed = name;
    SetLastError(ERROR_NO_SYSTEM_RESOURCES);
    return true;
}

static FARPROC find(const char *name)
{
    FARPROC found = GetProcAddress(GetModuleHandleA("kernel32.dll"), name);

    return found != NULL ? found : GetProcAddress(GetModuleHandleA("advapi32.dll"), name);
}

/* A function of the system's is called through a pointer of this name, which is ours then. */
#define FAULTY(ret, name, failure, params, args)                                                   \
    static ret WINAPI faulty_##name params                                                         \
    {                                                                                              \
        static union {                                                                             \
            FARPROC found;                                                                         \
            ret(WINAPI *call) params;                                                              \
        } real;                                                                                    \
                                                                                                   \
        if (fails(#name)) {                                                                        \
            return failure;                                                                        \
        }                                                                                          \
        real.found = real.found == NULL ? find(#name) : real.found;                                \
        return real.call args;                                                                     \
    }                                                                                              \
    extern ret(WINAPI *__imp_##name) params;                                                       \
    ret(WINAPI *__imp_##name) params = faulty_##name;

FAULTY(HANDLE, CreateEventW, NULL,
       (LPSECURITY_ATTRIBUTES who, WINBOOL manual, WINBOOL set, LPCWSTR name),
       (who, manual, set, name))
FAULTY(WINBOOL, DuplicateHandle, FALSE,
       (HANDLE from, HANDLE what, HANDLE to, LPHANDLE ret, DWORD access, WINBOOL inherit,
        DWORD options),
       (from, what, to, ret, access, inherit, options))
FAULTY(HANDLE, CreateNamedPipeW, INVALID_HANDLE_VALUE,
       (LPCWSTR name, DWORD open, DWORD mode, DWORD max, DWORD out, DWORD in, DWORD wait,
        LPSECURITY_ATTRIBUTES who),
       (name, open, mode, max, out, in, wait, who))
FAULTY(HANDLE, CreateFileW, INVALID_HANDLE_VALUE,
       (LPCWSTR name, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES who, DWORD how, DWORD flags,
        HANDLE like),
       (name, access, share, who, how, flags, like))
FAULTY(HANDLE, CreateFileMappingW, NULL,
       (HANDLE file, LPSECURITY_ATTRIBUTES who, DWORD protect, DWORD high, DWORD low, LPCWSTR name),
       (file, who, protect, high, low, name))
FAULTY(LPVOID, MapViewOfFile, NULL,
       (HANDLE section, DWORD access, DWORD high, DWORD low, SIZE_T len),
       (section, access, high, low, len))
FAULTY(WINBOOL, ReadProcessMemory, FALSE,
       (HANDLE process, LPCVOID from, LPVOID to, SIZE_T len, SIZE_T *done),
       (process, from, to, len, done))
FAULTY(WINBOOL, PeekNamedPipe, FALSE,
       (HANDLE pipe, LPVOID to, DWORD size, LPDWORD len, LPDWORD there, LPDWORD left),
       (pipe, to, size, len, there, left))
FAULTY(WINBOOL, ReadFile, FALSE,
       (HANDLE file, LPVOID to, DWORD size, LPDWORD len, LPOVERLAPPED how),
       (file, to, size, len, how))
FAULTY(WINBOOL, WriteFile, FALSE,
       (HANDLE file, LPCVOID from, DWORD size, LPDWORD len, LPOVERLAPPED how),
       (file, from, size, len, how))
FAULTY(WINBOOL, ConnectNamedPipe, FALSE, (HANDLE pipe, LPOVERLAPPED how), (pipe, how))
FAULTY(WINBOOL, RegisterWaitForSingleObject, FALSE,
       (PHANDLE ret, HANDLE what, WAITORTIMERCALLBACK told, PVOID context, ULONG wait, ULONG flags),
       (ret, what, told, context, wait, flags))
FAULTY(HANDLE, CreateIoCompletionPort, NULL,
       (HANDLE file, HANDLE port, ULONG_PTR key, DWORD threads), (file, port, key, threads))
FAULTY(HANDLE, OpenProcess, NULL, (DWORD access, WINBOOL inherit, DWORD pid),
       (access, inherit, pid))
FAULTY(WINBOOL, OpenProcessToken, FALSE, (HANDLE process, DWORD access, PHANDLE ret),
       (process, access, ret))
FAULTY(WINBOOL, GetTokenInformation, FALSE,
       (HANDLE token, TOKEN_INFORMATION_CLASS class, LPVOID to, DWORD size, PDWORD len),
       (token, class, to, size, len))
FAULTY(WINBOOL, CreateProcessW, FALSE,
       (LPCWSTR program, LPWSTR line, LPSECURITY_ATTRIBUTES process, LPSECURITY_ATTRIBUTES thread,
        WINBOOL inherit, DWORD flags, LPVOID environment, LPCWSTR folder, LPSTARTUPINFOW start,
        LPPROCESS_INFORMATION ret),
       (program, line, process, thread, inherit, flags, environment, folder, start, ret))
FAULTY(WINBOOL, UpdateProcThreadAttribute, FALSE,
       (LPPROC_THREAD_ATTRIBUTE_LIST list, DWORD flags, DWORD_PTR which, PVOID value, SIZE_T size,
        PVOID old, PSIZE_T len),
       (list, flags, which, value, size, old, len))

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return fails("malloc") ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return fails("calloc") ? NULL : __real_calloc(count, size);
}

/* ---- how many handles there are ---- */

struct all_handles {
    ULONG_PTR count, reserved;
    struct {
        void *object;
        ULONG_PTR pid, handle;
        ULONG access;
        USHORT trace, type;
        ULONG attributes, unused;
    } items[65536];
};

static unsigned count_handles(void)
{
    static struct all_handles all;
    unsigned count = 0;
    ULONG len;

    /* SystemExtendedHandleInformation */
    CHECK(NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)64, &all, sizeof(all), &len) >= 0);
    for (ULONG_PTR i = 0; i < all.count; i++) {
        count += all.items[i].pid == GetCurrentProcessId() ? 1 : 0;
    }
    return count;
}

/* ---- what is tried; each true if it went well, and each leaves nothing ---- */

static bool wait_for(int fd)
{
    const HANDLE ready = io_readable(fd);

    return ready != NULL && WaitForSingleObject(ready, WAIT_MS) == WAIT_OBJECT_0;
}

static bool send_packet(int from, int to)
{
    const struct ipc_message message = {.type = IPC_SESSION};
    struct ipc_packet packet = {.fd_count = 0};
    const void *data = NULL;
    size_t len = 0;
    int fd = -1;
    const bool sent = ipc_memfd("test", "text", 4, &fd, NULL) == CORDON_OK &&
                      ipc_send(from, &message, &fd, 1) == CORDON_OK;
    bool well = sent && wait_for(to) && ipc_recv(to, &packet) == CORDON_OK;

    if (sent && !well) {
        CHECK(ipc_recv(to, &packet) == CORDON_OK); /* nothing was lost */
    }
    if (well) {
        well = ipc_map(packet.fds[0], 100, &data, &len, NULL) == CORDON_OK;
        CHECK(!well || (len == 4 && memcmp(data, "text", 4) == 0));
        ipc_unmap(data, len);
    }
    ipc_packet_close(&packet);
    host_close(fd);
    return well;
}

static bool try_packets(void)
{
    int pair[2];
    bool well;

    if (ipc_pair(pair, NULL) != CORDON_OK) {
        return false;
    }
    well = send_packet(pair[0], pair[1]);
    host_close(pair[0]);
    host_close(pair[1]);
    return well;
}

static struct loop *loop;

static void on_ready(void *context, unsigned events)
{
    char byte;
    size_t len;

    (void)events;
    (void)!host_read(*(const int *)context, &byte, 1, &len);
    loop_stop(loop);
}

static void on_time(void *context, unsigned events)
{
    (void)context;
    (void)events;
    loop_stop(loop);
}

static bool try_loop(void)
{
    struct loop_source *source = NULL, *timer = NULL;
    int pair[2] = {-1, -1};
    bool well = loop_new(&loop) == CORDON_OK;

    if (!well) {
        return false;
    }
    well = io_pair(true, pair, NULL) == CORDON_OK;
    if (well) {
        well = loop_watch(loop, pair[0], LOOP_READ, on_ready, &pair[0], &source) == CORDON_OK &&
               loop_after(loop, WAIT_MS, on_time, NULL, &timer) == CORDON_OK &&
               io_write(pair[1], "x", 1) == CORDON_OK;
        if (well) {
            loop_run(loop);
        }
        loop_source_free(source);
        loop_source_free(timer);
        host_close(pair[0]);
        host_close(pair[1]);
    }
    loop_free(loop);
    return well;
}

static bool serve(int listener, HANDLE client)
{
    struct platform_peer peer = {.pidfd = -1, .token = -1};
    struct platform_peer key = {.pidfd = -1, .token = -1};
    char **words = NULL;
    size_t sent;
    int fd = -1;
    bool well = client != INVALID_HANDLE_VALUE && wait_for(listener) &&
                host_accept(listener, &fd) == CORDON_OK;

    if (well) {
        well = peer_identify(fd, false, &peer, NULL) == CORDON_OK;
        if (well) {
            well = peer_copy_key(&peer, &key) == CORDON_OK &&
                   peer_words(&key, 100, &words) == CORDON_OK &&
                   host_adopt_stream(fd, NULL) == CORDON_OK &&
                   host_send(fd, "x", 1, NULL, 0, &sent) == CORDON_OK;
            peer_deinit(&key);
            peer_deinit(&peer);
        }
        free(words);
        host_close(fd);
    }
    return well;
}

static bool try_client(void)
{
    int listener = -1;
    HANDLE client;
    bool well;

    if (host_listen(PIPE, &listener, NULL) != CORDON_OK) {
        return false;
    }
    client = CreateFileW(L"" PIPE, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    well = serve(listener, client);
    if (client != INVALID_HANDLE_VALUE) {
        (void)CloseHandle(client);
    }
    host_close(listener);
    return well;
}

static char self[MAX_PATH];

static bool try_child(void)
{
    static char option[] = "--exit";
    char *const argv[] = {self, option, NULL};
    struct host_start start = {.program = self, .argv = argv, .output = -1};
    struct host_child child = {0, -1};
    char how[64];
    int pair[2];
    bool well;

    if (ipc_pair(pair, NULL) != CORDON_OK) {
        return false;
    }
    start.channel = pair[1];
    well = host_start(&start, &child, NULL) == CORDON_OK;
    if (well) {
        well = WaitForSingleObject(io_readable(child.pidfd), WAIT_MS) == WAIT_OBJECT_0 &&
               host_child_reap(&child, how, sizeof(how)) == CORDON_OK;
        CHECK(!well || strcmp(how, "exited with 7") == 0);
        host_child_deinit(&child);
    }
    host_close(pair[0]);
    host_close(pair[1]);
    return well;
}

/* Fails every call of it once. */
static void torture(bool (*try)(void), unsigned least)
{
    unsigned before, calls = 0, refused = 0;
    bool reached = true;

    for (unsigned i = 0; i < 3; i++) {
        CHECK(try()); /* what is made once and kept */
    }
    before = count_handles();
    while (reached) {
        bool well;

        failed = NULL;
        fail_at = (int)calls;
        well = try();
        reached = fail_at < 0;
        fail_at = -1;
        CHECK(reached || well);
        if (reached) {
            calls++;
            refused += well ? 0 : 1;
        }
        if (count_handles() != before) {
            (void)fprintf(stderr, "  %s, call %u: %u handles instead of %u\n",
                          failed == NULL ? "?" : failed, calls, count_handles(), before);
            CHECK(count_handles() == before);
        }
    }
    (void)fprintf(stderr, "  %u calls, %u of them needed\n", calls, refused);
    CHECK(refused >= least);
}

TEST(packets)
{
    torture(try_packets, 15);
}

TEST(the_loop)
{
    torture(try_loop, 8);
}

TEST(a_client)
{
    torture(try_client, 15);
}

TEST(a_child)
{
    torture(try_child, 15);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--exit") == 0) {
        return 7;
    }
    if (GetModuleFileNameA(NULL, self, sizeof(self)) == 0) {
        return 1;
    }
    return check_main(argc, argv);
}

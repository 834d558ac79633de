/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cordon-init: the first process of a job, in its job object and with its token. Takes the command
 * from the worker and runs it in the folder it was given, says what becomes of it, and ends with
 * it. It is given its handles as standard streams: the channel, where to say, and the folder, where
 * that is not its argument.
 */
#include <stdlib.h>
#include <string.h>

#include "platform/platform.h"
#include "platform/windows/args.h"
#include "platform/windows/io.h"
#include "platform/windows/job_words.h"

/* Behind windows.h, without which it means nothing. */
#include <shellapi.h>

#define SAY 1
#define FOLDER 2
#define COMMAND_FDS 4U
#define STRINGS_MAX ((size_t)64U * 1024U * 1024U)
#define FAILED_STATUS 125

struct command {
    struct channel_command head;
    int fds[COMMAND_FDS]; /* strings, then streams */
    size_t fd_count;
    const void *strings;
    size_t strings_len;
    WCHAR *line, *environment;
    HANDLE streams[3];
};

static void say(enum job_word_kind kind, uint32_t code)
{
    const struct job_word word = {kind, code};

    host_write(SAY, (const char *)&word, sizeof(word));
}

static bool receive(struct command *command)
{
    const int channel = host_channel();
    enum cordon_err err;

    do {
        err = io_recv_whole(channel, &command->head, sizeof(command->head), command->fds,
                            COMMAND_FDS, &command->fd_count);
        if (err == CORDON_E_AGAIN) {
            const HANDLE ready = io_readable(channel);

            if (ready == NULL || WaitForSingleObject(ready, INFINITE) != WAIT_OBJECT_0) {
                return false;
            }
        }
    } while (err == CORDON_E_AGAIN);
    return err == CORDON_OK && command->fd_count > 0 && command->head.magic == CHANNEL_MAGIC &&
           command->head.argc > 0 &&
           ipc_map(command->fds[0], STRINGS_MAX, &command->strings, &command->strings_len, NULL) ==
               CORDON_OK &&
           command->strings_len == command->head.strings_len;
}

/* The next of the strings; NULL: there is none. */
static const char *next(const struct command *command, size_t *at)
{
    const char *text = (const char *)command->strings + *at;
    const char *nul =
        *at < command->strings_len ? memchr(text, '\0', command->strings_len - *at) : NULL;

    if (nul == NULL) {
        return NULL;
    }
    *at += (size_t)(nul - text) + 1;
    return text;
}

static bool widen(const struct strbuf *text, size_t len, WCHAR **ret_wide)
{
    WCHAR *wide = calloc(len + 2, sizeof(*wide));

    if (wide == NULL || text->failed ||
        (len > 0 && MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text->data, (int)len, wide,
                                        (int)len) == 0)) {
        free(wide);
        return false;
    }
    *ret_wide = wide;
    return true;
}

/* Arguments as one line, and the environment with a NUL behind its last. */
static bool make_strings(struct command *command)
{
    struct strbuf line = STRBUF_INIT, environment = STRBUF_INIT;
    const char *text;
    size_t at = 0;
    bool well = true;

    for (uint32_t i = 0; well && i < command->head.argc; i++) {
        text = next(command, &at);
        well = text != NULL;
        if (well) {
            strbuf_puts(&line, i == 0 ? "" : " ");
            args_quote(&line, text);
        }
    }
    for (uint32_t i = 0; well && i < command->head.envc; i++) {
        text = next(command, &at);
        well = text != NULL;
        if (well) {
            strbuf_add(&environment, text, strlen(text) + 1);
        }
    }
    well = well && widen(&line, line.len, &command->line) &&
           widen(&environment, environment.len, &command->environment);
    strbuf_deinit(&line);
    strbuf_deinit(&environment);
    return well;
}

static bool make_streams(struct command *command)
{
    size_t at = 1;

    for (unsigned i = 0; i < 3; i++) {
        SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};

        command->streams[i] = (command->head.stdio_mask & (1U << i)) != 0 && at < command->fd_count
                                  ? io_handle(command->fds[at++])
                                  : CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE,
                                                FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited,
                                                OPEN_EXISTING, 0, NULL);
        if (command->streams[i] == INVALID_HANDLE_VALUE ||
            !SetHandleInformation(command->streams[i], HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT)) {
            return false;
        }
    }
    return true;
}

/* Nothing but the streams is inherited, each once. */
static LPPROC_THREAD_ATTRIBUTE_LIST make_list(HANDLE streams[3])
{
    SIZE_T size = 0;
    LPPROC_THREAD_ATTRIBUTE_LIST list;

    (void)InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    list = malloc(size);
    if (list == NULL || !InitializeProcThreadAttributeList(list, 1, 0, &size) ||
        !UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, streams,
                                   3 * sizeof(streams[0]), NULL, NULL)) {
        free(list);
        return NULL;
    }
    return list;
}

/* Runs the command; a Win32 code. */
static DWORD run(struct command *command, const char *folder, DWORD *ret_status)
{
    STARTUPINFOEXW info = {.StartupInfo = {.cb = sizeof(info), .dwFlags = STARTF_USESTDHANDLES}};
    PROCESS_INFORMATION made;
    WCHAR *wide = NULL;
    DWORD code = win32_wide("", folder, &wide);

    info.lpAttributeList = make_list(command->streams);
    info.StartupInfo.hStdInput = command->streams[0];
    info.StartupInfo.hStdOutput = command->streams[1];
    info.StartupInfo.hStdError = command->streams[2];
    if (info.lpAttributeList == NULL) {
        code = ERROR_NOT_ENOUGH_MEMORY;
    }
    if (code == API_OK && !CreateProcessW(NULL, command->line, NULL, NULL, TRUE,
                                          CREATE_UNICODE_ENVIRONMENT | CREATE_NO_WINDOW |
                                              EXTENDED_STARTUPINFO_PRESENT,
                                          command->environment, wide, &info.StartupInfo, &made)) {
        code = GetLastError();
    }
    free(wide);
    if (code != API_OK) {
        return code;
    }
    /* Held here too, no reader of a pipe would ever see its end. */
    for (size_t i = 0; i < 3; i++) {
        (void)CloseHandle(command->streams[i]);
    }
    say(JOB_RUNNING, 0);
    (void)WaitForSingleObject(made.hProcess, INFINITE);
    return GetExitCodeProcess(made.hProcess, ret_status) ? API_OK : GetLastError();
}

/* As UTF-8, in @arena; NULL: cannot be told. What it names is found with the job's own rights. */
static const char *find_folder(struct arena *arena)
{
    const char *folder = NULL;
    int count = 0;
    WCHAR **args = CommandLineToArgvW(GetCommandLineW(), &count);
    char *room;

    if (args == NULL) {
        return NULL;
    }
    room = count < 2 ? NULL : arena_alloc(arena, API_PATH_MAX);
    if (room != NULL && win32_narrow(args[1], wcslen(args[1]), room, API_PATH_MAX) == API_OK) {
        folder = room;
    } else if (count < 2 && host_directory_name(FOLDER, arena, &folder, NULL) != CORDON_OK) {
        folder = NULL;
    }
    (void)LocalFree(args);
    return folder;
}

int main(void)
{
    struct command command = {.fd_count = 0};
    struct arena arena;
    const char *folder;
    DWORD status = 0;
    DWORD code = ERROR_INVALID_DATA;

    arena_init(&arena, 2U * API_PATH_MAX);
    folder = find_folder(&arena);
    if (folder != NULL && receive(&command) && make_strings(&command) && make_streams(&command)) {
        code = run(&command, folder, &status);
    }
    say(code == API_OK ? JOB_EXITED : JOB_FAILED, code == API_OK ? status : code);
    return code == API_OK ? (int)status : FAILED_STATUS;
}

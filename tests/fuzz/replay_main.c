/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzzer's entry point over every file of the corpus directories given,
 * in the order of their names, so that an old finding stays an ordinary test on
 * compilers without libFuzzer. A finding aborts; exit 1 means nothing was run.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* As libFuzzer does: more than any parser's cap, so that the caps are met too. */
#define REPLAY_MAX_BYTES (4U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Exactly as long as the input: a read past its end is the sanitizer's to see. */
static bool replay_bytes(FILE *file, size_t size)
{
    uint8_t *data = malloc(size == 0 ? 1 : size);
    bool whole = data != NULL && fread(data, 1, size, file) == size;

    if (whole) {
        (void)LLVMFuzzerTestOneInput(data, size);
    }
    free(data);
    return whole;
}

static bool replay_file(const char *path)
{
    struct stat info;
    FILE *file = fopen(path, "rbe");
    bool done = file != NULL && fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode) &&
                info.st_size <= (off_t)REPLAY_MAX_BYTES && replay_bytes(file, (size_t)info.st_size);

    if (file != NULL) {
        (void)fclose(file);
    }
    if (!done) {
        (void)fprintf(stderr, "FAIL %s: cannot be read\n", path);
    }
    return done;
}

static bool replay_entry(const char *folder, const char *name, int *counts)
{
    char path[4096];
    int len = snprintf(path, sizeof(path), "%s/%s", folder, name);

    if (len < 0 || (size_t)len >= sizeof(path)) {
        (void)fprintf(stderr, "FAIL %s/%s: the name is too long\n", folder, name);
        return false;
    }
    /* Said before the run, so that an abort shows its input. */
    (void)printf("%s\n", path);
    (void)fflush(stdout);
    if (!replay_file(path)) {
        return false;
    }
    (*counts)++;
    return true;
}

/* Returns how many inputs failed to run; adds those that ran to *counts. */
static int replay_folder(const char *folder, int *counts)
{
    struct dirent **entries = NULL;
    int total = scandir(folder, &entries, NULL, alphasort);
    int failed = total < 0;

    if (total < 0) {
        (void)fprintf(stderr, "FAIL %s: not a directory that can be read\n", folder);
    }
    for (int i = 0; i < total; i++) {
        if (entries[i]->d_name[0] != '.') {
            failed += !replay_entry(folder, entries[i]->d_name, counts);
        }
        free(entries[i]);
    }
    free(entries);
    return failed;
}

int main(int argc, char **argv)
{
    int passed = 0;
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        failed += replay_folder(argv[i], &passed);
    }
    (void)printf("%d passed, %d failed\n", passed, failed);
    return failed != 0 || passed == 0;
}

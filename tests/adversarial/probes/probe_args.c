/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MT-26: arguments, the working directory and the variables whose names begin
 * with PROBE_, each between NUL bytes, to standard output.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv, char **envp)
{
    char cwd[PATH_MAX] = "";

    for (int i = 1; i < argc; i++) {
        (void)printf("%s%c", argv[i], '\0');
    }
    (void)printf("%s%c", getcwd(cwd, sizeof(cwd)) != NULL ? cwd : "?", '\0');
    for (char **item = envp; *item != NULL; item++) {
        if (strncmp(*item, "PROBE_", 6) == 0) {
            (void)printf("%s%c", *item, '\0');
        }
    }
    return 0;
}

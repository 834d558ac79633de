/* SPDX-License-Identifier: Apache-2.0 */
/* ID-10: executes the program named with an empty argument vector. */
#include <unistd.h>

int main(int argc, char **argv)
{
    char *none[] = {NULL};
    char *envp[] = {NULL};

    if (argc != 2) {
        return 64;
    }
    (void)execve(argv[1], none, envp);
    return 63;
}

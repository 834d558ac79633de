/* SPDX-License-Identifier: Apache-2.0 */
/* test_windows_random [SEED] */
#include <stdlib.h>
#include <time.h>

#include "tests/parity/run_random.h"

int main(int argc, char **argv)
{
    return !run_random(argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL), NULL);
}

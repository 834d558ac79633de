/* SPDX-License-Identifier: Apache-2.0 */
/* test_windows_table FILE: the table of parity, with access decided by sd.h. */
#include "tests/parity/run_table.h"

int main(int argc, char **argv)
{
    return argc < 2 || !run_table(argv[1], NULL);
}

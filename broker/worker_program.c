/* SPDX-License-Identifier: Apache-2.0 */
/* cordon-worker: nothing but a worker. */
#include "broker/worker.h"

int main(int argc, char **argv)
{
    return worker_main(argc, argv);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The verb "sandbox". */
#ifndef CORDON_CLIENT_RUN_H
#define CORDON_CLIENT_RUN_H

#include "client/cli.h"

/* Runs the command of @cli, or prints its plan; the exit status. */
int run_sandbox(const struct cli *cli);

/* `cordon violations`. */
int run_violations(const struct cli *cli);

/* ps, kill, status, reload. */
int run_control(const struct cli *cli);

#endif

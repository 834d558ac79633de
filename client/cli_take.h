/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each option does with its value. CORDON_E_INVALID with a fault that
 * leaves the option's name to the caller.
 */
#ifndef CORDON_CLIENT_CLI_TAKE_H
#define CORDON_CLIENT_CLI_TAKE_H

#include "client/cli.h"

CORDON_MUST_USE enum cordon_err cli_take_mode(struct cli *cli, const char *value,
                                              struct cordon_fault *fault);
CORDON_MUST_USE enum cordon_err cli_take_profile(struct cli *cli, const char *value,
                                                 struct cordon_fault *fault);
CORDON_MUST_USE enum cordon_err cli_take_config(struct cli *cli, const char *value,
                                                struct cordon_fault *fault);
CORDON_MUST_USE enum cordon_err cli_take_cwd(struct cli *cli, const char *value,
                                             struct cordon_fault *fault);
CORDON_MUST_USE enum cordon_err cli_take_timeout(struct cli *cli, const char *value,
                                                 struct cordon_fault *fault);
CORDON_MUST_USE enum cordon_err cli_take_key(struct cli *cli, const char *value,
                                             struct cordon_fault *fault);
CORDON_MUST_USE enum cordon_err cli_take_public_key(struct cli *cli, const char *value,
                                                    struct cordon_fault *fault);
CORDON_MUST_USE enum cordon_err cli_take_generation(struct cli *cli, const char *value,
                                                    struct cordon_fault *fault);
CORDON_MUST_USE enum cordon_err cli_take_valid_days(struct cli *cli, const char *value,
                                                    struct cordon_fault *fault);

#endif

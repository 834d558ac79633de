/* SPDX-License-Identifier: Apache-2.0 */
/* The options of signing. */
#include "client/cli_take.h"

#include "platform/base/number.h"

enum cordon_err cli_take_key(struct cli *cli, const char *value, struct cordon_fault *fault)
{
    (void)fault;
    cli->key = value;
    return CORDON_OK;
}

enum cordon_err cli_take_public_key(struct cli *cli, const char *value, struct cordon_fault *fault)
{
    (void)fault;
    cli->public_key = value;
    return CORDON_OK;
}

/* A whole number from 1 to @most. */
static enum cordon_err take_number(const char *value, uint64_t most, uint64_t *ret_number,
                                   struct cordon_fault *fault)
{
    uint64_t number;

    if (!number_parse(value, most, &number) || number == 0) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "'%s' is no number from 1 to %llu", value,
                         (unsigned long long)most);
    }
    *ret_number = number;
    return CORDON_OK;
}

enum cordon_err cli_take_generation(struct cli *cli, const char *value, struct cordon_fault *fault)
{
    return take_number(value, UINT64_MAX, &cli->generation, fault);
}

enum cordon_err cli_take_valid_days(struct cli *cli, const char *value, struct cordon_fault *fault)
{
    return take_number(value, 36500, &cli->valid_days, fault);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The options of signing. */
#include "client/cli_take.h"

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
    const char *p = value;
    uint64_t number = 0;
    bool fits = true;

    for (; *p >= '0' && *p <= '9' && fits; p++) {
        const uint64_t digit = (uint64_t)(*p - '0');

        fits = number <= (most - digit) / 10;
        number = fits ? number * 10 + digit : number;
    }
    if (!fits || *p != '\0' || number == 0) {
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

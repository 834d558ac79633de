/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "client/cli_take.h"
#include "platform/base/number.h"
#include "platform/signals.h"

#define SIGNAL_MAX 64U

/* The names that a person would send; the others go by number. */
const char *const cli_signals[] = {"HUP",  "INT",  "QUIT", "KILL", "TERM",  "USR1", "USR2",
                                   "CONT", "TSTP", "ABRT", "ALRM", "WINCH", NULL};
_Static_assert(SIGNALS + 1 == sizeof(cli_signals) / sizeof(cli_signals[0]),
               "a name needs its number");

enum cordon_err cli_take_signal(struct cli *cli, const char *value, struct cordon_fault *fault)
{
    const char *name = strncasecmp(value, "SIG", 3) == 0 ? value + 3 : value;
    uint64_t number;

    for (size_t i = 0; cli_signals[i] != NULL; i++) {
        if (strcasecmp(name, cli_signals[i]) == 0) {
            cli->signo = signal_numbers[i];
            return CORDON_OK;
        }
    }
    if (!number_parse(value, SIGNAL_MAX, &number) || number == 0) {
        return fault_set(fault, CORDON_E_INVALID, "a name such as TERM or KILL, or a number to 64",
                         "'%s' is no signal", value);
    }
    cli->signo = (int)number;
    return CORDON_OK;
}

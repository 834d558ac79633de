/* SPDX-License-Identifier: Apache-2.0 */
/* Signals that people name, by the numbers that this host's broker knows them by. */
#ifndef CORDON_PLATFORM_SIGNALS_H
#define CORDON_PLATFORM_SIGNALS_H

#define SIGNALS 12U

/* HUP INT QUIT KILL TERM USR1 USR2 CONT TSTP ABRT ALRM WINCH, in this order. */
extern const int signal_numbers[SIGNALS];

#endif

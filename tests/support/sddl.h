/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors for tests, from the part of SDDL they need: "O:SYG:SYD:PAI(D;OICI;FR;;;S-1-5-21-1)";
 * masks as FA FR FW FX KA KR KW GA GR GW GX RC WD WO SD or numbers, SIDs as SY BA BU WD CO CG OW AU
 * or by number, types A D XA XD. "D:NO_ACCESS_CONTROL" is a NULL list.
 */
#ifndef CORDON_TESTS_SDDL_H
#define CORDON_TESTS_SDDL_H

#include "platform/windows/sd.h"

/* False, with a line on stderr, for what cannot be read. */
bool sddl_read(const char *text, struct sd *ret_sd);

/* One SID, by alias or number. */
bool sddl_sid(const char *text, size_t len, struct sid *ret_sid);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "broker/managed.h"

void fault_to_ipc(const struct cordon_fault *fault, struct ipc_fault *ret_fault)
{
    memset(ret_fault, 0, sizeof(*ret_fault));
    ret_fault->err = (uint32_t)fault->err;
    ret_fault->os_code = fault->os_code;
    (void)snprintf(ret_fault->text, sizeof(ret_fault->text), "%.*s",
                   (int)sizeof(ret_fault->text) - 1, fault->text);
    (void)snprintf(ret_fault->remedy, sizeof(ret_fault->remedy), "%.*s",
                   (int)sizeof(ret_fault->remedy) - 1, fault->remedy);
}

void fault_from_ipc(const struct ipc_fault *in, struct cordon_fault *ret_fault)
{
    struct cordon_fault fault;

    memset(&fault, 0, sizeof(fault));
    fault.err = in->err < CORDON_ERR_COUNT ? (enum cordon_err)in->err : CORDON_E_PROTO;
    fault.os_code = in->os_code;
    (void)snprintf(fault.text, sizeof(fault.text), "%.*s", (int)sizeof(in->text) - 1, in->text);
    (void)snprintf(fault.remedy, sizeof(fault.remedy), "%.*s", (int)sizeof(in->remedy) - 1,
                   in->remedy);
    *ret_fault = fault;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Where nothing here can keep a private key from others: documents are signed on another system. */
#include "client/policy/tool.h"

static int refuse(struct tool *tool)
{
    struct cordon_fault fault = {0};

    (void)fault_set(&fault, CORDON_E_UNSUPPORTED, "make keys and sign on Linux",
                    "private keys are not kept on this system");
    return tool_fail(tool, &fault);
}

int verb_keygen(struct tool *tool)
{
    return refuse(tool);
}

int verb_sign(struct tool *tool)
{
    return refuse(tool);
}

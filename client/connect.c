/* SPDX-License-Identifier: Apache-2.0 */
#include "client/lib.h"
#include "platform/link.h"

enum cordon_err lib_connect(unsigned flags, struct cordon *cordon, struct cordon_fault *fault)
{
    enum cordon_err err = CORDON_E_NOT_FOUND;

    if ((flags & CORDON_OPEN_EMBEDDED) != 0) {
        return link_private(&cordon->fd, &cordon->broker, fault);
    }
    err = link_service(&cordon->fd, fault);
    if (err != CORDON_E_NOT_FOUND) {
        return err;
    }
    if (link_service_installed()) {
        return fault_set(fault, CORDON_E_NOT_FOUND, link_service_start,
                         "the cordon service is installed but %s does not exist",
                         link_service_place);
    }
    if ((flags & CORDON_OPEN_SERVICE) != 0) {
        return fault_set(fault, CORDON_E_NOT_FOUND,
                         "install it; a private broker serves its one client and keeps no records",
                         "there is no cordon service");
    }
    return link_private(&cordon->fd, &cordon->broker, fault);
}

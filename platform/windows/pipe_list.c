/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/pipe.h"

#define FULL 0x001f01ffU

enum cordon_err pipe_list(const struct sid *const *principals, size_t count, struct sd *ret_sd)
{
    const struct sd_ace rest[] = {{SD_ALLOWED, 0, FULL, sid_system()},
                                  {SD_ALLOWED, 0, FULL, sid_administrators()},
                                  {SD_ALLOWED, 0, PIPE_CLIENT_MASK, sid_nt(4, SID_NO_SUB)}};
    enum cordon_err err = CORDON_OK;

    sd_init(ret_sd, SD_DACL_LIST);
    ret_sd->control = SD_DACL_PROTECTED;
    ret_sd->owner = sid_system();
    ret_sd->group = sid_system();
    for (size_t i = 0; err == CORDON_OK && i < count; i++) {
        const struct sd_ace no = {SD_DENIED, 0, FULL, *principals[i]};

        err = sd_append(ret_sd, &no);
    }
    for (size_t i = 0; err == CORDON_OK && i < sizeof(rest) / sizeof(rest[0]); i++) {
        err = sd_append(ret_sd, &rest[i]);
    }
    return err;
}

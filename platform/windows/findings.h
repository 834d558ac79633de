/* SPDX-License-Identifier: Apache-2.0 */
/* What `cordon doctor` says of the service's installation, from what was seen of it. Pure. */
#ifndef CORDON_PLATFORM_WINDOWS_FINDINGS_H
#define CORDON_PLATFORM_WINDOWS_FINDINGS_H

#include "platform/caller.h"

struct findings_facts {
    uint32_t asked; /* code of asking the control manager; SCM_NOT_THERE: no such service */
    bool running, automatic, is_systems; /* automatic: started with the system */
    uint32_t ended_with;                 /* its code, if it does not run */
    bool administrator;                  /* who looks */
    struct cordon_fault programs, state; /* err CORDON_OK: the system's alone */
    uint32_t source;                     /* code of looking for the event log's source */
};

/* As caller_findings(). */
size_t findings_of(const struct findings_facts *facts, struct arena *arena,
                   struct caller_finding findings[CALLER_FINDINGS_MAX]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/wine/jobs.h"

static struct launch_limits last;

static uint32_t remember_limits(void *self, api_handle job, const struct launch_limits *wanted)
{
    last = *wanted;
    return launch_win32()->job_limit(self, job, wanted);
}

static uint32_t tell_limits(void *self, api_handle job, struct launch_limits *ret_limits)
{
    (void)self;
    (void)job;
    *ret_limits = last;
    return API_OK;
}

const struct launch_api *wine_launch(void)
{
    static struct launch_api api;

    api = *launch_win32();
    api.job_limit = remember_limits;
    api.job_limits = tell_limits;
    return &api;
}

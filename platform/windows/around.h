/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a job has around it besides its job object: filters that keep it from the network, a window
 * station and desktop of its own, a terminal. All of it goes with its handles, and so with the
 * service, as the job itself does.
 *
 * The Win32 calls are a table, as in api.h: each returns an error code, 0 for success.
 */
#ifndef CORDON_PLATFORM_WINDOWS_AROUND_H
#define CORDON_PLATFORM_WINDOWS_AROUND_H

#include "platform/windows/api.h"

/* What a filter blocks; in the order of the plan's words. */
enum around_layer {
    AROUND_CONNECT_V4, /* FWPM_LAYER_ALE_AUTH_CONNECT_V4 */
    AROUND_CONNECT_V6,
    AROUND_ACCEPT_V4, /* FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4 */
    AROUND_ACCEPT_V6,
    AROUND_LAYERS
};

struct around_terminal {
    uint16_t columns, rows;
    /* What the terminal reads keys from and writes to; both synchronous. Borrowed, and not needed
     * any more once it is made. */
    api_handle input, output;
};

struct around_api {
    void *self;
    /* Bytes that nobody can guess (BCryptGenRandom). */
    uint32_t (*random)(void *self, uint8_t *bytes, size_t len);

    /* A session with the filter engine: what is added in it goes with it (FwpmEngineOpen0 with
     * FWPM_SESSION_FLAG_DYNAMIC). */
    uint32_t (*filters_open)(void *self, api_handle *ret_engine);
    uint32_t (*filters_begin)(void *self, api_handle engine); /* a transaction */
    /* A sublayer of its own, before all others: *ret_key is its GUID. */
    uint32_t (*filters_layer)(void *self, api_handle engine, uint8_t ret_key[16]);
    /* Blocks, whatever another sublayer says, for tokens that descriptor @bytes grants
     * FWP_ACTRL_MATCH_FILTER (1). */
    uint32_t (*filters_add)(void *self, api_handle engine, const uint8_t key[16],
                            enum around_layer layer, const uint8_t *bytes, size_t len);
    uint32_t (*filters_commit)(void *self, api_handle engine);
    uint32_t (*filters_close)(void *self, api_handle engine);

    /* New ones, with this descriptor. A station's name must be free (CWF_CREATE_ONLY). */
    uint32_t (*station_make)(void *self, const char *name, const uint8_t *bytes, size_t len,
                             api_handle *ret_station);
    uint32_t (*station_close)(void *self, api_handle station);
    /* In @station; 0: in that of this process. */
    uint32_t (*desktop_make)(void *self, api_handle station, const char *name, const uint8_t *bytes,
                             size_t len, api_handle *ret_desktop);
    uint32_t (*desktop_close)(void *self, api_handle desktop);

    /* A terminal whose own process (conhost) runs with @token; 0: with that of this process. */
    uint32_t (*console_make)(void *self, api_handle token, const struct around_terminal *terminal,
                             api_handle *ret_console);
    uint32_t (*console_size)(void *self, api_handle console, uint16_t columns, uint16_t rows);
    uint32_t (*console_close)(void *self, api_handle console);
};

const struct around_api *around_win32(void);

struct around_order {
    bool filter[AROUND_LAYERS]; /* by enum around_layer */
    struct sid principal;       /* whom they are for */
    bool desktop;               /* one of the job's own */
    bool station;               /* and a window station, which an administrator alone can name */
    struct sid logon;           /* whom these are opened to */
    const struct around_terminal *terminal; /* NULL: none */
    api_handle token;                       /* for console_make() */
};

#define AROUND_NAME_MAX 64U

struct around {
    api_handle filters, station, desktop, console; /* owned; 0: none */
    char name[AROUND_NAME_MAX]; /* "station\desktop", or the desktop alone; "": the service's */
};

/* On an error nothing of it is left. Errors are those of the calls. */
CORDON_MUST_USE enum cordon_err around_make(const struct around_api *api,
                                            const struct around_order *order,
                                            struct around *ret_around, struct cordon_fault *fault);

/* After the job's end: whoever is in it is not to be without its filters. Twice is allowed. */
void around_undo(const struct around_api *api, struct around *around);

#endif

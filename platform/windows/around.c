/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/around.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/sd.h"

/* Rights (winuser.h): all that is the kind's own, and to read its list. Not to change that, not to
 * delete it. */
#define STATION_RIGHTS (0x37fU | SD_READ_CONTROL)
#define DESKTOP_RIGHTS (0x1ffU | SD_READ_CONTROL)
#define MATCH_FILTER 0x1U

#define LIST_MAX 512U

struct list {
    uint8_t bytes[LIST_MAX];
    size_t len;
};

static enum cordon_err fill(struct sd *sd, const struct sid *sid, uint32_t rights, bool filter)
{
    const struct sd_ace entries[] = {{SD_ALLOWED, 0, rights, *sid},
                                     {SD_ALLOWED, 0, SD_GENERIC_ALL, sid_system()}};
    enum cordon_err err;

    sd_init(sd, SD_DACL_LIST);
    sd->control |= SD_DACL_PROTECTED;
    err = sd_append(sd, &entries[0]);
    if (filter) {
        /* It is asked with a token and is nobody's object, but a whole descriptor is wanted. */
        sd->owner = sid_system();
        sd->group = sid_system();
        return err;
    }
    /* Whoever makes an object owns it: in embedded mode that is not SYSTEM. */
    return err == CORDON_OK ? sd_append(sd, &entries[1]) : err;
}

/* A descriptor that grants @sid these rights. */
static enum cordon_err make_list(const struct sid *sid, uint32_t rights, bool filter,
                                 struct list *list, struct cordon_fault *fault)
{
    struct sd *sd = malloc(sizeof(*sd));
    enum cordon_err err = sd == NULL ? CORDON_E_NOMEM : fill(sd, sid, rights, filter);

    if (err == CORDON_OK) {
        err = sd_write(sd, list->bytes, sizeof(list->bytes), &list->len);
    }
    free(sd);
    return err == CORDON_OK ? CORDON_OK
                            : fault_set(fault, err, NULL, "no room for the list of an object");
}

/* ---- filters ---- */

static uint32_t add_filters(const struct around_api *api, const struct around_order *order,
                            api_handle engine, const struct list *list)
{
    uint8_t key[16];
    uint32_t code = api->filters_begin(api->self, engine);

    if (code == API_OK) {
        code = api->filters_layer(api->self, engine, key);
    }
    for (unsigned i = 0; code == API_OK && i < AROUND_LAYERS; i++) {
        if (order->filter[i]) {
            code = api->filters_add(api->self, engine, key, (enum around_layer)i, list->bytes,
                                    list->len);
        }
    }
    return code == API_OK ? api->filters_commit(api->self, engine) : code;
}

static bool has_filters(const struct around_order *order)
{
    bool any = false;

    for (size_t i = 0; i < AROUND_LAYERS; i++) {
        any = any || order->filter[i];
    }
    return any;
}

static enum cordon_err make_filters(const struct around_api *api, const struct around_order *order,
                                    struct around *around, struct cordon_fault *fault)
{
    struct list list;
    enum cordon_err err;
    uint32_t code;

    if (!has_filters(order)) {
        return CORDON_OK;
    }
    err = make_list(&order->principal, MATCH_FILTER, true, &list, fault);
    if (err != CORDON_OK) {
        return err;
    }
    code = api->filters_open(api->self, &around->filters);
    if (code == API_OK) {
        code = add_filters(api, order, around->filters, &list);
    }
    return code == API_OK ? CORDON_OK
                          : api_fault(fault, code, "is the Base Filtering Engine (bfe) running?",
                                      "keeping the job from the network");
}

/* ---- window station and desktop ---- */

static enum cordon_err make_station(const struct around_api *api, const struct around_order *order,
                                    struct around *around, struct cordon_fault *fault)
{
    struct list list;
    uint32_t code;
    enum cordon_err err = make_list(&order->logon, STATION_RIGHTS, false, &list, fault);

    if (err != CORDON_OK) {
        return err;
    }
    code = api->station_make(api->self, around->name, list.bytes, list.len, &around->station);
    if (code != API_OK) {
        return api_fault(fault, code, NULL, "making the job's window station");
    }
    (void)snprintf(around->name + strlen(around->name), 16, "\\default");
    return CORDON_OK;
}

static enum cordon_err make_desktop(const struct around_api *api, const struct around_order *order,
                                    struct around *around, struct cordon_fault *fault)
{
    struct list list;
    const char *name;
    uint64_t number = 0;
    uint32_t code;
    enum cordon_err err = make_list(&order->logon, DESKTOP_RIGHTS, false, &list, fault);

    if (err != CORDON_OK) {
        return err;
    }
    code = api->random(api->self, (uint8_t *)&number, sizeof(number));
    if (code != API_OK) {
        return api_fault(fault, code, NULL, "naming the job's desktop");
    }
    (void)snprintf(around->name, sizeof(around->name), "cordon-%016" PRIx64, number);
    err = order->station ? make_station(api, order, around, fault) : CORDON_OK;
    if (err != CORDON_OK) {
        return err;
    }
    name = strchr(around->name, '\\');
    code = api->desktop_make(api->self, around->station, name == NULL ? around->name : name + 1,
                             list.bytes, list.len, &around->desktop);
    return code == API_OK ? CORDON_OK : api_fault(fault, code, NULL, "making the job's desktop");
}

/* ---- the whole ---- */

static enum cordon_err make_console(const struct around_api *api, const struct around_order *order,
                                    struct around *around, struct cordon_fault *fault)
{
    const uint32_t code =
        api->console_make(api->self, order->token, order->terminal, &around->console);

    return code == API_OK ? CORDON_OK : api_fault(fault, code, NULL, "making the job's terminal");
}

enum cordon_err around_make(const struct around_api *api, const struct around_order *order,
                            struct around *ret_around, struct cordon_fault *fault)
{
    struct around around = {0};
    enum cordon_err err = make_filters(api, order, &around, fault);

    if (err == CORDON_OK && order->desktop) {
        err = make_desktop(api, order, &around, fault);
    }
    if (err == CORDON_OK && order->terminal != NULL) {
        err = make_console(api, order, &around, fault);
    }
    if (err != CORDON_OK) {
        around_undo(api, &around);
        return err;
    }
    *ret_around = around;
    return CORDON_OK;
}

void around_undo(const struct around_api *api, struct around *around)
{
    if (around->console != 0) {
        (void)api->console_close(api->self, around->console);
    }
    if (around->desktop != 0) {
        (void)api->desktop_close(api->self, around->desktop);
    }
    if (around->station != 0) {
        (void)api->station_close(api->self, around->station);
    }
    if (around->filters != 0) {
        (void)api->filters_close(api->self, around->filters);
    }
    *around = (struct around){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The table of around.h with the system behind it: the filter engine. Nothing is decided here. */
#include "platform/windows/filters_win32.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <fwpmu.h>
#include <string.h>

/* What the headers of every edition have, and this compiler's do not. */
#define RPC_AUTHN_WINNT 10U
#define SESSION_DYNAMIC 0x1U /* FWPM_SESSION_FLAG_DYNAMIC */
#define FILTER_HARD 0x8U     /* FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT */
#define WEIGHT_MOST 15U

/* FWPM_LAYER_ALE_AUTH_{CONNECT,RECV_ACCEPT}_V{4,6} */
static const GUID layers[AROUND_LAYERS] = {
    [AROUND_CONNECT_V4] = {0xc38d57d1,
                           0x05a7,
                           0x4c33,
                           {0x90, 0x4f, 0x7f, 0xbc, 0xee, 0xe6, 0x0e, 0x82}},
    [AROUND_CONNECT_V6] = {0x4a72393b,
                           0x319f,
                           0x44bc,
                           {0x84, 0xc3, 0xba, 0x54, 0xdc, 0xb3, 0xb6, 0xb4}},
    [AROUND_ACCEPT_V4] = {0xe1cd9fe7,
                          0xf4b5,
                          0x4273,
                          {0x96, 0xc0, 0x59, 0x2e, 0x48, 0x7b, 0x86, 0x50}},
    [AROUND_ACCEPT_V6] = {0xa3b42c97,
                          0x9f04,
                          0x4672,
                          {0xb8, 0x7e, 0xce, 0xe9, 0xc4, 0x83, 0x25, 0x7f}},
};

/* FWPM_CONDITION_ALE_USER_ID */
static const GUID user_id = {
    0xaf043a0a, 0xb34d, 0x4f86, {0x97, 0x9c, 0xc9, 0x03, 0x71, 0xaf, 0x6e, 0x66}};

static WCHAR shown[] = L"cordon: keeps a job from the network";

static uint32_t f_open(void *self, api_handle *ret_engine)
{
    FWPM_SESSION0 session = {.displayData.name = shown, .flags = SESSION_DYNAMIC};
    HANDLE engine = NULL;
    const DWORD code = FwpmEngineOpen0(NULL, RPC_AUTHN_WINNT, NULL, &session, &engine);

    (void)self;
    if (code == API_OK) {
        *ret_engine = (api_handle)engine;
    }
    return code;
}

static uint32_t f_begin(void *self, api_handle engine)
{
    (void)self;
    return FwpmTransactionBegin0((HANDLE)engine, 0);
}

static uint32_t f_layer(void *self, api_handle engine, uint8_t ret_key[16])
{
    FWPM_SUBLAYER0 layer = {.displayData.name = shown, .weight = 0xffff};
    uint8_t key[16];
    uint32_t code = around_win32()->random(self, key, sizeof(key));

    if (code == API_OK) {
        memcpy(&layer.subLayerKey, key, sizeof(key));
        code = FwpmSubLayerAdd0((HANDLE)engine, &layer, NULL);
    }
    if (code == API_OK) {
        memcpy(ret_key, key, sizeof(key));
    }
    return code;
}

static uint32_t f_add(void *self, api_handle engine, const uint8_t key[16], enum around_layer layer,
                      const uint8_t *bytes, size_t len)
{
    FWP_BYTE_BLOB who = {(UINT32)len, (UINT8 *)(uintptr_t)bytes};
    FWPM_FILTER_CONDITION0 condition = {.fieldKey = user_id, .matchType = FWP_MATCH_EQUAL};
    FWPM_FILTER0 filter = {.displayData.name = shown,
                           .flags = FILTER_HARD,
                           .layerKey = layers[layer],
                           .numFilterConditions = 1,
                           .filterCondition = &condition};
    UINT64 id = 0;

    (void)self;
    condition.conditionValue.type = FWP_SECURITY_DESCRIPTOR_TYPE;
    condition.conditionValue.sd = &who;
    filter.weight.type = FWP_UINT8;
    filter.weight.uint8 = WEIGHT_MOST;
    filter.action.type = FWP_ACTION_BLOCK;
    memcpy(&filter.subLayerKey, key, sizeof(filter.subLayerKey));
    return FwpmFilterAdd0((HANDLE)engine, &filter, NULL, &id);
}

static uint32_t f_commit(void *self, api_handle engine)
{
    (void)self;
    return FwpmTransactionCommit0((HANDLE)engine);
}

static uint32_t f_close(void *self, api_handle engine)
{
    (void)self;
    return FwpmEngineClose0((HANDLE)engine);
}

void win32_filters(struct around_api *api)
{
    api->filters_open = f_open;
    api->filters_begin = f_begin;
    api->filters_layer = f_layer;
    api->filters_add = f_add;
    api->filters_commit = f_commit;
    api->filters_close = f_close;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal's folder, and all that it lies in, must be the system's and its administrators'
 * alone: any user may make folders in %ProgramData%, also one of this name before the service is
 * there.
 */
#include <stdlib.h>
#include <string.h>

#include "platform/windows/state_parts.h"
#include "platform/windows/trust.h"

static enum cordon_err check_one(struct acl *acl, const char *path, enum trust_role role,
                                 struct cordon_fault *fault)
{
    const struct api *api = acl->api;
    const struct api_open how = {
        .object = API_FILE, .name = path, .access = acl_access(ACL_LOOK, API_FILE)};
    struct acl_object object = {0};
    struct trust_object trusted = {
        .name = path, .kind = TRUST_FILE, .role = role, .sd = &acl->before};
    uint32_t code = api->open(api->self, &how, &object.handle);
    enum cordon_err err;

    if (code == API_OK) {
        code = api->info(api->self, API_FILE, object.handle, &object.info);
    }
    err = code == API_OK
              ? acl_read(acl, object.handle, path, &acl->before, fault)
              : api_fault(fault, code, "install the service again", "looking at %s", path);
    acl_close(acl, &object);
    trusted.link = object.info.reparse;
    return err == CORDON_OK ? trust_check(&trusted, 1, fault) : err;
}

/* Cuts the last component off; "C:\" of "C:\a". False: nothing is left. */
static bool go_up(char *path)
{
    char *cut = strrchr(path, '\\');

    if (cut == NULL || cut[1] == '\0') {
        return false;
    }
    cut[cut > path && cut[-1] == ':' ? 1 : 0] = '\0';
    return true;
}

static enum cordon_err check_place(struct acl *acl, const char *name, enum trust_role role,
                                   struct cordon_fault *fault)
{
    char *path = state_copy(name);
    enum cordon_err err;

    if (path == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "no memory to look at %s", name);
    }
    do {
        err = check_one(acl, path, role, fault);
        role = role == TRUST_SOURCE ? TRUST_HOLDER : TRUST_ABOVE;
    } while (err == CORDON_OK && go_up(path));
    free(path);
    return err;
}

enum cordon_err state_check_place(const struct api *api, const char *path, enum trust_role role,
                                  struct cordon_fault *fault)
{
    struct acl *acl = calloc(1, sizeof(*acl));
    enum cordon_err err;

    if (acl == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "no memory to look at %s", path);
    }
    acl->api = api;
    err = check_place(acl, path, role, fault);
    free(acl);
    return err;
}

enum cordon_err state_check_folder(struct state *state, struct cordon_fault *fault)
{
    return state->config.unchecked
               ? CORDON_OK
               : check_place(state->acl, state->config.folder, TRUST_HOLDER, fault);
}

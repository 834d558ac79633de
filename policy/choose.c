/* SPDX-License-Identifier: Apache-2.0 */
/* Which profile a job gets: the precedence table of README.md, row by row. */
#include <stdio.h>
#include <string.h>

#include "policy/loader.h"
#include "policy/suggest.h"
#include "policy/tree.h"

static const struct mode {
    const char *mode;
    const char *profile;
    unsigned bit;
} modes[] = {
    {"read-only", ":read-only", MODE_READ_ONLY},
    {"workspace-write", ":workspace", MODE_WORKSPACE_WRITE},
    {"danger-full-access", ":danger-full-access", MODE_FULL_ACCESS},
};
#define MODE_COUNT (sizeof(modes) / sizeof(modes[0]))

unsigned choose_mode_bit(const char *mode)
{
    for (size_t i = 0; i < MODE_COUNT; i++) {
        if (strcmp(modes[i].mode, mode) == 0) {
            return modes[i].bit;
        }
    }
    return 0;
}

unsigned choose_profile_bit(const char *name)
{
    for (size_t i = 0; i < MODE_COUNT; i++) {
        if (strcmp(modes[i].profile, name) == 0) {
            return modes[i].bit;
        }
    }
    return 0;
}

static enum cordon_err bad_mode(struct loader *loader, const char *mode, const struct toml_pos *pos)
{
    const char *const words[] = {modes[0].mode, modes[1].mode, modes[2].mode};
    const char *near = suggest(mode, words, MODE_COUNT);
    char quoted[PLACE_QUOTE_MAX];
    char remedy[PLACE_QUOTE_MAX] = "choose read-only, workspace-write or danger-full-access";

    if (near != NULL) {
        (void)snprintf(remedy, sizeof(remedy), "did you mean \"%s\"?", near);
    }
    if (strcmp(mode, "external-sandbox") == 0) {
        return place_fail(loader->fault, CORDON_E_INVALID, pos, remedy,
                          "external-sandbox trusts a sandbox around cordon; it is not one");
    }
    return place_fail(loader->fault, CORDON_E_INVALID, pos, remedy, "%s is not a sandbox mode",
                      place_quote(mode, quoted));
}

static enum cordon_err choice_mode(struct loader *loader, const char *mode,
                                   struct choice *ret_choice)
{
    for (size_t i = 0; i < MODE_COUNT; i++) {
        if (strcmp(modes[i].mode, mode) == 0) {
            ret_choice->mode = modes[i].mode;
            ret_choice->name = modes[i].profile;
            return CORDON_OK;
        }
    }
    return bad_mode(loader, mode, &ret_choice->pos);
}

/* A key of a text as a choice. */
static enum cordon_err choice_entry(struct loader *loader, const struct toml_entry *entry,
                                    bool is_mode, struct choice *ret_choice)
{
    const struct place place = {NULL, entry->key, 0, entry->value.pos};

    ret_choice->pos = entry->value.pos;
    if (place_origin(&place, loader->arena, &ret_choice->origin) != CORDON_OK) {
        return place_no_memory(loader->fault);
    }
    if (is_mode) {
        return choice_mode(loader, entry->value.as.text, ret_choice);
    }
    ret_choice->name = entry->value.as.text;
    return CORDON_OK;
}

static enum cordon_err choose_flags(struct loader *loader, struct choice *ret_choice)
{
    static const struct toml_source flags[] = {{LAYER_COMMAND_LINE, NULL, "-s"},
                                               {LAYER_COMMAND_LINE, NULL, "-P"}};
    const struct policy_choice *asked = &loader->input->choice;
    const struct toml_source *source = &flags[asked->profile != NULL];

    if (asked->mode != NULL && asked->profile != NULL) {
        return fault_set(loader->fault, CORDON_E_INVALID, "give one of them",
                         "-s %s and -P %s exclude each other", asked->mode, asked->profile);
    }
    if (asked->mode == NULL && asked->profile == NULL) {
        return CORDON_OK;
    }
    ret_choice->pos = (struct toml_pos){source, 1, 1};
    ret_choice->origin = (struct policy_origin){.layer = LAYER_COMMAND_LINE, .key = source->name};
    if (asked->mode != NULL) {
        return choice_mode(loader, asked->mode, ret_choice);
    }
    ret_choice->name = asked->profile;
    return CORDON_OK;
}

/* As `codex sandbox` does: a file cannot take the sandbox away by its mode alone. */
static enum cordon_err drop_full_access(struct loader *loader, const struct toml_entry **mode)
{
    const struct toml_entry *entry = *mode;
    struct place place;

    if (entry == NULL || entry->value.pos.source->file == NULL ||
        strcmp(entry->value.as.text, "danger-full-access") != 0) {
        return CORDON_OK;
    }
    *mode = NULL;
    place = (struct place){NULL, entry->key, 0, entry->pos};
    return loader_warn(loader, &place,
                       "danger-full-access in a file is not used; say it on the command line");
}

/* -c and the caller's files: the higher layer; within one, the profile. */
static enum cordon_err choose_config(struct loader *loader, struct choice *ret_choice)
{
    const struct toml_entry *profile = tree_find(&loader->config, "default_permissions");
    const struct toml_entry *mode = tree_find(&loader->config, "sandbox_mode");
    enum cordon_err err = drop_full_access(loader, &mode);

    if (err != CORDON_OK || (profile == NULL && mode == NULL)) {
        return err;
    }
    if (profile == NULL || (mode != NULL && mode->pos.source->layer > profile->pos.source->layer)) {
        return choice_entry(loader, mode, true, ret_choice);
    }
    return choice_entry(loader, profile, false, ret_choice);
}

/* Profiles are defined and none is chosen: an error in Codex too, since either
 * guess could be weaker than what was meant. */
static enum cordon_err choose_nothing(struct loader *loader, struct choice *ret_choice)
{
    const struct toml_entry *defined = tree_find(&loader->config, "permissions");

    if (defined != NULL) {
        return place_fail(loader->fault, CORDON_E_INVALID, &defined->pos,
                          "set default_permissions = \"NAME\", or use -P NAME",
                          "[permissions] defines profiles and none is chosen");
    }
    ret_choice->name = ":read-only";
    ret_choice->origin = (struct policy_origin){.layer = LAYER_BUILTIN, .key = "default"};
    return CORDON_OK;
}

enum cordon_err choose(struct loader *loader, struct choice *ret_choice)
{
    const struct toml_entry *managed = tree_find(&loader->managed, "default_permissions");
    struct choice choice = {.name = NULL};
    enum cordon_err err = choose_flags(loader, &choice);

    if (err == CORDON_OK && choice.name == NULL) {
        err = choose_config(loader, &choice);
    }
    if (err == CORDON_OK && choice.name == NULL && managed != NULL) {
        err = choice_entry(loader, managed, false, &choice);
    }
    if (err == CORDON_OK && choice.name == NULL) {
        err = choose_nothing(loader, &choice);
    }
    if (err == CORDON_OK) {
        *ret_choice = choice;
    }
    return err;
}

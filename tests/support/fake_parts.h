/* SPDX-License-Identifier: Apache-2.0 */
/* What fake_api.c, fake_tree.c and fake_files.c share. */
#ifndef CORDON_TESTS_FAKE_PARTS_H
#define CORDON_TESTS_FAKE_PARTS_H

#include "tests/support/fake_api.h"

const struct sd_mapping *fake_mapping(enum api_object object);
bool fake_same(const char *a, const char *b, size_t len);
bool fake_parent(const char *path, char parent[FAKE_PATH]);
void fake_resolve(struct fake *fake, enum api_object object, const char *path, char out[FAKE_PATH]);
void fake_store(struct fake_node *node, struct sd *sd);
void fake_load(const struct fake_node *node, struct sd *sd);
void fake_inherit(struct fake *fake, struct fake_node *node);
uint32_t fake_new_handle(struct fake *fake, bool is_file, size_t index, uint32_t access,
                         api_handle *ret_handle);
struct fake_handle *fake_get(struct fake *fake, api_handle handle);

/* The calls about the state's own files. */
void fake_files_init(struct api *api);

#endif

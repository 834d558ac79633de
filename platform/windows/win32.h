/* SPDX-License-Identifier: Apache-2.0 */
/* What api_win32.c, api_keys.c and api_files.c share. */
#ifndef CORDON_PLATFORM_WINDOWS_WIN32_H
#define CORDON_PLATFORM_WINDOWS_WIN32_H

#define WIN32_LEAN_AND_MEAN
#include <stdio.h>
#include <windows.h>
#include <winternl.h>

#include "platform/windows/api.h"

/* UTF-8 to UTF-16, @prefix in front; free(). Not valid UTF-8: ERROR_NO_UNICODE_TRANSLATION. */
uint32_t win32_wide(const char *prefix, const char *text, WCHAR **ret_wide);
/* A path with "\\?\" or "\??\" in front, for UNC paths with what these need. */
uint32_t win32_path(const char *prefix, const char *path, WCHAR **ret_wide);
uint32_t win32_narrow(const WCHAR *wide, size_t units, char *text, size_t size);

/* The calls about objects, for keys of the registry. */
uint32_t win32_key_open(api_handle parent, const char *name, uint32_t access,
                        api_handle *ret_handle);
uint32_t win32_key_make(const char *path, api_handle *ret_handle);
uint32_t win32_key_info(api_handle handle, struct api_info *ret_info);
uint32_t win32_key_path(api_handle handle, char *ret_path, size_t size);
uint32_t win32_key_next(api_handle handle, uint32_t index, char ret_name[API_NAME_MAX]);
uint32_t win32_key_erase(api_handle handle);

/* The calls about the state's own files. */
void win32_files(struct api *api);

#endif

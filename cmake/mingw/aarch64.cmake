# SPDX-License-Identifier: Apache-2.0
# As toolchain.cmake, for ARM64: with the compiler that the script `zig` installed.
set(processor aarch64)
set(tools $ENV{XDG_CACHE_HOME})
if(NOT tools)
  set(tools $ENV{HOME}/.cache)
endif()
file(SHA256 ${CMAKE_CURRENT_LIST_DIR}/zig recipe)
string(SUBSTRING ${recipe} 0 12 recipe)
set(tools ${tools}/cordon/zig/${recipe}/bin/)
include(${CMAKE_CURRENT_LIST_DIR}/toolchain.cmake)
set(CMAKE_AR ${tools}aarch64-w64-mingw32-ar CACHE FILEPATH "")
set(CMAKE_RANLIB ${tools}aarch64-w64-mingw32-ranlib CACHE FILEPATH "")

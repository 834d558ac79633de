# SPDX-License-Identifier: Apache-2.0
# Windows from Linux. The libraries are those that the script `deps` built.
if(NOT processor)
  set(processor x86_64)
endif()
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR ${processor})
set(CMAKE_C_COMPILER ${tools}${processor}-w64-mingw32-gcc)
set(CMAKE_CXX_COMPILER ${tools}${processor}-w64-mingw32-g++)
set(CMAKE_RC_COMPILER ${tools}${processor}-w64-mingw32-windres)

file(SHA256 ${CMAKE_CURRENT_LIST_DIR}/deps recipe)
string(SUBSTRING ${recipe} 0 12 recipe)
set(cache $ENV{XDG_CACHE_HOME})
if(NOT cache)
  set(cache $ENV{HOME}/.cache)
endif()
set(CMAKE_FIND_ROOT_PATH /usr/${processor}-w64-mingw32 ${cache}/cordon/mingw/${recipe}-${processor})
# What the tests run as.
set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/../../tests/wine/run)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# SPDX-License-Identifier: Apache-2.0
# Build options, warnings, hardening and the two ways a target is linked.

option(CORDON_TESTS "Build the tests" ON)
option(CORDON_WERROR "Treat warnings as errors (presets and CI; never a user's build)" OFF)
option(CORDON_FUZZ "Build the libFuzzer targets (clang)" OFF)
option(CORDON_COVERAGE "Instrument for gcovr" OFF)
option(CORDON_ARCHIVES "Link libraries of others into what starts once per job or caller, where they can be" ON)
option(CORDON_TEST_WITHOUT "Test builds only: one layer can be left out; never installed" OFF)
set(CORDON_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize takes them")

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

add_compile_definitions(_GNU_SOURCE)
include_directories(${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
add_compile_options(-fvisibility=hidden -fstack-protector-strong)
if(WIN32)
  add_compile_definitions(_WIN32_WINNT=0x0A00) # Windows 10
  # Windows grows stacks page by page itself, and mingw's compiler fails with the option.
  set(CORDON_SYSTEM_LINK -static -fstack-protector-strong -Wl,--dynamicbase,--nxcompat,--high-entropy-va)
else()
  add_compile_options(-fstack-clash-protection)
  set(CORDON_SYSTEM_LINK -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64" AND NOT WIN32)
  add_compile_options(-fcf-protection)
endif()
add_link_options(${CORDON_SYSTEM_LINK})
if(CORDON_SANITIZE)
  add_compile_options(-fsanitize=${CORDON_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CORDON_SANITIZE})
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT CORDON_COVERAGE)
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
if(CORDON_COVERAGE)
  add_compile_options(--coverage -O0)
  add_link_options(--coverage)
endif()

if(CORDON_TEST_WITHOUT)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    message(FATAL_ERROR "CORDON_TEST_WITHOUT is for tests; what is packaged enforces every layer")
  endif()
  add_compile_definitions(CORDON_TEST_WITHOUT)
  install(CODE "message(FATAL_ERROR \"a build with CORDON_TEST_WITHOUT is not for use\")")
endif()

# Warnings for what we write; generated code is in targets of its own without them.
set(CORDON_WARNINGS
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wwrite-strings
    -Wundef -Wformat=2 -Wvla -Wimplicit-fallthrough -Wswitch-enum -Wnull-dereference)
set(CORDON_WARNINGS_C -Wstrict-prototypes -Wmissing-prototypes)
if(CORDON_WERROR)
  list(APPEND CORDON_WARNINGS -Werror)
endif()

function(cordon_warnings target)
  target_compile_options(${target} PRIVATE ${CORDON_WARNINGS}
                         $<$<COMPILE_LANGUAGE:C>:${CORDON_WARNINGS_C}>)
endfunction()

# What starts once per job is static and small: linked against musl where it is
# installed (its start-up is a fifth of glibc's), against static glibc elsewhere.
# Instrumented builds stay dynamic: the sanitizer run-times need that.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT CORDON_SANITIZE AND NOT CORDON_COVERAGE)
  find_file(CORDON_MUSL_SPECS musl-gcc.specs
            PATHS /usr/lib/${CMAKE_SYSTEM_PROCESSOR}-linux-musl /usr/lib/musl/lib /usr/local/musl/lib
            NO_DEFAULT_PATH)
endif()
if(CORDON_MUSL_SPECS)
  set(CORDON_SMALL_COMPILE -specs=${CORDON_MUSL_SPECS} "SHELL:-idirafter /usr/include"
      "SHELL:-idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}" -U_FORTIFY_SOURCE -fno-pie -Os)
  set(CORDON_SMALL_LINK -specs=${CORDON_MUSL_SPECS} -static -no-pie)
elseif(NOT CORDON_SANITIZE AND NOT CORDON_COVERAGE)
  set(CORDON_SMALL_COMPILE -fno-pie -Os)
  set(CORDON_SMALL_LINK -static -no-pie)
endif()

# Of the C++ run-time the reader of TOML needs little; to load and relocate all of it takes a third
# of a broker's start.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT WIN32 AND NOT CORDON_SANITIZE)
  include(CheckCXXSourceCompiles)
  set(CMAKE_REQUIRED_LINK_OPTIONS -static-libstdc++ -static-libgcc)
  check_cxx_source_compiles("#include <string>\nint main(int argc, char **) { return std::to_string(argc).size() == 0; }"
                            CORDON_CXX_RUNTIME_STATIC) # not everywhere installed
  if(CORDON_CXX_RUNTIME_STATIC)
    set(CORDON_CXX_RUNTIME_LINK ${CMAKE_REQUIRED_LINK_OPTIONS})
  endif()
  # What uses nothing of the name service can go without the dynamic loader, and be placed anywhere
  # all the same. The linker warns of functions of libevent's that would load something: not called.
  if(CORDON_ARCHIVES AND NOT CORDON_COVERAGE)
    set(CMAKE_REQUIRED_LINK_OPTIONS -static-pie -Wl,--no-warnings)
    check_cxx_source_compiles("#include <string>\nint main(int argc, char **) { return std::to_string(argc).size() == 0; }"
                              CORDON_STATIC_PIE)
    if(CORDON_STATIC_PIE)
      set(CORDON_STATIC ${CMAKE_REQUIRED_LINK_OPTIONS})
    else()
      message(STATUS "cannot link -static-pie -Wl,--no-warnings: an embedded start takes 0.6 ms more")
    endif()
  endif()
  unset(CMAKE_REQUIRED_LINK_OPTIONS)
endif()

include(CheckCSourceCompiles)

# cordon_find_library(VARIABLE NAME): a library of others', which must be there. VARIABLE_LINK is what
# to link with: the archive, where there is one that can be linked, in what starts once per job, or per caller (whoever
# has the property CORDON_PER_JOB), since each shared library takes a tenth of a millisecond to load;
# else the same.
function(cordon_find_library variable name)
  find_library(${variable} ${name} REQUIRED)
  set(link ${${variable}})
  if(CORDON_ARCHIVES AND NOT WIN32 AND NOT CORDON_SANITIZE)
    find_library(${variable}_ARCHIVE lib${name}.a)
    if(${variable}_ARCHIVE)
      # All of it: no object may want another library, or have an address of its own.
      set(CMAKE_REQUIRED_FLAGS -pie)
      set(CMAKE_REQUIRED_LIBRARIES -Wl,--whole-archive ${${variable}_ARCHIVE} -Wl,--no-whole-archive)
      check_c_source_compiles("int main(void) { return 0; }" ${variable}_ARCHIVE_LINKS)
    endif()
    if(${variable}_ARCHIVE_LINKS)
      set(link $<IF:$<BOOL:$<TARGET_PROPERTY:CORDON_PER_JOB>>,${${variable}_ARCHIVE},${${variable}}>)
    endif()
  endif()
  set(${variable}_LINK ${link} PARENT_SCOPE)
endfunction()

# cordon_library(NAME [SMALL] SOURCES...): a static library of our own code; with
# SMALL also NAME_small, the same sources for the programs that start per job.
function(cordon_library name)
  cmake_parse_arguments(ARG "SMALL" "" "SOURCES" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  cordon_warnings(${name})
  if(ARG_SMALL)
    add_library(${name}_small STATIC ${ARG_SOURCES})
    cordon_warnings(${name}_small)
    target_compile_options(${name}_small PRIVATE ${CORDON_SMALL_COMPILE})
  endif()
endfunction()

# cordon_small_program(NAME SOURCES... LIBS...): a program that starts per job.
function(cordon_small_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  cordon_warnings(${name})
  target_compile_options(${name} PRIVATE ${CORDON_SMALL_COMPILE})
  target_link_options(${name} PRIVATE ${CORDON_SMALL_LINK})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_link_libraries(${name} PRIVATE ${ARG_LIBS})
endfunction()

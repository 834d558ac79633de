# SPDX-License-Identifier: Apache-2.0
# What of Windows is pure: compiled and tested on every host.
cordon_library(cordon_sd SOURCES windows/sid.c windows/sd.c windows/sd_access.c windows/sd_inherit.c
  windows/trust.c windows/upcase.c)
target_link_libraries(cordon_sd PUBLIC cordon_base)

# The access-list engine and its state: Win32 calls only through the table in windows/api.h.
cordon_library(cordon_acl SOURCES windows/api.c windows/acl.c windows/acl_below.c windows/journal.c
                                  windows/state.c windows/state_folder.c windows/state_rows.c windows/state_apply.c windows/state_below.c
                                  windows/state_undo.c
                                  windows/launch.c windows/account.c windows/token.c windows/around.c windows/job.c windows/pipe_chunk.c windows/pipe_list.c
                                  windows/args.c
                                  windows/eventlog.c windows/install.c windows/findings.c)
target_link_libraries(cordon_acl PUBLIC cordon_sd)

# From a plan to the engine.
cordon_library(cordon_targets SOURCES windows/targets.c windows/job_plan.c windows/look.c
                                      windows/look_facts.c windows/order.c windows/order_make.c
                                      windows/grant_check.c windows/start.c)
target_link_libraries(cordon_targets PUBLIC cordon_acl cordon_plans)

if(WIN32)
  cordon_library(cordon_win32 SOURCES windows/api_win32.c windows/api_keys.c windows/api_files.c
                                      windows/launch_win32.c windows/account_win32.c windows/token_win32.c windows/logon_win32.c
                                      windows/around_win32.c windows/filters_win32.c windows/scm.c)
  target_link_libraries(cordon_win32 PUBLIC cordon_acl ntdll advapi32 secur32 user32 userenv netapi32 bcrypt fwpuclnt)

  # host.h, ipc.h, loop.h, service.h and the identity half of platform.h.
  cordon_library(cordon_host SOURCES windows/io_win32.c windows/io_chunk_win32.c windows/pair_win32.c windows/listen_win32.c
                                     windows/loop_win32.c windows/ipc_win32.c windows/self_win32.c
                                     windows/file_win32.c windows/child_win32.c windows/peer_win32.c
                                     windows/lookup_win32.c windows/caller_win32.c windows/findings_win32.c windows/managed_win32.c
                                     windows/managed_look.c windows/service_win32.c windows/eventlog_win32.c
                                     windows/place_win32.c windows/install_win32.c
                                     windows/install_parts_win32.c user.c)
  target_link_libraries(cordon_host PUBLIC cordon_win32 cordon_policy bcrypt)

  # The event log's messages: a header, and a table in the service's program.
  find_program(CORDON_WINDMC NAMES x86_64-w64-mingw32-windmc windmc REQUIRED)
  set(events ${CMAKE_CURRENT_BINARY_DIR}/events)
  add_custom_command(OUTPUT ${events}/events.h ${events}/events.rc
                     COMMAND ${CORDON_WINDMC} -h ${events} -r ${events}
                             ${CMAKE_CURRENT_SOURCE_DIR}/windows/events.mc
                     DEPENDS windows/events.mc)
  file(MAKE_DIRECTORY ${events})
  add_custom_target(cordon_events DEPENDS ${events}/events.h ${events}/events.rc)
  target_include_directories(cordon_host PRIVATE ${events})
  add_dependencies(cordon_host cordon_events)
  add_library(cordon_events_table OBJECT ${events}/events.rc)
  add_dependencies(cordon_events_table cordon_events)

  add_executable(cordon-init windows/init/main.c)
  cordon_warnings(cordon-init)
  target_link_libraries(cordon-init PRIVATE cordon_host)

  # The back end that enforces nothing, and the one of this system.
  set(windows_job windows/pack_win32.c windows/init_job_win32.c)
  cordon_library(cordon_null_host SOURCES null/null.c windows/null_job.c windows/null_refuse.c
                                          windows/backend.c windows/spawn_win32.c
                                          windows/keeper_win32.c ${windows_job})
  target_link_libraries(cordon_null_host PUBLIC cordon_targets)
  cordon_library(cordon_null SOURCES null/null.c windows/null_job.c windows/null_run.c
                                     ${windows_job})
  foreach(library cordon_null_host cordon_null)
    target_link_libraries(${library} PUBLIC cordon_host cordon_dfa)
  endforeach()
endif()

# SPDX-License-Identifier: Apache-2.0
# What every Unix has; host.h, ipc.h and the identity half of platform.h.
cordon_library(cordon_posix SOURCES posix/ipc.c posix/peer.c posix/status.c posix/file.c posix/foreign.c posix/managed.c
                                    posix/fetched.c posix/redact.c posix/sink.c user.c posix/lookup.c posix/lookup_files.c
                                    posix/socket.c posix/child.c posix/self.c posix/beside.c posix/siblings.c posix/caller.c)
target_link_libraries(cordon_posix PUBLIC cordon_policy cordon_base)

# For the client, which starts once per job.
add_library(cordon_posix_small STATIC posix/siblings.c)
cordon_warnings(cordon_posix_small)
target_compile_options(cordon_posix_small PRIVATE ${CORDON_SMALL_COMPILE})
target_link_libraries(cordon_posix_small PUBLIC cordon_base_small)

# The service manager; the one place that uses libsystemd, which it loads itself.
find_path(CORDON_SYSTEMD_INCLUDE systemd/sd-daemon.h REQUIRED)
cordon_library(cordon_service SOURCES linux/service.c)
target_link_libraries(cordon_service PUBLIC cordon_base ${CMAKE_DL_LIBS})

# What of a host the broker is linked with.
add_library(cordon_host INTERFACE)
target_link_libraries(cordon_host INTERFACE cordon_posix cordon_service)

# The back end that enforces nothing: one that refuses, for hosts without their
# own, and one that runs, for test builds alone.
cordon_library(cordon_null_host SOURCES null/null.c null/job.c null/refuse.c null/host.c)
target_link_libraries(cordon_null_host PUBLIC cordon_posix cordon_dfa)
cordon_library(cordon_null SOURCES null/null.c null/job.c null/run.c)
target_link_libraries(cordon_null PUBLIC cordon_posix cordon_dfa)

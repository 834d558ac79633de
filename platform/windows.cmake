# SPDX-License-Identifier: Apache-2.0
# What of Windows is pure: compiled and tested on every host.
cordon_library(cordon_sd SOURCES windows/sid.c windows/sd.c windows/sd_access.c windows/sd_inherit.c
  windows/trust.c)
target_link_libraries(cordon_sd PUBLIC cordon_base)

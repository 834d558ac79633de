# SPDX-License-Identifier: Apache-2.0
# The planners of all three systems: pure, compiled and tested on every host.
cordon_library(cordon_plans SOURCES
  plan.c plan_build.c plan_glob.c plan_tree.c
  linux/plan_linux.c linux/plan_pin.c linux/plan_scan.c linux/plan_watch.c linux/plan_limits.c macos/plan_macos.c
  windows/plan_windows.c windows/plan_token.c windows/plan_target.c
  windows/plan_walk.c windows/plan_globs.c windows/path.c windows/path_name.c)
target_link_libraries(cordon_plans PUBLIC cordon_sd cordon_limits cordon_dfa cordon_base)

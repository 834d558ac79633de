# SPDX-License-Identifier: Apache-2.0
cordon_test(test_sid LABEL unit SOURCES test_sid.c LIBS cordon_sd)
cordon_test(test_sd LABEL unit SOURCES test_sd.c ../support/sddl.c LIBS cordon_sd)
cordon_test(test_sd_access LABEL unit SOURCES test_sd_access.c ../support/access_rows.c ../support/sddl.c
            LIBS cordon_sd)

# The engine and its state over a disk in memory.
add_library(windows_world STATIC ../support/fake_api.c ../support/fake_tree.c ../support/fake_files.c
                                 ../support/api_tap.c ../support/sddl.c
                                 ../support/fake_job.c ../support/fake_job_token.c
                                 ../support/fake_install.c)
cordon_warnings(windows_world)
target_link_libraries(windows_world PUBLIC cordon_acl)
cordon_test(test_journal LABEL unit SOURCES test_journal.c LIBS cordon_acl)
cordon_test(test_acl LABEL unit SOURCES test_acl.c LIBS windows_world)
cordon_test(test_acl_below LABEL unit SOURCES test_acl_below.c LIBS windows_world)
cordon_test(test_state LABEL unit SOURCES test_state.c LIBS windows_world)
cordon_test(test_state_below LABEL unit SOURCES test_state_below.c LIBS windows_world)
if(NOT WIN32)
  cordon_test(test_state_revert LABEL unit SOURCES test_state_revert.c LIBS windows_world)
endif()
cordon_test(test_state_damage LABEL unit SOURCES test_state_damage.c LIBS windows_world)
cordon_test(test_state_crash LABEL unit TIMEOUT 120 SOURCES test_state_crash.c LIBS windows_world)
cordon_test(test_state_torture LABEL unit SOURCES test_state_torture.c LIBS windows_world)
target_link_options(test_state_torture PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc)
cordon_test(test_job_torture LABEL unit SOURCES test_job_torture.c LIBS windows_world)
target_link_options(test_job_torture PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc)
cordon_test(test_trust LABEL unit SOURCES test_trust.c ../support/sddl.c LIBS cordon_sd)
cordon_test(test_launch LABEL unit SOURCES test_launch.c LIBS cordon_acl)
cordon_test(test_args LABEL unit SOURCES test_args.c LIBS cordon_acl)
cordon_test(test_account LABEL unit SOURCES test_account.c LIBS cordon_acl)
cordon_test(test_install LABEL unit SOURCES test_install.c LIBS windows_world)
cordon_test(test_findings LABEL unit SOURCES test_findings.c LIBS cordon_acl)
cordon_test(test_eventlog LABEL unit SOURCES test_eventlog.c LIBS cordon_acl)
cordon_test(test_job LABEL unit SOURCES test_job.c LIBS windows_world)
cordon_test(test_pipe LABEL unit SOURCES test_pipe.c LIBS cordon_acl)
cordon_test(test_targets LABEL unit SOURCES test_targets.c LIBS cordon_targets windows_world golden_plan_case)
cordon_test(test_look LABEL unit SOURCES test_look.c LIBS cordon_targets windows_world)
cordon_test(test_job_plan LABEL unit SOURCES test_job_plan.c LIBS cordon_targets windows_world golden_plan_case)

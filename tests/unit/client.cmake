# SPDX-License-Identifier: Apache-2.0
cordon_test(test_cli_parse LABEL unit SOURCES test_cli_parse.c LIBS cordon_cli)
cordon_test(test_cli_completion LABEL unit SOURCES test_cli_completion.c LIBS cordon_cli)
cordon_test(test_cli_output LABEL unit SOURCES test_cli_output.c ${PROJECT_SOURCE_DIR}/client/output.c
            LIBS cordon_base)
# The manual against the tables: an option, verb or key without a word in its page fails.
cordon_test(test_cli_man LABEL unit SOURCES test_cli_man.c LIBS cordon_cli cordon_policy)
target_compile_definitions(test_cli_man PRIVATE
                           MAN_FOLDER="${PROJECT_SOURCE_DIR}/packaging/man")
cordon_test(test_cli_library LABEL unit SOURCES test_cli_library.c LIBS cordon_client)

add_test(NAME unit/fanotify_groups
         COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/fanotify_groups.sh ${PROJECT_SOURCE_DIR}
                 $<TARGET_FILE:cordon>)
set_tests_properties(unit/fanotify_groups PROPERTIES LABELS unit TIMEOUT 60)

# The default configuration: as it is installed, and with every example in it in force.
add_test(NAME unit/default_requirements
         COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/default_requirements.sh
                 $<TARGET_FILE:cordon> ${PROJECT_SOURCE_DIR}/packaging/requirements.toml)
set_tests_properties(unit/default_requirements PROPERTIES LABELS unit TIMEOUT 60)

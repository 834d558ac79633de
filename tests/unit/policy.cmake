# SPDX-License-Identifier: Apache-2.0
foreach(name toml paths schema profile choose managed cases dump)
  cordon_test(test_policy_${name} LABEL unit
              SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_policy_${name}.c LIBS cordon_policy)
endforeach()
foreach(name envelope fetch_config)
  cordon_test(test_${name} LABEL unit
              SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_${name}.c LIBS cordon_policy)
endforeach()
cordon_test(test_policy_torture LABEL unit TIMEOUT 300
            SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_policy_torture.c
                    ${CMAKE_CURRENT_LIST_DIR}/torture_new.cpp LIBS cordon_policy)
target_link_options(test_policy_torture PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc)

# SPDX-License-Identifier: Apache-2.0
# cordon_test(NAME LABEL label SOURCES... LIBS... [TIMEOUT s]): a program with TEST_MAIN().
function(cordon_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  cordon_warnings(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} cordon_base)
  set(test ${ARG_LABEL}/${name})
  add_test(NAME ${test} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  if(WIN32)
    list(APPEND ARG_LABEL wine)
    list(REMOVE_DUPLICATES ARG_LABEL)
  endif()
  set_tests_properties(${test} PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT}
                       SKIP_RETURN_CODE 77)
endfunction()

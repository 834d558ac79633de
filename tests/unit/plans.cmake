# SPDX-License-Identifier: Apache-2.0
# The planners; cases are written as the golden ones are, see golden/plan_case.h.
foreach(name tree print linux macos windows memory)
  cordon_test(test_plan_${name} LABEL unit SOURCES test_plan_${name}.c
              LIBS golden_plan_case)
endforeach()
cordon_test(test_number LABEL unit SOURCES test_number.c LIBS cordon_base)
cordon_test(test_jsonw LABEL unit SOURCES test_jsonw.c LIBS cordon_base)
# Windows, the pure half: on every host.
foreach(name path upcase scan)
  cordon_test(test_win_${name} LABEL unit SOURCES test_win_${name}.c LIBS golden_plan_case)
endforeach()

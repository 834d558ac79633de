# SPDX-License-Identifier: Apache-2.0
set(DFA_SUPPORT ../support/naive_match.c ../support/corpus.c)
cordon_test(test_glob LABEL unit SOURCES test_glob.c ${DFA_SUPPORT} LIBS cordon_dfa)
cordon_test(test_dfa LABEL unit SOURCES test_dfa.c ${DFA_SUPPORT} LIBS cordon_dfa)
cordon_test(test_dfa_property LABEL unit SOURCES test_dfa_property.c ${DFA_SUPPORT} LIBS cordon_dfa)
# Reads up to a guard page, which it makes with mmap().
if(NOT WIN32)
  cordon_test(test_dfa_block LABEL unit SOURCES test_dfa_block.c ${DFA_SUPPORT} LIBS cordon_dfa)
endif()
cordon_test(test_dfa_torture LABEL unit SOURCES test_dfa_torture.c LIBS cordon_dfa)
target_link_options(test_dfa_torture PRIVATE
                    -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free)

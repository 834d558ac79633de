# SPDX-License-Identifier: Apache-2.0
# The matcher. dfa_walk.c alone is what a program that only matches pulls in.
cordon_library(cordon_dfa SMALL SOURCES
  ${CMAKE_CURRENT_LIST_DIR}/dfa.c ${CMAKE_CURRENT_LIST_DIR}/dfa_fsm.c
  ${CMAKE_CURRENT_LIST_DIR}/dfa_items.c ${CMAKE_CURRENT_LIST_DIR}/dfa_min.c
  ${CMAKE_CURRENT_LIST_DIR}/dfa_nfa.c ${CMAKE_CURRENT_LIST_DIR}/dfa_pack.c
  ${CMAKE_CURRENT_LIST_DIR}/dfa_split.c ${CMAKE_CURRENT_LIST_DIR}/dfa_subset.c
  ${CMAKE_CURRENT_LIST_DIR}/dfa_walk.c ${CMAKE_CURRENT_LIST_DIR}/glob.c
  ${CMAKE_CURRENT_LIST_DIR}/glob_scan.c ${CMAKE_CURRENT_LIST_DIR}/glob_set.c)
target_link_libraries(cordon_dfa PUBLIC cordon_base)
target_link_libraries(cordon_dfa_small PUBLIC cordon_base_small)

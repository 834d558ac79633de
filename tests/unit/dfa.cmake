# SPDX-License-Identifier: Apache-2.0
set(DFA_SUPPORT ../support/naive_match.c ../support/corpus.c)
cordon_test(test_dfa_property LABEL unit SOURCES test_dfa_property.c ${DFA_SUPPORT} LIBS cordon_dfa)

# Not a test: what it measures depends on the machine. ./dev accept runs it.
add_executable(bench_dfa ../bench/bench_dfa.c ../support/corpus.c)
cordon_warnings(bench_dfa)
target_link_libraries(bench_dfa PRIVATE cordon_dfa cordon_base)

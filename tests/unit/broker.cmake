# SPDX-License-Identifier: Apache-2.0
cordon_test(test_session LABEL unit SOURCES test_session.c LIBS cordon_session)
cordon_test(test_quota LABEL unit SOURCES test_quota.c LIBS cordon_broker_core)
cordon_test(test_lull LABEL unit SOURCES test_lull.c LIBS cordon_broker_core)
cordon_test(test_undo LABEL unit SOURCES test_undo.c LIBS cordon_broker_core)
cordon_test(test_ipc LABEL unit SOURCES test_ipc.c LIBS cordon_posix)
cordon_test(test_host LABEL unit SOURCES test_host.c LIBS cordon_posix)
cordon_test(test_status LABEL unit SOURCES test_status.c LIBS cordon_posix)
cordon_test(test_redact LABEL unit SOURCES test_redact.c LIBS cordon_posix)
cordon_test(test_managed LABEL unit SOURCES test_managed.c LIBS cordon_broker_core)
cordon_test(test_managed_restless LABEL unit SOURCES test_managed_restless.c LIBS cordon_broker_core)
target_link_options(test_managed_restless PRIVATE -Wl,--wrap=managed_signature)
cordon_test(test_loop LABEL unit SOURCES test_loop.c LIBS cordon_broker_core)
cordon_test(test_fetched LABEL unit SOURCES test_fetched.c LIBS cordon_broker_core)
cordon_test(test_memo LABEL unit SOURCES test_memo.c LIBS cordon_broker_core)
target_link_options(test_memo PRIVATE -Wl,--wrap=host_beside)
cordon_test(test_planned LABEL unit SOURCES test_planned.c ${PROJECT_SOURCE_DIR}/broker/pipeline.c
            LIBS cordon_broker_core)
cordon_test(test_ring LABEL unit SOURCES test_ring.c LIBS cordon_broker_core)
cordon_test(test_channel LABEL unit SOURCES test_channel.c LIBS cordon_broker_core)
cordon_test(test_identity LABEL unit SOURCES test_identity.c LIBS cordon_broker_core)
cordon_test(test_tend LABEL unit SOURCES test_tend.c ${PROJECT_SOURCE_DIR}/broker/tend.c LIBS cordon_base)
cordon_test(test_report LABEL unit SOURCES test_report.c ${PROJECT_SOURCE_DIR}/broker/report.c
            LIBS cordon_broker_core)
cordon_test(test_audit LABEL unit SOURCES test_audit.c LIBS cordon_broker_core)
target_compile_definitions(test_audit PRIVATE MAN_FOLDER="${PROJECT_SOURCE_DIR}/packaging/man")
foreach(test test_quota test_lull test_undo test_managed test_fetched test_memo test_planned test_ring test_report test_channel test_identity
             test_audit test_managed_restless test_loop)
  set_target_properties(${test} PROPERTIES LINKER_LANGUAGE CXX)
endforeach()

# Strip takes symbols away, so it is the build's own programs that are looked at.
if(TARGET cordon-embedded)
  add_test(NAME unit/linked_whole COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/linked_whole.sh
                                          $<TARGET_FILE:cordon-worker> $<TARGET_FILE:cordon-embedded>)
  set_tests_properties(unit/linked_whole PROPERTIES LABELS unit TIMEOUT 60)
endif()

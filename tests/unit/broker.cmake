# SPDX-License-Identifier: Apache-2.0
cordon_test(test_session LABEL unit SOURCES test_session.c LIBS cordon_session)
cordon_test(test_quota LABEL unit SOURCES test_quota.c LIBS cordon_broker_core)
cordon_test(test_undo LABEL unit SOURCES test_undo.c LIBS cordon_broker_core)
cordon_test(test_ipc LABEL unit SOURCES test_ipc.c LIBS cordon_posix)
cordon_test(test_host LABEL unit SOURCES test_host.c LIBS cordon_posix)
cordon_test(test_managed LABEL unit SOURCES test_managed.c LIBS cordon_broker_core)
cordon_test(test_memo LABEL unit SOURCES test_memo.c LIBS cordon_broker_core)
cordon_test(test_ring LABEL unit SOURCES test_ring.c LIBS cordon_broker_core)
cordon_test(test_report LABEL unit SOURCES test_report.c ${PROJECT_SOURCE_DIR}/broker/report.c
            LIBS cordon_broker_core)
foreach(test test_quota test_undo test_managed test_memo test_ring test_report)
  set_target_properties(${test} PROPERTIES LINKER_LANGUAGE CXX)
endforeach()

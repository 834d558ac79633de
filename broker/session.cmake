# SPDX-License-Identifier: Apache-2.0
# Pure: the state machine of a connection.
cordon_library(cordon_session SOURCES ${CMAKE_CURRENT_LIST_DIR}/session.c ${CMAKE_CURRENT_LIST_DIR}/request.c)
target_link_libraries(cordon_session PUBLIC cordon_proto cordon_base)

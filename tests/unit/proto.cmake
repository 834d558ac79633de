# SPDX-License-Identifier: Apache-2.0
cordon_test(test_proto_frame LABEL unit SOURCES test_proto_frame.c LIBS cordon_proto)
cordon_test(test_proto_wire LABEL unit SOURCES test_proto_wire.c proto_samples.c LIBS cordon_proto)
cordon_test(test_proto_codec LABEL unit SOURCES test_proto_codec.c proto_samples.c
            LIBS cordon_proto)
cordon_test(test_proto_stream LABEL unit SOURCES test_proto_stream.c proto_samples.c
            LIBS cordon_proto)
cordon_test(test_proto_together LABEL unit SOURCES test_proto_together.c proto_samples.c
            LIBS cordon_proto)
cordon_test(test_proto_torture LABEL unit SOURCES test_proto_torture.c proto_samples.c
            LIBS cordon_proto)
target_link_options(test_proto_torture
                    PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free)
cordon_test(test_proto_text LABEL unit SOURCES test_proto_text.c LIBS cordon_proto)
target_compile_definitions(test_proto_text PRIVATE
                           PROTO_SOURCE_DIR="${PROJECT_SOURCE_DIR}/proto")

# The seeds of the fuzzers follow the samples: "proto_corpus write tests/fuzz/corpus".
add_executable(proto_corpus proto_corpus.c proto_samples.c)
cordon_warnings(proto_corpus)
target_link_libraries(proto_corpus PRIVATE cordon_proto cordon_base)
if(WIN32)
  return() # it reads a folder of the source tree by its path here
endif()
add_test(NAME unit/proto_corpus COMMAND proto_corpus check ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus)
set_tests_properties(unit/proto_corpus PROPERTIES LABELS unit TIMEOUT 60)

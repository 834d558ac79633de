# SPDX-License-Identifier: Apache-2.0
if(TARGET cordon_order)
  cordon_test(test_order LABEL unit SOURCES test_order.c LIBS cordon_order)
endif()
if(TARGET cordon_linux)
  cordon_test(test_index LABEL unit SOURCES test_index.c LIBS cordon_index)
  cordon_test(test_places LABEL unit SOURCES test_places.c ${PROJECT_SOURCE_DIR}/platform/linux/init/places.c
              LIBS cordon_index)
  target_link_options(test_places PRIVATE -Wl,--wrap=object_open)
  # That FOUND means an entry is there the compiler does not see.
  set_source_files_properties(${PROJECT_SOURCE_DIR}/platform/linux/init/places.c
                              PROPERTIES COMPILE_OPTIONS -Wno-null-dereference)
  cordon_test(test_settle LABEL unit SOURCES test_settle.c ${PROJECT_SOURCE_DIR}/platform/linux/init/settle.c
              LIBS cordon_index)
  cordon_test(test_batch LABEL unit SOURCES test_batch.c ${CMAKE_SOURCE_DIR}/platform/linux/init/batch.c
              LIBS cordon_index)
  cordon_test(test_former LABEL unit SOURCES test_former.c ${CMAKE_SOURCE_DIR}/platform/linux/index/former.c
              ${CMAKE_SOURCE_DIR}/platform/linux/index/begun.c
              LIBS cordon_index)
  cordon_test(test_hold LABEL unit SOURCES test_hold.c ${CMAKE_SOURCE_DIR}/platform/linux/index/hold.c
              LIBS cordon_index)
  cordon_test(test_notes LABEL unit SOURCES test_notes.c ${CMAKE_SOURCE_DIR}/platform/linux/init/notes.c
              LIBS cordon_base)
  target_link_options(test_notes PRIVATE -Wl,--wrap=clock_gettime -Wl,--wrap=syscall)
  cordon_test(test_folders LABEL unit SOURCES test_folders.c ${CMAKE_SOURCE_DIR}/platform/linux/init/folders.c
              LIBS cordon_base)
  target_link_options(test_folders PRIVATE -Wl,--wrap=reallocarray)
  cordon_test(test_barren LABEL unit SOURCES test_barren.c ${CMAKE_SOURCE_DIR}/platform/linux/init/barren.c
              ${CMAKE_SOURCE_DIR}/platform/linux/fstype.c LIBS cordon_base)
  target_link_options(test_barren PRIVATE -Wl,--wrap=clock_gettime,--wrap=write,--wrap=calloc,--wrap=reallocarray)
  # With a secret of its own.
  cordon_test(test_barren_keep LABEL unit SOURCES test_barren_keep.c
              ${CMAKE_SOURCE_DIR}/platform/linux/barren_keep.c LIBS cordon_order cordon_posix cordon_sodium)
  target_link_options(test_barren_keep PRIVATE
                      -Wl,--wrap=open,--wrap=mkdirat,--wrap=write,--wrap=renameat,--wrap=malloc,--wrap=memfd_create)
  cordon_test(test_secret LABEL unit SOURCES test_secret.c ${CMAKE_SOURCE_DIR}/platform/linux/secret.c LIBS cordon_base)
  target_link_options(test_secret PRIVATE -Wl,--wrap=syscall,--wrap=getrandom)
  cordon_test(test_denials LABEL unit SOURCES test_denials.c LIBS cordon_linux)
  cordon_test(test_witness LABEL unit SOURCES test_witness.c LIBS cordon_linux_worker)
  cordon_test(test_order_again LABEL unit SOURCES test_order_again.c LIBS cordon_linux_worker)
  # With a platform of its own.
  cordon_test(test_spare LABEL unit SOURCES test_spare.c ${PROJECT_SOURCE_DIR}/platform/linux/spare.c LIBS cordon_base)
  cordon_test(test_networks LABEL unit SOURCES test_networks.c ${PROJECT_SOURCE_DIR}/platform/linux/networks.c
              LIBS cordon_base)
  cordon_test(test_remains LABEL unit SOURCES test_remains.c ${PROJECT_SOURCE_DIR}/platform/linux/remains.c
              LIBS cordon_base)
  cordon_test(test_limits LABEL unit SOURCES test_limits.c LIBS cordon_linux)
  set_target_properties(test_limits PROPERTIES LINKER_LANGUAGE CXX)
endif()

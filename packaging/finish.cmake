# SPDX-License-Identifier: Apache-2.0
# Run by cpack on what will be packed, a folder for each component: what distributions ask of
# documentation. -n: the same input gives the same bytes.
function(gzip)
  execute_process(COMMAND gzip -9nf ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(GLOB components ${CPACK_TEMPORARY_DIRECTORY}/*)
foreach(component ${components})
  file(GLOB pages ${component}/usr/share/man/man*/*.[0-9])
  if(pages)
    gzip(${pages})
  endif()
  get_filename_component(name ${component} NAME)
  string(TOUPPER ${name} name)
  set(package ${CPACK_DEBIAN_${name}_PACKAGE_NAME})
  set(doc ${component}/usr/share/doc/${package})
  if(CPACK_GENERATOR STREQUAL "DEB" AND package)
    file(COPY ${CPACK_CORDON_SOURCE}/packaging/copyright DESTINATION ${doc})
    file(COPY_FILE ${CPACK_CORDON_SOURCE}/CHANGELOG.md ${doc}/changelog)
    file(CHMOD ${doc}/changelog PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
    file(WRITE ${doc}/changelog.Debian
         "cordon (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium\n\n"
         "  * What is new is in changelog.gz.\n\n -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
    gzip(${doc}/changelog ${doc}/changelog.Debian)
    set(overrides ${CPACK_CORDON_SOURCE}/packaging/deb/${package}.lintian-overrides)
    if(EXISTS ${overrides})
      file(MAKE_DIRECTORY ${component}/usr/share/lintian/overrides)
      file(COPY_FILE ${overrides} ${component}/usr/share/lintian/overrides/${package})
    endif()
  endif()
endforeach()

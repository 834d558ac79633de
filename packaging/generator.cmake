# SPDX-License-Identifier: Apache-2.0
# Read by cpack for each generator. What was configured on Debian has Debian's place for
# libraries, where another distribution's loader does not look: there the programs alone.
if(CPACK_GENERATOR STREQUAL "RPM" AND CPACK_CORDON_LIBDIR MATCHES "/")
  set(CPACK_COMPONENTS_ALL cordon)
endif()

# SPDX-License-Identifier: Apache-2.0
# The packages, made by `./dev package`: cordon, and the library for other programs.
set(CPACK_PACKAGE_NAME cordon)
set(CPACK_PACKAGE_VENDOR cordon)
set(CPACK_PACKAGE_CONTACT "The cordon authors <maintainers@cordon.example>")
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
# By DESTDIR, as what is configured has the prefix in it already.
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_COMPONENTS_ALL cordon library development)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_SOURCE_DIR}/finish.cmake)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_SOURCE_DIR}/generator.cmake)
set(CPACK_CORDON_SOURCE ${PROJECT_SOURCE_DIR})
set(CPACK_CORDON_LIBDIR ${CMAKE_INSTALL_LIBDIR})

set(CPACK_COMPONENT_CORDON_DESCRIPTION "sandbox broker for coding agents
cordond, a service that is started by its socket, makes a policy real in the
kernel and runs commands on behalf of a thin client, cordon, so that no agent
of any user reads what the user or the administrator denied. It takes policies,
managed requirements and command lines of the Codex CLI as they are.")
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "sandbox broker for coding agents - shared library
For programs that run commands in a sandbox of the service cordond.")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "sandbox broker for coding agents - development files
The header and the static library of libcordon, with which a program runs
commands in a sandbox of the service cordond.")

# --- Debian ---
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_CORDON_PACKAGE_NAME cordon)
set(deb ${CMAKE_CURRENT_SOURCE_DIR}/deb)
set(CPACK_DEBIAN_CORDON_PACKAGE_CONTROL_EXTRA
    ${deb}/postinst ${deb}/prerm ${deb}/postrm ${deb}/conffiles)
# libsystemd is loaded, not linked: the package's tools do not find it.
set(CPACK_DEBIAN_CORDON_PACKAGE_DEPENDS "libsystemd0, systemd | systemd-standalone-sysusers, passwd")
set(CPACK_DEBIAN_CORDON_PACKAGE_RECOMMENDS systemd)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libcordon${CORDON_SOVERSION})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_RECOMMENDS cordon)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libcordon-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libprotobuf-c-dev")
set(CPACK_COMPONENT_DEVELOPMENT_DEPENDS library)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)

# --- RPM ---
set(CPACK_RPM_COMPONENT_INSTALL ON)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE Apache-2.0)
set(CPACK_RPM_PACKAGE_AUTOREQ ON)
set(CPACK_RPM_PACKAGE_RELOCATABLE OFF)
if(CMAKE_SIZEOF_VOID_P EQUAL 8)
  set(CPACK_RPM_CORDON_PACKAGE_REQUIRES "libsystemd.so.0()(64bit)")
endif()
set(CPACK_RPM_CORDON_PACKAGE_SUMMARY "sandbox broker for coding agents")
set(CPACK_RPM_MAIN_COMPONENT cordon)
set(rpm ${CMAKE_CURRENT_SOURCE_DIR}/rpm)
set(CPACK_RPM_CORDON_PRE_INSTALL_SCRIPT_FILE ${rpm}/pre)
set(CPACK_RPM_CORDON_POST_INSTALL_SCRIPT_FILE ${rpm}/post)
set(CPACK_RPM_CORDON_PRE_UNINSTALL_SCRIPT_FILE ${rpm}/preun)
set(CPACK_RPM_CORDON_POST_UNINSTALL_SCRIPT_FILE ${rpm}/postun)
set(CPACK_RPM_CORDON_USER_FILELIST "%config(noreplace) /etc/cordon/requirements.toml")
# Folders of the distribution's own.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
    /usr/sbin /usr/share/man /usr/share/man/man1 /usr/share/man/man5 /usr/share/man/man8
    /usr/lib/systemd /usr/lib/systemd/system /usr/lib/sysusers.d /usr/lib/sysctl.d
    /usr/share/zsh /usr/share/zsh/site-functions
    /usr/share/fish /usr/share/fish/vendor_completions.d /usr/share/bash-completion
    /usr/share/bash-completion/completions /usr/libexec)

include(CPack)

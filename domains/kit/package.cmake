# `cpack`, or `./dev package`: Debian's packages `troupe`, which runs nodes, and `troupe-dev`.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME troupe)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The authors of Troupe <troupe@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime dev)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME troupe)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS passwd)  # makes the user of its nodes
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/debian/postinst
    ${CMAKE_CURRENT_LIST_DIR}/debian/prerm ${CMAKE_CURRENT_LIST_DIR}/debian/postrm)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION
    "durable, supervised actors behind HTTP: the command
Starts, watches and rehearses nodes. This one hosts the contexts that come with Troupe; troupe-dev
builds others.")

# Who builds a service needs what Troupe is built of: the packages of .ci/packages that are libraries,
# and the tools that its functions of CMake run.
file(STRINGS ${CMAKE_SOURCE_DIR}/.ci/packages lines)
set(section)
set(needs "troupe (= ${PROJECT_VERSION})")
foreach(line ${lines})
  if(line MATCHES "^\\[(.*)\\]")
    set(section ${CMAKE_MATCH_1})
  elseif(line MATCHES "^([a-z0-9.+-]+)")
    set(package ${CMAKE_MATCH_1})
    if((section STREQUAL build AND package MATCHES "-dev$") OR package STREQUAL doctest-dev
       OR package MATCHES "^(build-essential|cmake|pkg-config|protobuf-compiler)$")
      list(APPEND needs ${package})
    endif()
  endif()
endforeach()
# The one that Debian 12 has too old: the version is what CMake asks of it, too.
list(TRANSFORM needs REPLACE "^libraft-dev$" "libraft-dev (>= 0.22)")
list(REMOVE_DUPLICATES needs)
list(JOIN needs ", " CPACK_DEBIAN_DEV_PACKAGE_DEPENDS)
set(CPACK_DEBIAN_DEV_PACKAGE_NAME troupe-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SHLIBDEPS ON)  # of protoc-gen-troupe
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEV_DESCRIPTION
    "durable, supervised actors behind HTTP: to build services
Headers, libraries, the generator of code from contracts, the simulator, and a package of CMake:
find_package(troupe). `troupe new context NAME` writes a service that uses them.")
include(CPack)

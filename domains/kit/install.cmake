# `cmake --install`, in two components: `runtime`, which runs nodes, and `dev`, which builds services.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(TROUPE_INSTALL_DATA ${CMAKE_INSTALL_DATADIR}/troupe)
set(TROUPE_INSTALL_HEADERS ${CMAKE_INSTALL_INCLUDEDIR}/troupe)
set(TROUPE_INSTALL_CMAKE ${CMAKE_INSTALL_LIBDIR}/cmake/troupe)

# What authors may include; these bring along what they include, and nothing else is installed.
file(GLOB TROUPE_PUBLIC CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
     ${CMAKE_SOURCE_DIR}/actors/*.hpp ${CMAKE_SOURCE_DIR}/actors/testing/*.hpp)
list(APPEND TROUPE_PUBLIC domains/kit/program.hpp runtime/rehearsal/marks.hpp simulations/rehearsal/model.hpp
     simulations/rehearsal/rehearsal.hpp google/api/annotations.pb.h troupe/options.pb.h)
install(CODE "
  set(SOURCE \"${CMAKE_SOURCE_DIR}\")
  set(GENERATED \"${CMAKE_BINARY_DIR}/generated/troupe_annotations\")
  set(PUBLIC \"${TROUPE_PUBLIC}\")
  set(DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${TROUPE_INSTALL_HEADERS}\")
  include(\"${CMAKE_CURRENT_LIST_DIR}/cmake/InstallHeaders.cmake\")" COMPONENT dev)

# Our libraries that `target` links, and theirs, are added to `result`.
function(_troupe_linked target result)
  set(found ${${result}})
  get_target_property(links ${target} INTERFACE_LINK_LIBRARIES)
  foreach(link ${links})  # links-NOTFOUND, if there are none, is no target
    string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" link "${link}")
    if(NOT TARGET ${link} OR link STREQUAL troupe_flags OR link IN_LIST found)
      continue()
    endif()
    get_target_property(imported ${link} IMPORTED)
    if(NOT imported)
      list(APPEND found ${link})
      _troupe_linked(${link} found)
    endif()
  endforeach()
  set(${result} ${found} PARENT_SCOPE)
endfunction()

set(libraries troupe_program troupe_test_main)
_troupe_linked(troupe_program libraries)
_troupe_linked(troupe_test_main libraries)
foreach(library ${libraries})
  # Folders of this tree are for this tree; warnings are not for others.
  foreach(property INTERFACE_INCLUDE_DIRECTORIES INTERFACE_SYSTEM_INCLUDE_DIRECTORIES)
    get_target_property(folders ${library} ${property})
    if(folders)
      set_target_properties(${library} PROPERTIES ${property} "$<BUILD_INTERFACE:${folders}>")
    endif()
  endforeach()
  get_target_property(links ${library} INTERFACE_LINK_LIBRARIES)
  if(links)
    list(REMOVE_ITEM links "$<LINK_ONLY:troupe_flags>")
    set_target_properties(${library} PROPERTIES INTERFACE_LINK_LIBRARIES "${links}")
  endif()
  if(NOT library MATCHES "^troupe_")
    set_target_properties(${library} PROPERTIES EXPORT_NAME troupe_${library})
  endif()
endforeach()
target_include_directories(troupe_base_flags INTERFACE
                           $<INSTALL_INTERFACE:${TROUPE_INSTALL_HEADERS}>)

# All that is installed, for who builds nothing else.
add_custom_target(kit DEPENDS troupe protoc-gen-troupe)
foreach(library ${libraries})
  add_dependencies(kit ${library})
endforeach()

install(TARGETS troupe RUNTIME COMPONENT runtime)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/config/examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples
        COMPONENT runtime)
install(FILES ${CMAKE_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT runtime)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs COMPONENT runtime
        FILES_MATCHING PATTERN *.md PATTERN *.svg)
# What Debian's policy wants, and how systemd starts a node.
install(FILES debian/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/troupe COMPONENT runtime)
install(FILES debian/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/troupe-dev COMPONENT dev)
install(FILES debian/troupe@.service DESTINATION lib/systemd/system COMPONENT runtime)
install(TARGETS ${libraries} EXPORT troupe ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/troupe
        COMPONENT dev)
install(TARGETS protoc-gen-troupe EXPORT troupe RUNTIME COMPONENT dev)
install(EXPORT troupe FILE troupe-targets.cmake DESTINATION ${TROUPE_INSTALL_CMAKE} COMPONENT dev)
install(DIRECTORY ${TROUPE_CONTRACTS}/ DESTINATION ${TROUPE_INSTALL_DATA}/contracts COMPONENT dev
        FILES_MATCHING PATTERN *.proto)
install(FILES ${TROUPE_MAIN} DESTINATION ${TROUPE_INSTALL_DATA} COMPONENT dev)

configure_package_config_file(cmake/troupe-config.cmake.in troupe-config.cmake
                              INSTALL_DESTINATION ${TROUPE_INSTALL_CMAKE}
                              PATH_VARS TROUPE_INSTALL_DATA NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(troupe-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/troupe-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/troupe-config-version.cmake
              cmake/TroupeDependencies.cmake cmake/TroupePrograms.cmake
              ${CMAKE_SOURCE_DIR}/actors/codegen/TroupeContracts.cmake
        DESTINATION ${TROUPE_INSTALL_CMAKE} COMPONENT dev)

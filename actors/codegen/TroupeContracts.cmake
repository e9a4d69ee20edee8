# Contracts to C++, and the contexts that implement them: in this tree, and in those of others, who
# get it by find_package(troupe).

# Runs protoc on one file of ROOT. Rebuilds when the file or anything that it imports changes. The
# outputs are in alphabetical order: so protoc writes them into the depfile, and Ninja wants the
# first one there to be the first here.
function(_troupe_protoc root proto out import_flags outputs depends)
  string(REPLACE "/" "_" depfile ${proto})
  set(depfile ${out}/${depfile}.d)
  add_custom_command(
    OUTPUT ${outputs}
    COMMAND protobuf::protoc -I${root} ${import_flags} ${ARGN} --dependency_out=${depfile}
            ${root}/${proto}
    DEPENDS ${root}/${proto} ${depends}
    DEPFILE ${depfile}
    VERBATIM)
endfunction()

# What Protobuf writes, as a library of its own. It is not watched for addresses, as Protobuf's library
# is not. ThreadSanitizer has to see both sides.
function(_troupe_messages name sources include)
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} SYSTEM PUBLIC ${include})
  target_link_libraries(${name} PUBLIC ${ARGN} protobuf::libprotobuf troupe_base_flags)
  troupe_unite(${name})
  # Two names that every generated file defines for itself.
  set_target_properties(${name} PROPERTIES
    UNITY_BUILD_UNIQUE_ID TROUPE_FILE
    UNITY_BUILD_CODE_BEFORE_INCLUDE "#include <google/protobuf/generated_message_reflection.h>
#define TROUPE_JOINED(name, file) name##file
#define TROUPE_JOIN(name, file) TROUPE_JOINED(name, file)
#define schemas TROUPE_JOIN(schemas_, TROUPE_FILE)
#define file_default_instances TROUPE_JOIN(file_default_instances_, TROUPE_FILE)"
    UNITY_BUILD_CODE_AFTER_INCLUDE "#undef schemas
#undef file_default_instances
#undef TROUPE_JOIN
#undef TROUPE_JOINED")
  if(TROUPE_SANITIZE MATCHES "address")
    target_compile_options(${name} PRIVATE -fno-sanitize=all)
  elseif(TROUPE_PRECOMPILE)
    troupe_precompile(${name})
  endif()
endfunction()

# troupe_proto_library(NAME ROOT dir PROTOS files relative to ROOT... [IMPORTS dirs...] [LINK libs...])
# Plain protoc output as a static library; `#include "<file>.pb.h"`.
function(troupe_proto_library name)
  cmake_parse_arguments(ARG "" "ROOT" "PROTOS;IMPORTS;LINK" ${ARGN})
  set(out ${CMAKE_BINARY_DIR}/generated/${name})
  file(MAKE_DIRECTORY ${out})
  list(TRANSFORM ARG_IMPORTS PREPEND -I OUTPUT_VARIABLE import_flags)
  set(sources)
  foreach(proto ${ARG_PROTOS})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(outputs ${out}/${stem}.pb.cc ${out}/${stem}.pb.h)
    _troupe_protoc(${ARG_ROOT} ${proto} ${out} "${import_flags}" "${outputs}" ""
                   --cpp_out=${out})
    list(APPEND sources ${outputs})
  endforeach()
  _troupe_messages(${name} "${sources}" ${out} ${ARG_LINK})
endfunction()

# troupe_contract(NAME ROOT dir PROTOS files relative to ROOT... [IMPORTS dirs...] [LINK libs...])
# Messages, entity bases and references as a static library; `#include "<file>.troupe.hpp"`. Mistakes
# of a contract end the build as "<file>:<line>:<column>: what to write".
function(troupe_contract name)
  cmake_parse_arguments(ARG "" "ROOT" "PROTOS;IMPORTS;LINK" ${ARGN})
  # Messages apart from classes: only the latter compile with our own warnings.
  set(messages ${CMAKE_BINARY_DIR}/generated/${name}/messages)
  set(classes ${CMAKE_BINARY_DIR}/generated/${name}/classes)
  file(MAKE_DIRECTORY ${messages} ${classes})
  set(imports ${TROUPE_CONTRACTS} ${ARG_IMPORTS})
  list(TRANSFORM imports PREPEND -I OUTPUT_VARIABLE import_flags)
  set(class_sources)
  set(message_sources)
  foreach(proto ${ARG_PROTOS})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(outputs ${classes}/${stem}.troupe.cpp ${classes}/${stem}.troupe.hpp
                ${messages}/${stem}.pb.cc ${messages}/${stem}.pb.h)
    _troupe_protoc(${ARG_ROOT} ${proto} ${messages} "${import_flags}" "${outputs}"
                   protoc-gen-troupe --plugin=protoc-gen-troupe=$<TARGET_FILE:protoc-gen-troupe>
                   --cpp_out=${messages} --troupe_out=${classes})
    list(APPEND class_sources ${classes}/${stem}.troupe.cpp ${classes}/${stem}.troupe.hpp)
    list(APPEND message_sources ${messages}/${stem}.pb.cc ${messages}/${stem}.pb.h)
  endforeach()
  _troupe_messages(${name}_messages "${message_sources}" ${messages} ${ARG_LINK} troupe_contracts)
  add_library(${name} STATIC ${class_sources})
  target_include_directories(${name} PUBLIC ${classes})
  target_link_libraries(${name} PUBLIC ${name}_messages troupe_actors PRIVATE troupe_flags
                                PUBLIC troupe_base_flags)
  troupe_compile_fast(${name})
endfunction()

# troupe_context(NAME [DIRECTORY dir] CONTRACTS targets... [LINK libs...])
# A bounded context: every .cpp of the folder, as objects, so that the linker keeps the services that
# TROUPE_SERVICE registers although nothing calls them. A program or a test that hosts it links it
# directly; the `troupe` command links all of them (global property TROUPE_CONTEXTS).
function(troupe_context name)
  cmake_parse_arguments(ARG "" "DIRECTORY" "CONTRACTS;LINK" ${ARGN})
  if(NOT ARG_DIRECTORY)
    set(ARG_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${ARG_DIRECTORY}/*.cpp ${ARG_DIRECTORY}/*.hpp)
  add_library(${name} OBJECT ${sources})
  target_link_libraries(${name} PUBLIC ${ARG_CONTRACTS} ${ARG_LINK} troupe_actors troupe_base_flags
                                PRIVATE troupe_flags)
  troupe_compile_fast(${name})
  set_property(GLOBAL APPEND PROPERTY TROUPE_CONTEXTS ${name})
endfunction()

# Contracts to C++.

# troupe_proto_library(NAME ROOT dir PROTOS files relative to ROOT... [IMPORTS dirs...] [LINK libs...])
# Plain protoc output as a static library; `#include "<file>.pb.h"`.
function(troupe_proto_library name)
  cmake_parse_arguments(ARG "" "ROOT" "PROTOS;IMPORTS;LINK" ${ARGN})
  set(out ${CMAKE_BINARY_DIR}/generated/${name})
  file(MAKE_DIRECTORY ${out})
  set(import_flags)
  foreach(dir ${ARG_IMPORTS})
    list(APPEND import_flags -I${dir})
  endforeach()
  set(sources)
  foreach(proto ${ARG_PROTOS})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    add_custom_command(
      OUTPUT ${out}/${stem}.pb.cc ${out}/${stem}.pb.h
      COMMAND protobuf::protoc -I${ARG_ROOT} ${import_flags} --cpp_out=${out} ${ARG_ROOT}/${proto}
      DEPENDS ${ARG_ROOT}/${proto}
      VERBATIM)
    list(APPEND sources ${out}/${stem}.pb.cc ${out}/${stem}.pb.h)
  endforeach()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} SYSTEM PUBLIC ${out})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} protobuf::libprotobuf troupe_base_flags)
endfunction()

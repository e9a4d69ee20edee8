# What Troupe is built of, and whoever builds on it as well: Debian's packages in .ci/packages. All that
# a library of ours links is looked for here and nowhere else, or others cannot link that library.
find_package(Threads REQUIRED)
find_package(Protobuf 3.21 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(SQLite3 3.40 REQUIRED)
find_package(spdlog REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
# The packaged library, not its headers alone: built into us they abort on headings such as [=].
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(RAFT REQUIRED IMPORTED_TARGET raft>=0.22)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)

# Debian's package of gRPC for CMake wants libraries that its own packages do not bring.
if(NOT TARGET troupe_grpc)
  find_library(TROUPE_GRPC grpc++ REQUIRED)
  find_library(TROUPE_GPR gpr REQUIRED)
  find_library(TROUPE_ABSL_SYNCHRONIZATION absl_synchronization REQUIRED)
  add_library(troupe_grpc INTERFACE IMPORTED)
  target_link_libraries(troupe_grpc INTERFACE ${TROUPE_GRPC} ${TROUPE_GPR}
                                              ${TROUPE_ABSL_SYNCHRONIZATION} Threads::Threads)
endif()

if(NOT TARGET troupe_caf)
  find_library(TROUPE_CAF_CORE caf_core REQUIRED)
  add_library(troupe_caf INTERFACE IMPORTED)
  target_link_libraries(troupe_caf INTERFACE ${TROUPE_CAF_CORE} Threads::Threads)

  # The allocator of the programs that are measured and shipped (docs/decisions/0015). Sanitizers
  # bring their own.
  add_library(troupe_allocator INTERFACE IMPORTED)
  if(NOT TROUPE_SANITIZE)
    find_library(TROUPE_TCMALLOC tcmalloc_minimal REQUIRED)
    target_link_options(troupe_allocator INTERFACE -Wl,--push-state,--no-as-needed ${TROUPE_TCMALLOC}
                                                   -Wl,--pop-state)
    target_compile_definitions(troupe_allocator INTERFACE TROUPE_TCMALLOC)
  endif()
endif()

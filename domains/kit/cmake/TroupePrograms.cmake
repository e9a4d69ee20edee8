# Programs that host contexts.

# troupe_program(NAME [CONTEXTS targets...] [SIMULATIONS files...] [LINK libs...])
# A `troupe` command: it hosts the services of the contexts, and `troupe simulate` rehearses what the
# files declare. Its main() is domains/kit/main/main.cpp; who wants another one links troupe_program and the
# contexts, and calls troupe::run_program (domains/kit/program.hpp).
function(troupe_program name)
  cmake_parse_arguments(ARG "" "" "CONTEXTS;SIMULATIONS;LINK" ${ARGN})
  add_executable(${name} ${TROUPE_MAIN} ${ARG_SIMULATIONS})
  target_link_libraries(${name} PRIVATE troupe_program ${ARG_CONTEXTS} ${ARG_LINK} troupe_allocator
                                        troupe_flags)
endfunction()

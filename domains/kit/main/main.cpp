#ifdef TROUPE_TCMALLOC
#include <gperftools/malloc_extension.h>
#endif

#include "domains/kit/program.hpp"

int main(int argc, char** argv) {
#ifdef TROUPE_TCMALLOC
  // Ten times as fast as it does by itself: what a peak of load took goes back to the system within
  // seconds (docs/decisions/0015).
  MallocExtension::instance()->SetMemoryReleaseRate(10);
#endif
  return troupe::run_program(argc, argv);
}

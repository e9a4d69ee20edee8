#ifdef TROUPE_TCMALLOC
#include <gperftools/malloc_extension.h>
#endif

#include <cstddef>

#include "domains/kit/program.hpp"

namespace {

#ifdef TROUPE_TCMALLOC
// tcmalloc keeps most of what it does not use. Half of what is beyond a spare goes back to the
// system, so that what comes and goes every few seconds costs few page faults
// (docs/decisions/0015).
void tidy_memory() {
  constexpr std::size_t spare_bytes = 4 << 20;
  MallocExtension& allocator = *MallocExtension::instance();
  std::size_t unused = 0;
  if (allocator.GetNumericProperty("tcmalloc.pageheap_free_bytes", &unused) && unused > spare_bytes)
    allocator.ReleaseToSystem((unused - spare_bytes) / 2);
}
#else
constexpr void (*tidy_memory)() = nullptr;
#endif

}  // namespace

int main(int argc, char** argv) {
  return troupe::run_program(argc, argv, tidy_memory);
}

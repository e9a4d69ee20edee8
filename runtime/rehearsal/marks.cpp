#include "runtime/rehearsal/marks.hpp"

namespace troupe::runtime {
namespace {

// Filled before main(), in any order: constant-initialised.
constinit Mark* newest = nullptr;

}  // namespace

Mark::Mark(const char* name) : name_(name), next_(newest) {
  newest = this;
}

std::map<std::string_view, bool> marks() {
  std::map<std::string_view, bool> all;
  for (const Mark* mark = newest; mark != nullptr; mark = mark->next_)
    all[mark->name_] |= mark->reached_.load(std::memory_order_relaxed);
  return all;
}

void reset_marks() {
  for (Mark* mark = newest; mark != nullptr; mark = mark->next_)
    mark->reached_.store(false, std::memory_order_relaxed);
}

}  // namespace troupe::runtime

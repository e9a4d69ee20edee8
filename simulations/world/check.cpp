#include "simulations/world/check.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <utility>

namespace troupe::simulations {

namespace {

std::function<void(std::string_view)> last_deed;

}  // namespace

void before_check_fails(std::function<void(std::string_view)> save) {
  last_deed = std::move(save);
}

void check_failed(std::string_view what) {
  std::fprintf(stderr, "simulator: %.*s\n", static_cast<int>(what.size()), what.data());
  if (const auto save = std::exchange(last_deed, nullptr)) save(what);
  std::abort();
}

void check_single_thread() {
#ifdef __SANITIZE_THREAD__
  constexpr std::ptrdiff_t expected = 2;
#else
  constexpr std::ptrdiff_t expected = 1;
#endif
  const std::filesystem::directory_iterator threads{"/proc/self/task"};
  const auto count = std::distance(begin(threads), end(threads));
  check(count <= expected, "the process has " + std::to_string(count) +
                               " threads; a simulation must have one, or it is not repeatable");
}

}  // namespace troupe::simulations

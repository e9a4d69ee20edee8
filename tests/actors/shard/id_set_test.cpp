#include "actors/shard/id_set.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>

namespace troupe::actors {
namespace {

TEST_CASE("a set of ids agrees with std::set, through growth and clearing") {
  std::mt19937_64 random{7};
  IdSet ids;
  CHECK(!ids.contains(5));
  for (int round = 0; round < 3; ++round) {
    std::set<std::uint64_t> model;
    for (int n = 0; n < 5000; ++n) {
      // Few low bits differ, so that probing has to go on.
      const std::uint64_t id = 1 + random() % 4000 * 1024;
      ids.insert(id);
      model.insert(id);
    }
    CHECK(ids.size() == model.size());
    for (std::uint64_t n = 0; n < 4000; ++n)
      CHECK(ids.contains(1 + n * 1024) == model.contains(1 + n * 1024));
    ids.clear();
    CHECK(ids.size() == 0);
    CHECK(!ids.contains(1));
  }
}

}  // namespace
}  // namespace troupe::actors

#include "simulations/world/random.hpp"

#include <doctest/doctest.h>

#include <set>

namespace troupe::simulations {
namespace {

TEST_CASE("streams of numbers are the same in every build") {
  RandomStream stream{1, Domain::platform, 0, 0};
  CHECK(stream.next() == 0xa330ff5aaebe90e6);
  CHECK(stream.next() == 0xf942914418e5d4f9);
  RandomStream other{0xfeedface, Domain::network, 3, 77};
  CHECK(other.next() == 0x48d8a2ef815cd38d);
}

TEST_CASE("every part of a stream's name changes it") {
  std::set<std::uint64_t> firsts;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    for (const auto domain : {Domain::platform, Domain::disk, Domain::scenario}) {
      for (std::uint32_t node = 0; node < 10; ++node) {
        for (std::uint64_t sequence = 0; sequence < 10; ++sequence) {
          firsts.insert(RandomStream{seed, domain, node, sequence}.next());
        }
      }
    }
  }
  CHECK(firsts.size() == 3000);
}

TEST_CASE("a stream does not depend on what others draw") {
  RandomStream alone{7, Domain::disk, 1, 1};
  RandomStream beside{7, Domain::disk, 1, 1};
  RandomStream noisy{7, Domain::disk, 1, 2};
  for (int i = 0; i < 100; ++i) {
    noisy.between(0, 10);
    CHECK(alone.next() == beside.next());
  }
}

TEST_CASE("a chance in millionths comes about as often as it says") {
  RandomStream stream{3, Domain::disk, 1, 1};
  int hits = 0;
  for (int i = 0; i < 100'000; ++i) hits += stream.chance(250'000);
  CHECK(hits > 24'000);
  CHECK(hits < 26'000);
  CHECK_FALSE(stream.chance(0));
  CHECK(stream.chance(1'000'000));
}

}  // namespace
}  // namespace troupe::simulations

#include <doctest/doctest.h>

#include <set>
#include <thread>
#include <vector>

#include "runtime/platform/os/os_clock.hpp"
#include "runtime/platform/os/os_random.hpp"

using namespace troupe;
using namespace troupe::runtime;

TEST_CASE("the monotonic clock does not step back and wall time is of this age") {
  OsClock clock;
  auto before = clock.now();
  for (int i = 0; i < 1'000; ++i) {
    const auto now = clock.now();
    REQUIRE(now >= before);
    before = now;
  }
  using namespace std::chrono;
  CHECK(clock.wall() > WallTime{sys_days{year{2024} / 1 / 1}});
}

TEST_CASE("random numbers do not repeat, neither in a thread nor between threads") {
  OsRandom random;
  constexpr int threads = 4;
  constexpr int count = 10'000;
  std::vector<std::vector<std::uint64_t>> drawn(threads);
  std::vector<std::thread> drawers;
  for (auto& numbers : drawn)
    drawers.emplace_back([&] {
      for (int i = 0; i < count; ++i) numbers.push_back(random.next());
    });
  for (auto& drawer : drawers) drawer.join();
  std::set<std::uint64_t> all;
  for (const auto& numbers : drawn) all.insert(numbers.begin(), numbers.end());
  CHECK(all.size() == threads * count);
}

TEST_CASE("every bit of a random number is drawn about half of the time") {
  OsRandom random;
  constexpr int count = 20'000;
  int ones[64] = {};
  for (int i = 0; i < count; ++i) {
    const auto number = random.next();
    for (int bit = 0; bit < 64; ++bit) ones[bit] += static_cast<int>(number >> bit & 1);
  }
  // Six standard deviations: one false alarm in ten million runs of this test.
  const double allowed = 6 * 0.5 * 141.5;
  for (const int count_of_ones : ones) CHECK(std::abs(count_of_ones - count / 2) < allowed);
}

TEST_CASE("between() includes both ends") {
  OsRandom random;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(random.between(7, 9));
  CHECK(seen == std::set<std::uint64_t>{7, 8, 9});
  CHECK(random.between(5, 5) == 5);
}

#include "runtime/platform/os/files/sync_pace.hpp"

#include <doctest/doctest.h>

namespace troupe::runtime {
namespace {

using namespace std::chrono_literals;

// Writes pages until a piece is full; returns how many bytes that took.
std::size_t fill(SyncPace& pace) {
  constexpr std::size_t page = 4096;
  std::size_t bytes = page;
  while (!pace.written(page)) bytes += page;
  return bytes;
}

TEST_CASE("pieces become as small as a slow disk wants them, and grow again on a fast one") {
  SyncPace pace;
  CHECK(fill(pace) == SyncPace::piece_first);
  pace.synced(100ms);
  CHECK(fill(pace) == SyncPace::piece_first / 2);
  for (int i = 0; i < 20; ++i) pace.synced(100ms);
  CHECK(fill(pace) == SyncPace::piece_smallest);
  for (int i = 0; i < 20; ++i) pace.synced(40ms);
  CHECK(fill(pace) == SyncPace::piece_smallest);
  for (int i = 0; i < 20; ++i) pace.synced(1ms);
  CHECK(fill(pace) == SyncPace::piece_largest);
}

TEST_CASE("a writer rests for half of the time that the disk took, and never for long") {
  SyncPace pace;
  CHECK(pace.synced(10ms) == 5ms);
  CHECK(pace.synced(0ms) == 0ms);
  CHECK(pace.synced(10s) == SyncPace::rest_longest);
}

TEST_CASE("what somebody else synced is not counted") {
  SyncPace pace;
  CHECK_FALSE(pace.written(SyncPace::piece_first - 1));
  pace.clear();
  CHECK_FALSE(pace.written(SyncPace::piece_first - 1));
  CHECK(pace.written(1));
}

}  // namespace
}  // namespace troupe::runtime

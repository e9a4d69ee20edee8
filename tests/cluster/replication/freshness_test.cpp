#include "cluster/replication/freshness.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::cluster;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("freshness");

namespace {
MonotonicTime at(Duration time) {
  return MonotonicTime{std::chrono::duration_cast<MonotonicTime::duration>(time)};
}
}  // namespace

TEST_CASE("nothing is known before anything was noted") {
  Freshness freshness;
  CHECK_FALSE(freshness.note_applied(7));
  freshness.note(at(1s), 8);
  CHECK_FALSE(freshness.note_applied(7));
  CHECK(freshness.note_applied(8) == at(1s));
}

TEST_CASE("rows that hold all that is committed are as fresh as the last word") {
  Freshness freshness;
  for (int i = 1; i <= 1000; ++i) freshness.note(at(i * 50ms), 8);
  CHECK(freshness.note_applied(8) == at(50s));
  freshness.note(at(60s), 8);
  CHECK(freshness.note_applied(8) == at(60s));
}

TEST_CASE("rows that lag are of the last moment at which they were all") {
  Freshness freshness;
  freshness.note(at(1s), 8);
  freshness.note(at(2s), 9);
  freshness.note(at(3s), 12);
  CHECK(freshness.note_applied(8) == at(1s));
  CHECK(freshness.note_applied(9) == at(2s));
  CHECK(freshness.note_applied(11) == at(2s));
  CHECK(freshness.note_applied(20) == at(3s));
}

TEST_CASE("what was committed before a word that says less counts") {
  Freshness freshness;
  freshness.note(at(1s), 8);
  freshness.note(at(2s), 7);  // overtaken by the other
  CHECK_FALSE(freshness.note_applied(7));
  CHECK(freshness.note_applied(8) == at(1s));
}

TEST_CASE("under load rows seem no fresher than they are, and little older") {
  Freshness freshness;
  // Something is committed each millisecond and applied half a second later.
  for (std::uint64_t ms = 1; ms <= 10'000; ++ms) {
    freshness.note(at(std::chrono::milliseconds{ms}), ms);
    if (ms % 100 != 0 || ms < 1000) continue;
    const auto fresh = freshness.note_applied(ms - 500);
    REQUIRE(fresh);
    CHECK(*fresh <= at(std::chrono::milliseconds{ms - 500}));
    CHECK(*fresh >= at(std::chrono::milliseconds{ms - 700}));
  }
}

TEST_SUITE_END();

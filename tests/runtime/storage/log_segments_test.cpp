#include <filesystem>
#include <set>

#include "runtime/storage/log_spares.hpp"
#include "tests/runtime/storage/log_rig.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::tests;

namespace {

// Entries of a kilobyte, one to a transaction.
void put_each(LogRig& rig, GroupId group, LogIndex from, LogIndex to) {
  for (auto i = from; i <= to; ++i) rig.put(group, i, i, std::string(1000, 'x'));
}

std::set<std::uint64_t> spares_in(const std::string& folder) {
  std::set<std::uint64_t> numbers;
  for (const auto& entry : std::filesystem::directory_iterator{folder})
    if (const auto number = LogSpares::parse_name(entry.path().filename().string()))
      numbers.insert(*number);
  return numbers;
}

}  // namespace

TEST_SUITE("node log segments") {
  TEST_CASE("a segment that is large enough is followed by another") {
    LogRig rig;
    rig.options.segment_bytes = 100 << 10;
    rig.open();
    put_each(rig, 1, 1, 100);
    CHECK(rig.log().stats().segments > 3);
    CHECK(rig.has(4));
    CHECK(rig.entries(1) == rig.expected(1, 1, 100, std::string(1000, 'x')));
    rig.reopen();
    CHECK(rig.entries(1) == rig.expected(1, 1, 100, std::string(1000, 'x')));
  }

  TEST_CASE("a new segment begins with the newest record of every group") {
    LogRig rig;
    rig.options.segment_bytes = 100 << 10;
    rig.open();
    for (GroupId group = 1; group <= 50; ++group)
      rig.record(group, {.term = group, .vote = 3, .replica = group + 1});
    put_each(rig, 60, 1, 100);
    rig.snapshot(60, 100);
    rig.wait_until_removed(1);
    CHECK_FALSE(rig.has(1));
    rig.reopen();
    for (GroupId group = 1; group <= 50; ++group) {
      REQUIRE(rig.log().record(group).has_value());
      CHECK(rig.log().record(group)->term == group);
      CHECK(rig.log().record(group)->replica == group + 1);
    }
  }

  TEST_CASE("segments that nothing needs are deleted, oldest first") {
    LogRig rig;
    rig.options.segment_bytes = 100 << 10;
    rig.open();
    put_each(rig, 1, 1, 30);
    put_each(rig, 2, 1, 60);
    const auto before = rig.log().stats().segments;
    REQUIRE(before >= 4);
    rig.snapshot(2, 60);
    CHECK(rig.log().stats().segments >= before);  // group 1 holds the oldest back
    CHECK(rig.has(1));
    rig.snapshot(1, 30);
    rig.wait_until_removed(1);
    CHECK(rig.log().stats().segments == 1);
    rig.put(1, 31, 31);
    rig.reopen();
    CHECK(rig.entries(1) == rig.expected(1, 31, 31));
    CHECK(rig.log().record(2)->snapshot_index == 60);
  }

  TEST_CASE("truncation frees segments as well") {
    LogRig rig;
    rig.options.segment_bytes = 100 << 10;
    rig.open();
    put_each(rig, 1, 1, 60);
    REQUIRE(rig.log().stats().segments >= 3);
    rig.put(1, 1, 1);
    rig.wait_until_removed(1);
    CHECK(rig.log().stats().segments == 1);
    rig.reopen();
    CHECK(rig.entries(1) == rig.expected(1, 1, 1));
  }

  TEST_CASE("those who hold the oldest segments back are named while there are too many") {
    LogRig rig;
    rig.options.segment_bytes = 100 << 10;
    rig.open();
    rig.put(1, 1, 1);
    put_each(rig, 2, 1, 40);
    put_each(rig, 3, 1, 60);
    const auto segments = rig.log().stats().segments;
    REQUIRE(segments >= 4);
    CHECK(rig.log().laggards(segments).empty());
    CHECK(rig.log().laggards(segments - 1) == std::vector<GroupId>{1, 2});
    CHECK(rig.log().laggards(1) == std::vector<GroupId>{1, 2, 3});
    rig.snapshot(1, 1);
    CHECK(rig.log().laggards(segments - 1) == std::vector<GroupId>{2});
  }

  TEST_CASE("the WAL of a deleted segment serves a later one") {
    LogRig rig;
    rig.options.segment_bytes = 100 << 10;
    rig.open();
    for (int round = 0; round < 10; ++round) {
      CAPTURE(round);
      const auto from = static_cast<LogIndex>(round) * 30 + 1;
      put_each(rig, 1, from, from + 29);
      CHECK(rig.entries(1) == rig.expected(1, from, from + 29, std::string(1000, 'x')));
      rig.snapshot(1, from + 29);
    }
    rig.close();  // waits for the cleaner
    const auto spares = spares_in(rig.folder());
    CHECK(!spares.empty());
    CHECK(spares.size() <= LogSpares::kept_max);
    rig.open();
    CHECK(rig.log().stats().segments == 1);
    put_each(rig, 1, 301, 330);
    CHECK(spares_in(rig.folder()).size() < spares.size());
    rig.reopen();
    CHECK(rig.entries(1) == rig.expected(1, 301, 330, std::string(1000, 'x')));
  }

  TEST_CASE("a read goes on over the segments' borders and over truncations") {
    LogRig rig;
    rig.options.segment_bytes = 100 << 10;
    rig.open();
    put_each(rig, 1, 1, 50);
    rig.put(1, 40, 41, "other");
    put_each(rig, 1, 42, 90);
    auto expected = rig.expected(1, 1, 39, std::string(1000, 'x'));
    for (auto& text : rig.expected(1, 40, 41, "other")) expected.push_back(text);
    for (auto& text : rig.expected(1, 42, 90, std::string(1000, 'x'))) expected.push_back(text);
    CHECK(rig.entries(1) == expected);
    const auto part = rig.log().read(1, 35, 45);
    REQUIRE(part);
    REQUIRE(part->size() == 11);
    for (std::size_t i = 0; i < part->size(); ++i) CHECK(*(*part)[i].payload == expected[34 + i]);
  }

  TEST_CASE("a long read takes its turns with the writer") {
    LogRig rig;
    rig.open();
    rig.put(1, 1, 3000);
    CHECK(rig.entries(1) == rig.expected(1, 1, 3000));
    const auto tail = rig.log().read(1, 2990, 3000);
    REQUIRE(tail);
    CHECK(tail->front().index == 2990);
    CHECK(tail->size() == 11);
  }
}

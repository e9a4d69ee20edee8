#include "runtime/storage/group_index.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace troupe::runtime;

TEST_SUITE("group index") {
  TEST_CASE("a group without entries has neither first nor last") {
    GroupIndex index;
    CHECK(index.empty());
    CHECK(index.first() == 0);
    CHECK(index.last() == 0);
  }

  TEST_CASE("entries lie in the segment that they were written to") {
    GroupIndex index;
    for (LogIndex i = 1; i <= 10; ++i) index.append(i, i <= 6 ? 1 : 2, static_cast<long>(i * 100));
    const auto spans = index.spans(5, 8);
    REQUIRE(spans.size() == 2);
    CHECK(spans[0].segment == 1);
    CHECK(spans[0].from == 5);
    CHECK(spans[0].to == 6);
    CHECK(spans[1].segment == 2);
    CHECK(spans[1].from == 7);
    CHECK(spans[1].to == 8);
  }

  TEST_CASE("an earlier index drops what came behind it") {
    GroupIndex index;
    for (LogIndex i = 1; i <= 10; ++i) index.append(i, 1, static_cast<long>(i));
    index.append(4, 1, 11);
    CHECK(index.last() == 4);
    const auto spans = index.spans(1, 4);
    REQUIRE(spans.size() == 2);
    CHECK(spans[0].to == 3);
    CHECK(spans[1].row == 11);
  }

  TEST_CASE("a cut frees the segments before it") {
    GroupIndex index;
    for (LogIndex i = 1; i <= 9; ++i) index.append(i, (i - 1) / 3 + 1, static_cast<long>(i));
    index.cut(4);
    CHECK(index.first() == 5);
    CHECK(index.oldest_segment() == 2);
    CHECK_FALSE(index.needs(1));
    index.cut(9);
    CHECK(index.empty());
    index.append(20, 5, 1);
    CHECK(index.first() == 20);
  }

  TEST_CASE("what is only assumed is in no segment") {
    GroupIndex index;
    index.assume(3, 7);
    CHECK(index.needs(0));
    index.append(5, 4, 1);
    CHECK(index.last() == 5);
    index.cut(4);
    CHECK_FALSE(index.needs(0));
    CHECK(index.first() == 5);
  }

  TEST_CASE("a span's row is never behind its entry, whatever was appended, dropped and cut") {
    std::mt19937 random{1};
    for (int round = 0; round < 50; ++round) {
      GroupIndex index;
      std::map<LogIndex, std::pair<std::uint64_t, std::int64_t>> model;
      std::uint64_t segment = 1;
      std::int64_t row = 0;
      LogIndex next = 1;
      LogIndex cut = 0;
      for (int step = 0; step < 400; ++step) {
        const auto dice = random() % 100;
        if (dice < 3 && next > cut + 2) {
          next -= random() % (next - cut - 1);
        } else if (dice < 6 && next > cut + 1) {
          cut += random() % (next - cut);
          index.cut(cut);
          model.erase(model.begin(), model.upper_bound(cut));
        } else if (dice < 8) {
          ++segment;
        }
        model.erase(model.lower_bound(next), model.end());
        row += 1 + static_cast<std::int64_t>(random() % 5);
        index.append(next, segment, row);
        model[next] = {segment, row};
        ++next;
      }
      REQUIRE(index.first() == model.begin()->first);
      REQUIRE(index.last() == model.rbegin()->first);
      LogIndex expected = index.first();
      for (const auto& span : index.spans(index.first(), index.last())) {
        REQUIRE(span.from == expected);
        for (auto i = span.from; i <= span.to; ++i) REQUIRE(model.at(i).first == span.segment);
        REQUIRE(span.row <= model.at(span.from).second);
        expected = span.to + 1;
      }
      REQUIRE(expected == index.last() + 1);
    }
  }
}

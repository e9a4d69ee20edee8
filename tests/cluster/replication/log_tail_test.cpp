#include "cluster/replication/log_tail.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using troupe::cluster::LogTail;

namespace {

void fill(LogTail& tail, runtime::LogIndex to, runtime::Term term) {
  while (tail.last() < to)
    tail.append({tail.last() + 1, term, 1, std::make_shared<const std::string>("0123456789")});
}

}  // namespace

TEST_SUITE_BEGIN("log tail");

TEST_CASE("terms outlive payloads, and a cut forgets them") {
  LogTail tail;
  tail.reset(0, 0);
  CHECK(tail.last_term() == 0);
  fill(tail, 5, 1);
  fill(tail, 8, 2);
  fill(tail, 9, 4);
  tail.drop(6);
  CHECK(tail.find(6) == nullptr);
  CHECK(tail.find(7)->index == 7);
  CHECK(tail.find(10) == nullptr);
  CHECK(tail.first_in_memory() == 7);
  CHECK(tail.term_of(0) == 0);
  CHECK(tail.term_of(1) == 1);
  CHECK(tail.term_of(5) == 1);
  CHECK(tail.term_of(6) == 2);
  CHECK(tail.term_of(9) == 4);
  CHECK(tail.term_of(10) == 0);
  tail.cut(5);
  CHECK(tail.snapshot() == 5);
  CHECK(tail.term_of(4) == 0);
  CHECK(tail.term_of(5) == 1);
  CHECK(tail.term_of(6) == 2);
  tail.cut(9);
  CHECK(tail.term_of(8) == 0);
  CHECK(tail.term_of(9) == 4);
  CHECK(tail.last() == 9);
  CHECK(tail.first_in_memory() == 10);
  fill(tail, 10, 4);
  CHECK(tail.term_of(10) == 4);
}

TEST_CASE("a log that begins behind a snapshot knows the snapshot's term") {
  LogTail tail;
  tail.reset(100, 7);
  CHECK(tail.last() == 100);
  CHECK(tail.last_term() == 7);
  CHECK(tail.term_of(99) == 0);
  fill(tail, 102, 9);
  CHECK(tail.term_of(100) == 7);
  CHECK(tail.term_of(101) == 9);
  tail.truncate(101);
  CHECK(tail.last_term() == 7);
  CHECK(tail.last() == 100);
}

TEST_CASE("truncated entries are replaced, in memory or not") {
  LogTail tail;
  tail.reset(0, 0);
  fill(tail, 5, 1);
  fill(tail, 8, 2);
  tail.truncate(5);
  CHECK(tail.last() == 4);
  CHECK(tail.last_term() == 1);
  fill(tail, 6, 3);
  CHECK(tail.term_of(5) == 3);
  tail.drop(6);
  tail.truncate(4);
  CHECK(tail.last() == 3);
  CHECK(tail.first_in_memory() == 4);
  fill(tail, 4, 5);
  CHECK(tail.find(4)->term == 5);
}

TEST_CASE("it counts the bytes that it holds") {
  LogTail tail;
  tail.reset(0, 0);
  fill(tail, 10, 1);
  CHECK(tail.bytes_behind(0) == 100);
  CHECK(tail.bytes_behind(4) == 60);
  CHECK(tail.bytes_behind(10) == 0);
  tail.drop(7);
  CHECK(tail.bytes_behind(0) == 30);
  CHECK(tail.bytes_behind(8) == 20);
  tail.truncate(9);
  CHECK(tail.bytes_behind(0) == 10);
  fill(tail, 9, 2);
  CHECK(tail.bytes_behind(0) == 20);
  tail.drop(9);
  CHECK(tail.bytes_behind(0) == 0);
  tail.append({10, 2, 2, nullptr});
  CHECK(tail.bytes_behind(9) == 0);
}

TEST_SUITE_END();

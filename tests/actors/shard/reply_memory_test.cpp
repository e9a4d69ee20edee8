#include "actors/shard/reply_memory.hpp"

#include <doctest/doctest.h>

namespace troupe::actors {
namespace {

MessageId id_of(std::uint64_t number) {
  MessageId id;
  id.low = number;
  return id;
}

ReplyKey key_of(std::uint64_t number) {
  return ReplyKey::of("entity", "caller", "Method", id_of(number));
}

void add(ReplyMemory& memory, std::uint64_t number) {
  memory.add(key_of(number), RequestDigest::of("request"), "reply", 1'000);
}

TEST_CASE("replies in the file leave memory a few at a time, those that wait for it stay") {
  ReplyMemory memory;
  memory.reset(1'000);
  for (std::uint64_t number = 0; number < 100; ++number) add(memory, number);
  memory.proposed(5);
  add(memory, 1'000);
  memory.proposed(6);
  memory.applied(5);
  CHECK(memory.size() == 101);
  add(memory, 1'001);
  CHECK(memory.size() == 100);  // one more, two fewer
  memory.tidy(10);
  CHECK(memory.size() == 90);
  memory.tidy(1'000);
  CHECK(memory.size() == 2);
  CHECK(memory.find(key_of(1'000)));
  CHECK(memory.find(key_of(1'001)));
  CHECK_FALSE(memory.find(key_of(7)));
}

TEST_CASE(
    "what a failed batch kept is forgotten, what is in the file already is not touched by it") {
  ReplyMemory memory;
  memory.reset(1'000);
  add(memory, 1);
  memory.proposed(5);
  add(memory, 2);
  memory.proposed(6);
  add(memory, 3);
  memory.applied(5);
  memory.drop_from(6);
  memory.drop_open();
  CHECK(memory.find(key_of(1)));
  CHECK_FALSE(memory.find(key_of(2)));
  CHECK_FALSE(memory.find(key_of(3)));
  memory.tidy(10);
  CHECK(memory.size() == 0);
}

}  // namespace
}  // namespace troupe::actors

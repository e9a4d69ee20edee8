// Messages between replicas, as bytes.
#include <doctest/doctest.h>

#include "cluster/replication/raft_codec.hpp"
#include "tests/cluster/replication/world.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;

TEST_SUITE_BEGIN("raft codec");

namespace {

const std::vector<std::uint8_t> every_type{ENGINE_APPEND_ENTRIES,
                                           ENGINE_APPEND_ENTRIES_RESULT,
                                           ENGINE_REQUEST_VOTE,
                                           ENGINE_REQUEST_VOTE_RESULT,
                                           ENGINE_INSTALL_SNAPSHOT,
                                           ENGINE_TIMEOUT_NOW,
                                           RAFT_CONFIRM,
                                           RAFT_CONFIRMED,
                                           RAFT_FETCH,
                                           RAFT_CHUNK,
                                           RAFT_SLEEP,
                                           RAFT_ASLEEP,
                                           RAFT_JOIN,
                                           RAFT_REMOVED};

std::string some_bytes(runtime::Random& dice, std::uint64_t max) {
  std::string bytes(dice.between(0, max), '\0');
  for (char& byte : bytes) byte = static_cast<char>(dice.next());
  return bytes;
}

RaftMessage some_message(std::uint8_t type, runtime::Random& dice) {
  RaftMessage message;
  message.group = dice.next();
  message.from = dice.between(1, 1000);
  message.to = dice.between(1001, 2000);
  EngineMessage& head = message.head;
  head.type = type;
  head.term = dice.between(1, 1u << 30);
  switch (type) {
    case ENGINE_APPEND_ENTRIES: {
      head.append.prev_index = dice.between(0, 1u << 30);
      head.append.prev_term = dice.between(0, 1u << 30);
      head.append.commit = dice.next();
      const std::uint64_t count = dice.between(0, 5);
      for (std::uint64_t i = 1; i <= count; ++i)
        message.entries.push_back({head.append.prev_index + i, dice.next(),
                                   static_cast<std::uint8_t>(dice.between(1, 3)),
                                   dice.between(0, 1) ? bytes(some_bytes(dice, 200)) : nullptr});
      break;
    }
    case ENGINE_APPEND_ENTRIES_RESULT:
      head.append_result.rejected = dice.next();
      head.append_result.last_index = dice.next();
      message.lacks_room = dice.between(0, 1);
      message.part_done = dice.next();
      break;
    case ENGINE_REQUEST_VOTE:
      head.vote.last_index = dice.next();
      head.vote.last_term = dice.next();
      head.vote.disrupt_leader = dice.between(0, 1);
      head.vote.pre_vote = dice.between(0, 1);
      break;
    case ENGINE_REQUEST_VOTE_RESULT:
      head.vote_result.granted = dice.between(0, 1);
      head.vote_result.pre_vote = dice.between(0, 1);
      break;
    case ENGINE_INSTALL_SNAPSHOT:
      head.snapshot.last_index = dice.next();
      head.snapshot.last_term = dice.next();
      head.snapshot.configuration_index = dice.next();
      message.configuration = some_bytes(dice, 100);
      break;
    case ENGINE_TIMEOUT_NOW:
      head.timeout_now.last_index = dice.next();
      head.timeout_now.last_term = dice.next();
      break;
    case RAFT_JOIN:
      message.to = 0;
      message.head.term = dice.between(0, 3);
      message.round = dice.next();
      break;
    case RAFT_FETCH:
      message.chunk.copy = dice.next();
      message.chunk.offset = dice.next();
      break;
    case RAFT_CHUNK:
      message.chunk = {dice.between(1, 99),        10, 1000, dice.next(), dice.next(), dice.next(),
                       "x" + some_bytes(dice, 500)};
      message.configuration = some_bytes(dice, 100);
      break;
    default:
      message.round = dice.next();
  }
  return message;
}

}  // namespace

TEST_CASE("what was encoded is decoded, every type of message with every field") {
  Pump pump;
  FakePlatform platform(pump, 1);
  for (const std::uint8_t type : every_type) {
    for (int i = 0; i < 50; ++i) {
      const RaftMessage sent = some_message(type, platform.random());
      const auto received = decode(encode(sent));
      REQUIRE(received);
      CHECK(received->group == sent.group);
      CHECK(received->from == sent.from);
      CHECK(received->to == sent.to);
      CHECK(received->head.type == type);
      CHECK(received->head.peer == sent.from);
      CHECK(received->head.term == sent.head.term);
      CHECK(received->configuration == sent.configuration);
      CHECK(received->round == sent.round);
      CHECK(received->chunk.bytes == sent.chunk.bytes);
      REQUIRE(received->entries.size() == sent.entries.size());
      for (std::size_t e = 0; e < sent.entries.size(); ++e) {
        CHECK(received->entries[e].index == sent.entries[e].index);
        CHECK(received->entries[e].term == sent.entries[e].term);
        CHECK(received->entries[e].type == sent.entries[e].type);
        REQUIRE(!received->entries[e].payload == !sent.entries[e].payload);
        if (sent.entries[e].payload)
          CHECK(*received->entries[e].payload == *sent.entries[e].payload);
      }
      CHECK(encode(*received) == encode(sent));  // the fields of its type
    }
  }
}

TEST_CASE("bytes that are cut, changed or made up are a clean error or another message") {
  std::uint64_t refused = 0;
  std::uint64_t taken = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Pump pump;
    FakePlatform platform(pump, seed);
    runtime::Random& dice = platform.random();
    for (int i = 0; i < 100; ++i) {
      std::string bytes =
          encode(some_message(every_type[dice.between(0, every_type.size() - 1)], dice));
      switch (dice.between(0, 3)) {
        case 0:
          bytes.resize(dice.between(0, bytes.size()));
          break;
        case 1:
          for (std::uint64_t n = dice.between(1, 4); n > 0; --n)
            bytes[dice.between(0, bytes.size() - 1)] ^= static_cast<char>(dice.between(1, 255));
          break;
        case 2:
          bytes.insert(dice.between(0, bytes.size()), some_bytes(dice, 20));
          break;
        default:
          bytes = some_bytes(dice, 100);
      }
      const auto message = decode(bytes);
      if (!message) {
        ++refused;
        REQUIRE(message.error().reason == "RAFT_MESSAGE_MALFORMED");
        continue;
      }
      ++taken;
      // What was taken is sound: it can be sent on, and comes back the same.
      REQUIRE(message->from != 0);
      const bool newcomer = message->head.type == RAFT_JOIN;
      REQUIRE((message->to == 0) == newcomer);
      REQUIRE((message->head.term != 0 || newcomer));
      const auto again = decode(encode(*message));
      REQUIRE(again);
      REQUIRE(encode(*again) == encode(*message));
    }
  }
  CHECK(refused > 3000);
  CHECK(taken > 300);
}

TEST_CASE("messages that nobody could have sent are refused, and say why") {
  Pump pump;
  FakePlatform platform(pump, 1);
  const auto refused = [&](std::uint8_t type, const std::function<void(RaftMessage&)>& spoil) {
    RaftMessage message = some_message(type, platform.random());
    spoil(message);
    const auto received = decode(encode(message));
    return !received && received.error().reason == "RAFT_MESSAGE_MALFORMED";
  };
  CHECK(refused(RAFT_CONFIRM, [](auto& message) { message.from = 0; }));
  CHECK(refused(RAFT_CONFIRM, [](auto& message) { message.to = 0; }));
  CHECK(refused(RAFT_CONFIRM, [](auto& message) { message.to = message.from; }));
  CHECK(refused(RAFT_CONFIRM, [](auto& message) { message.head.term = 0; }));
  CHECK(refused(RAFT_CONFIRM, [](auto& message) { message.head.type = 99; }));
  CHECK(refused(RAFT_JOIN, [](auto& message) { message.to = 5; }));
  CHECK(refused(RAFT_JOIN, [](auto& message) { message.from = 0; }));
  CHECK(refused(ENGINE_APPEND_ENTRIES, [](auto& message) {
    message.entries.assign(1, {1, 1, 9, nullptr});
  }));
  CHECK(refused(ENGINE_APPEND_ENTRIES,
                [](auto& message) { message.head.append.prev_index = ~std::uint64_t{0}; }));
  CHECK(refused(RAFT_CHUNK, [](auto& message) { message.chunk.copy = 0; }));
  CHECK(refused(RAFT_CHUNK, [](auto& message) { message.chunk.offset = 1001; }));
  CHECK(refused(RAFT_CHUNK, [](auto& message) { message.chunk.file_bytes = 10; }));
  CHECK(refused(RAFT_CHUNK, [](auto& message) { message.chunk.bytes.clear(); }));
  CHECK_FALSE(refused(RAFT_CHUNK, [](auto&) {}));
}

TEST_SUITE_END();

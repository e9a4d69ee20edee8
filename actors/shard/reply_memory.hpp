// Reply once: what a shard remembers, in memory, of the commands that ran.
//
// Three layers answer "did this command run?", cheapest first:
//  1. Replies of batches that are not yet in the shard file are here, by id.
//  2. An id that carries its time and is younger than `horizon` plus the clocks' tolerance is in
//     the recent set if it ever ran, so that a fresh command needs no look at the file. This holds
//     because no command runs whose id is ahead of shard time by more than the tolerance: one that
//     ran before the horizon has an id that is at most so much younger.
//  3. Otherwise the shard file knows; the caller asks it.
//
// Belongs to the shard's actor.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "actors/message_id.hpp"
#include "actors/shard/id_set.hpp"
#include "runtime/storage/ids.hpp"

namespace troupe::actors {

// Names caller, method and message id within an entity: 128 bits of XXH3, of which an id that
// carries its time takes the first 48. The key of a REPLY row.
struct ReplyKey {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  static ReplyKey of(std::string_view entity, std::string_view caller, std::string_view method,
                     const MessageId& id);
  std::string row() const;  // 16 bytes, big-endian; without the entity, which leads the row's key
  // The low half as written by row(), for sets of what a file holds.
  static std::uint64_t low_of_row(std::string_view row);
  friend bool operator==(const ReplyKey&, const ReplyKey&) = default;
};

// 128 bits of XXH3 over a request: tells a retry from another command under the same id.
struct RequestDigest {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  static RequestDigest of(std::string_view payload);
  friend bool operator==(const RequestDigest&, const RequestDigest&) = default;
};

class ReplyMemory {
 public:
  struct Kept {
    RequestDigest digest;
    std::string reply;
    runtime::LogIndex batch = 0;  // 0: in the open batch
  };

  // `now_ms`: shard time at the start; nothing is known of what ran before.
  void reset(std::int64_t now_ms);

  // Null: not among the replies that wait for the file.
  const Kept* find(const ReplyKey& key) const;

  // How far an id may be ahead of the shard time at which its command runs. Milliseconds.
  static constexpr std::int64_t clock_tolerance_ms = 10'000;

  // The command cannot have run: layer 2 says so. Only for ids that carry their time.
  bool surely_new(const ReplyKey& key, const MessageId& id) const;

  void add(const ReplyKey& key, RequestDigest digest, std::string reply, std::int64_t now_ms);

  // The open batch got its index; its replies are dropped once it is applied, or with it.
  void proposed(runtime::LogIndex batch);
  // Thousands of replies become superfluous at once. They are dropped a few with each command, so
  // that no command waits for all of them; tidy() does it where no command comes.
  void applied(runtime::LogIndex up_to);
  void tidy(std::size_t replies_max);
  // Batches that failed: their commands count as not run.
  void drop_open();
  void drop_from(runtime::LogIndex first);

  std::size_t size() const { return kept_.size(); }

 private:
  struct Hash {
    std::size_t operator()(const ReplyKey& key) const { return key.low; }
  };
  struct BatchKeys {
    runtime::LogIndex batch;
    std::vector<ReplyKey> keys;
  };
  void forget(const std::vector<ReplyKey>& keys);

  std::unordered_map<ReplyKey, Kept, Hash> kept_;
  std::vector<ReplyKey> open_;
  std::deque<BatchKeys> batches_;
  std::deque<std::vector<ReplyKey>> stale_;  // of batches that are in the file; none is empty
  // Two generations of the ids that ran; the older one is dropped when the younger is full of time.
  IdSet recent_[2];
  std::int64_t horizon_ms_ = 0;  // everything that ran since is in recent_
  std::int64_t generation_start_ms_ = 0;
};

}  // namespace troupe::actors

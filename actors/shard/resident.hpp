// The entities that a shard holds in memory, in the order of their last use.
//
// Belongs to the shard's actor. Nothing iterates the hash table: order comes from the list, so that
// behaviour does not depend on hashing (architecture.md, Determinism).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "actors/entity.hpp"
#include "actors/request.hpp"
#include "runtime/storage/ids.hpp"

namespace troupe::actors {

struct Resident {
  std::string key;
  runtime::Bucket bucket = 0;
  // Loading, or waiting for a page of its history or a stored reply: requests gather in `waiting`.
  bool busy = true;
  bool in_open_batch = false;          // a command of the open batch saw it
  bool changed_in_batch = false;       // ... and changed it
  bool exists = false;                 // has a state row
  bool replies_complete = false;       // `replies` holds every reply row of the entity
  std::unique_ptr<Entity> entity;      // null while it is loaded for the first time
  std::uint64_t version = 0;           // see Reply::version
  std::uint64_t last_event = 0;        // sequence number of its newest event
  runtime::LogIndex last_batch = 0;    // newest proposed batch that touched it
  std::vector<std::uint64_t> replies;  // low halves of the ids of its reply rows, see ReplyKey
  std::vector<RequestPtr> waiting;
  MonotonicTime last_used{};
  std::uint64_t bytes = 0;    // estimate, counted in Residents::bytes()
  Resident* older = nullptr;  // list by last use
  Resident* newer = nullptr;
};

class Residents {
 public:
  Residents() = default;
  Residents(const Residents&) = delete;
  Residents& operator=(const Residents&) = delete;

  Resident* find(std::string_view key);
  Resident& add(std::string key, runtime::Bucket bucket, MonotonicTime now);
  void touch(Resident& resident, MonotonicTime now);
  void set_bytes(Resident& resident, std::uint64_t bytes);
  void remove(Resident& resident);  // the reference is dead afterwards

  Resident* oldest() const { return oldest_; }
  std::size_t size() const { return by_key_.size(); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const {
      return std::hash<std::string_view>{}(key);
    }
  };
  void unlink(Resident& resident);
  void link_newest(Resident& resident);

  // The string_view is the Resident's own key.
  std::unordered_map<std::string_view, std::unique_ptr<Resident>, Hash> by_key_;
  Resident* oldest_ = nullptr;
  Resident* newest_ = nullptr;
  std::uint64_t bytes_ = 0;
};

}  // namespace troupe::actors

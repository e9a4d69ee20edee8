// What a shard tells about itself to whoever asks (`troupe shards`, metrics), without a message to
// its actor: written by the shard, read from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "actors/shard/consensus.hpp"

namespace troupe::actors {

class ShardVitals {
 public:
  struct Snapshot {
    // "opening", "recovering", "serving", "following", "refusing", "stopping"
    std::string state = "opening";
    std::string problem;  // why it refuses; empty: nothing
    Consensus::Status consensus;
    std::uint64_t applied = 0;
    std::uint64_t checkpointed = 0;
    std::uint64_t entities_stored = 0;
    std::uint64_t entities_resident = 0;
    std::uint64_t quarantined = 0;
    std::uint64_t file_bytes = 0;   // the shard file with its WAL
    std::uint64_t split_token = 0;  // of the split that it came of (wire::ShardRange); 0: of none
  };

  void set(Snapshot snapshot) {
    const std::lock_guard guard{mutex_};
    snapshot_ = std::move(snapshot);
  }
  Snapshot get() const {
    const std::lock_guard guard{mutex_};
    return snapshot_;
  }

  std::string leader() const {
    const std::lock_guard guard{mutex_};
    return snapshot_.consensus.leader;
  }

  // Since the node started.
  std::atomic<std::uint64_t> commands{0};
  std::atomic<std::uint64_t> reads{0};
  std::atomic<std::uint64_t> stale_reads{0};  // apart from `reads`
  std::atomic<std::uint64_t> late{0};         // calls whose time was over before they ran
  std::atomic<std::uint64_t> errors{0};
  std::atomic<std::uint64_t> repeated{0};
  std::atomic<std::uint64_t> exceptions{0};
  // Time that the shard's actor was at work, which is no more than its part of what the process
  // used.
  std::atomic<std::int64_t> busy_ns{0};

  // The handler that runs now: its method's place in the contract, and since when by the monotonic
  // clock, in ns; 0: none runs.
  std::atomic<std::uint32_t> handler{0};
  std::atomic<std::int64_t> handler_since_ns{0};

 private:
  mutable std::mutex mutex_;
  Snapshot snapshot_;
};

}  // namespace troupe::actors

// Limits and windows of one shard. The manifest's [services."..."] section sets them; these are the
// defaults. All times are in shard time unless a comment says otherwise.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "runtime/time.hpp"

namespace troupe::actors {

// Shard time counts in whole milliseconds.
inline std::int64_t to_milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

struct ShardOptions {
  // A batch is proposed when it holds this much, or when nothing else waits in the mailbox.
  std::size_t batch_bytes_max = 256u << 10;
  std::size_t batch_commands_max = 1024;
  // Batches proposed and not yet committed; beyond it commands gather in the next batch.
  std::size_t batches_in_flight_max = 4;

  // Committed rows are applied to the shard file at the latest when there are this many of them, or
  // when the oldest has waited this long (monotonic time).
  std::size_t apply_rows_max = 20'000;
  Duration apply_delay_max = std::chrono::milliseconds{500};
  // Committed bytes that may wait for the shard file; beyond it commands wait, too. Some seconds of
  // the most that a shard does: a checkpoint takes that long.
  std::size_t unapplied_bytes_max = 16u << 20;
  // The file is checkpointed when its WAL has grown past this.
  std::uint64_t checkpoint_wal_bytes = 64ull << 20;
  // ... or when this many entries are in the file and not in a checkpoint.
  std::uint64_t checkpoint_entries = 50'000;
  std::uint64_t page_cache_bytes = 16ull << 20;

  // How long a command's reply is kept: ids that carry their time, and clients' Idempotency-Keys.
  Duration reply_window = std::chrono::minutes{10};
  Duration idempotency_window = std::chrono::hours{24};

  // Beyond this age of its rows a replica refuses reads that may be stale.
  Duration stale_age_max = std::chrono::hours{1};

  // An entity leaves memory after this long without a message (monotonic time), or earlier, least
  // recently used first, when the shard's entities exceed the memory bound.
  Duration passivate_after = std::chrono::minutes{5};
  std::uint64_t resident_bytes_max = 256ull << 20;

  // A key whose handlers threw this often within the period is quarantined: refused for
  // quarantine_first, doubling up to quarantine_max while it keeps failing (monotonic time).
  unsigned quarantine_failures = 3;
  Duration quarantine_period = std::chrono::seconds{60};
  Duration quarantine_first = std::chrono::seconds{1};
  Duration quarantine_max = std::chrono::seconds{60};

  // Requests that may wait for a loading entity, a full batch or the shard's start.
  std::size_t waiting_max = 20'000;
  // The longest page that history() returns.
  std::size_t history_page_max = 1000;

  friend bool operator==(const ShardOptions&, const ShardOptions&) = default;
};

}  // namespace troupe::actors

// Names one command, so that sending it again does not do it again.
//
// An id made by us is a UUID version 7 (RFC 9562): 48 bits of Unix milliseconds, then random bits.
// Its time lets a shard refuse one that is older than the window in which replies are kept, and
// know without a look at the disk that a fresh one never ran. An id made from a client's
// Idempotency-Key is a hash and says no time.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/platform/random.hpp"
#include "runtime/time.hpp"

namespace troupe::actors {

struct MessageId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool timed = false;   // `high` begins with Unix milliseconds
  bool client = false;  // made by from_key(): its reply is kept for the longer window

  static MessageId make(WallTime now, runtime::Random& random);

  // From an Idempotency-Key. One that is itself a UUID version 7 keeps its time.
  static MessageId from_key(std::string_view key);

  // Unix milliseconds; only if `timed`.
  std::int64_t time_ms() const { return static_cast<std::int64_t>(high >> 16); }

  friend bool operator==(const MessageId&, const MessageId&) = default;
};

}  // namespace troupe::actors

// How long a client that goes on sending, though it was told to come later (429), is left unread.
//
// To say no costs about as much as to read: clients that do not wait, many of them or a few that
// are fast, could take the processors from what was let in. Up to so many refusals a second nobody
// is left unread; beyond, clients that were refused twice in a row wait a little before their next
// request is read, all of them for the same time, which doubles until the number is kept and halves
// when it is. TCP then holds back what they send.
//
// Any thread. On one thread it is deterministic.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtime/time.hpp"

namespace troupe::cluster {

class RefusalPace {
 public:
  explicit RefusalPace(std::uint32_t refusals_max) : refusals_max_{refusals_max} {}

  static constexpr Duration hold_shortest = std::chrono::milliseconds{5};
  static constexpr Duration hold_longest = std::chrono::seconds{1};

  // Counts a refusal. Returns for how long the one who got it is to be left unread if the answer
  // before was a refusal, too.
  Duration refused(MonotonicTime now);

 private:
  const std::uint32_t refusals_max_;  // a second
  std::atomic<std::int64_t> window_begin_ns_{0};
  std::atomic<std::int64_t> refusals_{0};  // since then
  std::atomic<std::int64_t> hold_ns_{0};
};

}  // namespace troupe::cluster

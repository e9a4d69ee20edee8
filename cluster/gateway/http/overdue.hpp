// Calls that are not answered although their time is over. A call that waits gives up by itself
// then; one that does not hangs in a handler that does not end, or waits for a shard that is held
// by one. Its client is answered, and the log told, by the threads of the edge: those of actors may
// all be held.
#pragma once

#include <string_view>

#include "runtime/platform/platform.hpp"
#include "runtime/seldom.hpp"

namespace troupe::cluster {

// After the time of a call.
inline constexpr Duration overdue_after = std::chrono::seconds{1};

// DEADLINE_EXCEEDED / CALL_TIMEOUT.
Error answer_overdue();

// Any thread.
class OverdueLog {
 public:
  explicit OverdueLog(runtime::Platform& platform) : platform_(platform) {}

  // Names the call, unless another one was named within ten seconds.
  void say(std::string_view call);

 private:
  runtime::Platform& platform_;
  runtime::Seldom seldom_{std::chrono::seconds{10}};
};

}  // namespace troupe::cluster

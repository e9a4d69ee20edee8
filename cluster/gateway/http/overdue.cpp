#include "cluster/gateway/http/overdue.hpp"

namespace troupe::cluster {
namespace {

constexpr auto say_overdue_every = std::chrono::seconds{10};

}  // namespace

Error answer_overdue() {
  return deadline_exceeded("CALL_TIMEOUT",
                           "the call was not answered in time; it may have run, or still run");
}

void OverdueLog::say(std::string_view call) {
  {
    const std::lock_guard lock{mutex_};
    const auto now = platform_.clock().now();
    if (said_ && now - *said_ < say_overdue_every) return;
    said_ = now;
  }
  platform_.log().warn("gateway.call_overdue",
                       "a call hangs; its client was told that its time is over. 'troupe status' "
                       "names handlers that do not end",
                       {{"call", call}});
}

}  // namespace troupe::cluster

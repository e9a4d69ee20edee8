#include "cluster/gateway/http/overdue.hpp"

namespace troupe::cluster {
Error answer_overdue() {
  return deadline_exceeded("CALL_TIMEOUT",
                           "the call was not answered in time; it may have run, or still run");
}

void OverdueLog::say(std::string_view call) {
  if (!seldom_.due(platform_.clock().now())) return;
  platform_.log().warn("gateway.call_overdue",
                       "a call hangs; its client was told that its time is over. 'troupe status' "
                       "names handlers that do not end",
                       {{"call", call}});
}

}  // namespace troupe::cluster

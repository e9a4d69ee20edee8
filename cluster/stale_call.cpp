#include "cluster/stale_call.hpp"

#include <algorithm>
#include <utility>

#include "runtime/rehearsal/marks.hpp"

namespace troupe::cluster {

namespace {

// Said by a replica, or of it, that another one may be asked.
bool cannot_read(const Error& why) {
  return is_one_of(
      why, {"STALE_READ_TOO_OLD", "LINK_FULL", "SHARD_OVERLOADED", "DISK_IO", "OUT_OF_MEMORY"});
}

}  // namespace

StaleCall::StaleCall(Router& router, const Router::ServiceRoute& service, runtime::Bucket bucket,
                     actors::CallBase call, actors::CallOptions options, MonotonicTime deadline,
                     actors::ReplyTo reply_to)
    : OutgoingCall(router, service, bucket, std::move(call), std::move(options), deadline,
                   std::move(reply_to), true),
      give_up_at_(router_.platform_.clock().now() + router_.options_.leaderless_max) {
  choose_first();
}

void StaleCall::choose_first() {
  const auto here = std::ranges::find(*nodes_, router_.options_.node);
  first_ = here != nodes_->end() ? static_cast<std::size_t>(here - nodes_->begin())
                                 : bucket_ % nodes_->size();
}

StaleCall::~StaleCall() {
  if (!answered()) answer(unavailable("SHARD_UNAVAILABLE", "the node stops; read at another one"));
}

std::string StaleCall::choose() {
  return (*nodes_)[(first_ + turn_) % nodes_->size()];
}

// Whatever a replica says that could read is the answer; that it cannot is no answer yet.
void StaleCall::came(const std::string&, Result<actors::Reply> reply, const std::string&) {
  if (reply || (!try_again(reply.error()) && !cannot_read(reply.error())))
    return answer(std::move(reply));
  TROUPE_SOMETIMES("a read that may be stale was passed on to another replica");
  too_old_ = too_old_ || reply.error().reason == "STALE_READ_TOO_OLD";
  if (++turn_ < nodes_->size()) return attempt();
  turn_ = 0;
  const MonotonicTime next = router_.platform_.clock().now() + pause_;
  if (too_old_ || next >= std::min(give_up_at_, deadline_) || !attempt_later())
    give_up(std::move(reply).error());
}

void StaleCall::give_up(Error last) {
  if (last.code == Code::deadline_exceeded ||
      (last.code != Code::unavailable && !is_unknown(last) && !too_old_))
    return answer(std::move(last));
  Error why = unavailable(
      too_old_ ? "STALE_READ_TOO_OLD" : "NO_REPLICA",
      "none of " + std::to_string(nodes_->size()) +
          " replicas of the key's shard answers reads. 'troupe shards' shows which are missing. "
          "The last one asked said " +
          last.describe());
  why.retry_after = std::chrono::seconds{1};
  answer(std::move(why));
}

}  // namespace troupe::cluster

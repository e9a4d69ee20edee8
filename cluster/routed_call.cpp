#include "cluster/routed_call.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "runtime/rehearsal/marks.hpp"

namespace troupe::cluster {
namespace {

// Leaders that name each other are both wrong: an election is under way.
constexpr std::uint32_t hints_max = 3;

// Said before anybody has looked whether the command has run: by an earlier attempt it may have.
bool before_the_id(const Error& why) {
  return is_one_of(why, {"LINK_FULL", "SHARD_OVERLOADED", "ENTITY_QUARANTINED", "DISK_FULL"});
}

}  // namespace

RoutedCall::RoutedCall(Router& router, const Router::ServiceRoute& service, runtime::Bucket bucket,
                       actors::CallBase call, actors::CallOptions options, MonotonicTime deadline,
                       actors::ReplyTo reply_to)
    : OutgoingCall(router, service, bucket, std::move(call), std::move(options), deadline,
                   std::move(reply_to), false) {}

RoutedCall::~RoutedCall() {
  if (!answered())
    answer(unavailable("OUTCOME_UNKNOWN",
                       "the node stops; the command may or may not have run; send it again with "
                       "the same message id"));
}

std::string RoutedCall::choose() {
  if (!hint_.empty()) return std::exchange(hint_, {});
  if (turn_ > 0) return (*nodes_)[turn_ % nodes_->size()];
  std::string found;
  std::string told_then;
  bool here = false;
  {
    const std::lock_guard guard{route_->mutex};
    found = route_->leader;
    told_then = route_->told;
    here = route_->leader_as_told != nullptr;
  }
  if (here && found != router_.options_.node) {
    const std::string told = Router::told_leader(*route_);
    if (!told.empty() && (found.empty() || told != told_then)) return told;
  }
  return found.empty() ? nodes_->front() : found;
}

void RoutedCall::came(const std::string& node, Result<actors::Reply> reply,
                      const std::string& leader) {
  if (reply || !try_again(reply.error())) {
    // A refusal by a shard that runs is an answer like any other.
    if (reply) {
      remember(node);
    } else if (reply.error().code == Code::deadline_exceeded) {
      may_have_run_ = may_have_run_ || !not_run(reply.error());
      return give_up(std::move(reply).error());
    } else if (before_the_id(reply.error())) {
      return give_up(std::move(reply).error());
    }
    return answer(std::move(reply));
  }
  Error why = std::move(reply).error();
  may_have_run_ = may_have_run_ || !not_run(why);
  {
    const std::lock_guard guard{route_->mutex};
    if (route_->leader == node) route_->leader.clear();
  }
  if (why.reason == "BUCKET_MOVED" && &service_.owner(bucket_) != route_) return attempt();
  if (leaderless(leader)) return give_up(std::move(why));
  const bool follow = !leader.empty() && leader != node && ++hints_ <= hints_max;
  if (follow) {
    TROUPE_SOMETIMES("a call followed a hint to the leader");
    hint_ = leader;
    return attempt();
  }
  again(leader);
}

void RoutedCall::remember(const std::string& leader) {
  std::unique_lock guard{route_->mutex};
  route_->leaderless_since = MonotonicTime::max();
  if (route_->leader == leader && attempts_ == 1) return;
  route_->leader = leader;
  if (!route_->leader_as_told) return;
  guard.unlock();
  std::string told = Router::told_leader(*route_);
  guard.lock();
  route_->told = std::move(told);
}

// Whether to stop asking: nobody leads, for so long that no election explains it.
bool RoutedCall::leaderless(const std::string& leader) {
  const MonotonicTime now = router_.platform_.clock().now();
  const std::lock_guard guard{route_->mutex};
  if (!leader.empty()) {
    route_->leaderless_since = MonotonicTime::max();
    return false;
  }
  route_->leaderless_since = std::min(route_->leaderless_since, now);
  const bool round_over = turn_ + 1 >= nodes_->size();
  return round_over && now - route_->leaderless_since >= router_.options_.leaderless_max;
}

void RoutedCall::again(const std::string& leader) {
  hints_ = 0;
  turn_ += leader.empty() ? 1 : 0;
  if (!attempt_later())
    give_up(unavailable("SHARD_UNAVAILABLE", "the node has not started or stops"));
}

void RoutedCall::give_up(Error last) {
  const bool command = !call_.service->methods[call_.method].read_only;
  if (command && may_have_run_) {
    Error why = unavailable(
        "OUTCOME_UNKNOWN",
        "the command may or may not have run; send it again with the same message id. The last "
        "attempt of " +
            std::to_string(attempts_) + " ended with " + last.describe());
    why.retry_after = std::chrono::seconds{1};
    return answer(std::move(why));
  }
  if ((last.code == Code::unavailable || is_unknown(last)) && !before_the_id(last)) {
    TROUPE_SOMETIMES("a call was refused because nobody leads");
    Error why = unavailable(
        "NO_LEADER", "no replica of the key's shard leads: a majority of " +
                         std::to_string(nodes_->size()) +
                         " is needed. 'troupe shards' shows which are missing. The last attempt "
                         "ended with " +
                         last.describe());
    why.retry_after = std::chrono::seconds{1};
    return answer(std::move(why));
  }
  answer(std::move(last));
}

}  // namespace troupe::cluster

#include "cluster/routed_call.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "cluster/command_codec.hpp"
#include "runtime/rehearsal/marks.hpp"

namespace troupe::cluster {
namespace {

// Leaders that name each other are both wrong: an election is under way.
constexpr std::uint32_t hints_max = 3;

bool is_one_of(const Error& why, std::initializer_list<std::string_view> reasons) {
  return std::ranges::find(reasons, why.reason) != reasons.end();
}

// Of the mesh or a replica: the call did not run by this attempt.
bool not_run(const Error& why) {
  return is_one_of(why, {"LINK_DOWN", "UNKNOWN_PEER", "CALL_LATE", "DEADLINE_EXCEEDED",
                         "NOT_LEADING", "REPLICA_ABSENT", "REPLICA_DISK_FULL", "SHARD_UNAVAILABLE",
                         "SHARD_NOT_HERE", "SHARD_STARTING", "SHARD_STOPPING"});
}

// Another replica, or this one later, may answer otherwise. Everything else is said by the shard
// that leads: that a key is quarantined, or an id ahead of the clock, no other replica changes.
bool try_again(const Error& why) {
  return why.code == Code::unavailable &&
         (not_run(why) || is_one_of(why, {"LINK_LOST", "CALL_DROPPED", "OUTCOME_UNKNOWN"}));
}

}  // namespace

RoutedCall::RoutedCall(Router& router, Router::ShardRoute& route, runtime::Bucket bucket,
                       actors::CallBase call, actors::CallOptions options, MonotonicTime deadline,
                       actors::ReplyTo reply_to)
    : router_(router),
      route_(route),
      bucket_(bucket),
      call_(std::move(call)),
      options_(std::move(options)),
      deadline_(deadline),
      reply_to_(std::move(reply_to)),
      pause_(router.options_.pause_first) {
  route_.in_flight.fetch_add(1, std::memory_order_relaxed);
}

RoutedCall::~RoutedCall() {
  if (reply_to_)
    answer(unavailable("OUTCOME_UNKNOWN",
                       "the node stops; the command may or may not have run; send it again with "
                       "the same message id"));
}

void RoutedCall::answer(Result<actors::Reply> reply) {
  route_.in_flight.fetch_sub(1, std::memory_order_relaxed);
  std::exchange(reply_to_, nullptr)(std::move(reply));
}

std::string RoutedCall::choose() {
  if (!hint_.empty()) return std::exchange(hint_, {});
  if (turn_ > 0) return route_.nodes[turn_ % route_.nodes.size()];
  std::string found;
  std::string told_then;
  {
    const std::lock_guard guard{route_.mutex};
    found = route_.leader;
    told_then = route_.told;
  }
  if (route_.here && found != router_.options_.node) {
    const std::string told = Router::told_leader(route_);
    if (!told.empty() && (found.empty() || told != told_then)) return told;
  }
  return found.empty() ? route_.nodes.front() : found;
}

void RoutedCall::attempt() {
  if (router_.platform_.clock().now() >= deadline_) return give_up(Router::late(route_));
  ++attempts_;
  const std::string node = choose();
  auto self = shared_from_this();
  if (node == router_.options_.node)
    return router_.deliver(
        route_, call_, options_, bucket_, deadline_, {}, [self, node](Result<actors::Reply> reply) {
          const std::string leader = reply ? std::string{} : Router::told_leader(self->route_);
          self->came(node, std::move(reply), leader);
        });
  TROUPE_SOMETIMES("a call went to another node");
  router_.reach_(node, encode_command(call_, options_, attempts_), deadline_,
                 [self, node](Result<std::string> bytes) {
                   if (!bytes) return self->came(node, std::move(bytes).error(), {});
                   RemoteReply remote = decode_reply(*bytes);
                   self->came(node, std::move(remote.reply), remote.leader);
                 });
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
    }
    return answer(std::move(reply));
  }
  Error why = std::move(reply).error();
  may_have_run_ = may_have_run_ || !not_run(why);
  {
    const std::lock_guard guard{route_.mutex};
    if (route_.leader == node) route_.leader.clear();
  }
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
  std::unique_lock guard{route_.mutex};
  route_.leaderless_since = MonotonicTime::max();
  if (route_.leader == leader && attempts_ == 1) return;
  route_.leader = leader;
  if (!route_.here) return;
  guard.unlock();
  std::string told = Router::told_leader(route_);
  guard.lock();
  route_.told = std::move(told);
}

// Whether to stop asking: nobody leads, for so long that no election explains it.
bool RoutedCall::leaderless(const std::string& leader) {
  const MonotonicTime now = router_.platform_.clock().now();
  const std::lock_guard guard{route_.mutex};
  if (!leader.empty()) {
    route_.leaderless_since = MonotonicTime::max();
    return false;
  }
  route_.leaderless_since = std::min(route_.leaderless_since, now);
  const bool round_over = turn_ + 1 >= route_.nodes.size();
  return round_over && now - route_.leaderless_since >= router_.options_.leaderless_max;
}

void RoutedCall::again(const std::string& leader) {
  hints_ = 0;
  turn_ += leader.empty() ? 1 : 0;
  const auto executor = [this] {
    const std::lock_guard guard{router_.mutex_};
    return router_.executor_;
  }();
  if (!executor)
    return give_up(unavailable("SHARD_UNAVAILABLE", "the node has not started or stops"));
  executor->post_after(pause_, [self = shared_from_this()] { self->attempt(); });
  pause_ = std::min(2 * pause_, router_.options_.pause_longest);
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
  if (last.code == Code::unavailable) {
    TROUPE_SOMETIMES("a call was refused because nobody leads");
    Error why = unavailable(
        "NO_LEADER", "no replica of the key's shard leads: a majority of " +
                         std::to_string(route_.nodes.size()) +
                         " is needed. 'troupe shards' shows which are missing. The last attempt "
                         "ended with " +
                         last.describe());
    why.retry_after = std::chrono::seconds{1};
    return answer(std::move(why));
  }
  answer(std::move(last));
}

}  // namespace troupe::cluster

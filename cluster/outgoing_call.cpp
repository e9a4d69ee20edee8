#include "cluster/outgoing_call.hpp"

#include <algorithm>
#include <utility>

#include "cluster/command_codec.hpp"
#include "runtime/rehearsal/marks.hpp"

namespace troupe::cluster {

OutgoingCall::OutgoingCall(Router& router, const Router::ServiceRoute& service,
                           runtime::Bucket bucket, actors::CallBase call,
                           actors::CallOptions options, MonotonicTime deadline,
                           actors::ReplyTo reply_to, bool stale)
    : router_(router),
      service_(service),
      route_(&service.owner(bucket)),
      bucket_(bucket),
      call_(std::move(call)),
      options_(std::move(options)),
      deadline_(deadline),
      nodes_(Router::nodes_of(*route_)),
      pause_(router.options_.pause_first),
      counted_at_(*route_),
      reply_to_(std::move(reply_to)),
      stale_(stale) {
  counted_at_.in_flight.fetch_add(1, std::memory_order_relaxed);
}

void OutgoingCall::answer(Result<actors::Reply> reply) {
  counted_at_.in_flight.fetch_sub(1, std::memory_order_relaxed);
  std::exchange(reply_to_, nullptr)(std::move(reply));
}

void OutgoingCall::attempt() {
  if (router_.platform_.clock().now() >= deadline_) return give_up(Router::late(*route_));
  if (++attempts_ > 1) {
    Router::ShardRoute* const now = &service_.owner(bucket_);
    const bool other = now != std::exchange(route_, now);
    nodes_ = Router::nodes_of(*route_);
    if (other) {
      TROUPE_SOMETIMES("the shard of a key was another at the next attempt");
      turn_ = 0;
      route_changed();
    }
  }
  const std::string node = choose();
  auto self = shared_from_this();
  if (node == router_.options_.node)
    return router_.deliver(*route_, call_, options_, bucket_, deadline_, {.stale = stale_},
                           [self, node](Result<actors::Reply> reply) {
                             const std::string leader =
                                 reply ? std::string{} : Router::told_leader(*self->route_);
                             self->came(node, std::move(reply), leader);
                           });
  TROUPE_SOMETIMES_IF(stale_, "a read that may be stale went to another node");
  TROUPE_SOMETIMES_IF(!stale_, "a call went to another node");
  router_.reach_(node, encode_command(call_, options_, attempts_, stale_), deadline_,
                 [self, node](Result<std::string> bytes) {
                   if (!bytes) return self->came(node, std::move(bytes).error(), {});
                   RemoteReply remote = decode_reply(*bytes);
                   self->came(node, std::move(remote.reply), remote.leader);
                 });
}

bool OutgoingCall::attempt_later() {
  const auto executor = [this] {
    const std::lock_guard guard{router_.mutex_};
    return router_.executor_;
  }();
  if (!executor) return false;
  executor->post_after(pause_, [self = shared_from_this()] { self->attempt(); });
  pause_ = std::min(2 * pause_, router_.options_.pause_longest);
  return true;
}

bool is_one_of(const Error& why, std::initializer_list<std::string_view> reasons) {
  return std::ranges::find(reasons, why.reason) != reasons.end();
}

bool OutgoingCall::not_run(const Error& why) {
  return is_one_of(why, {"LINK_DOWN", "UNKNOWN_PEER", "CALL_LATE", "DEADLINE_EXCEEDED",
                         "NOT_LEADING", "REPLICA_ABSENT", "REPLICA_DISK_FULL", "SHARD_UNAVAILABLE",
                         "SHARD_NOT_HERE", "SHARD_STARTING", "SHARD_STOPPING", "BUCKET_MOVED"});
}

bool OutgoingCall::is_unknown(const Error& why) {
  return why.code == Code::not_found && why.reason == "UNKNOWN_PEER";
}

bool OutgoingCall::try_again(const Error& why) {
  if (is_unknown(why)) return true;
  return why.code == Code::unavailable &&
         (not_run(why) || is_one_of(why, {"LINK_LOST", "CALL_DROPPED", "OUTCOME_UNKNOWN"}));
}

}  // namespace troupe::cluster

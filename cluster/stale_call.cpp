#include "cluster/stale_call.hpp"

#include <algorithm>
#include <utility>

#include "cluster/command_codec.hpp"
#include "runtime/rehearsal/marks.hpp"

namespace troupe::cluster {

StaleCall::StaleCall(Router& router, Router::ShardRoute& route, runtime::Bucket bucket,
                     actors::CallBase call, actors::CallOptions options, MonotonicTime deadline,
                     actors::ReplyTo reply_to)
    : router_(router),
      route_(route),
      bucket_(bucket),
      call_(std::move(call)),
      options_(std::move(options)),
      deadline_(deadline),
      give_up_at_(router.platform_.clock().now() + router.options_.leaderless_max),
      reply_to_(std::move(reply_to)),
      pause_(router.options_.pause_first) {
  const auto here = std::ranges::find(route_.nodes, router_.options_.node);
  first_ = route_.here ? static_cast<std::size_t>(here - route_.nodes.begin())
                       : bucket_ % route_.nodes.size();
  route_.in_flight.fetch_add(1, std::memory_order_relaxed);
}

StaleCall::~StaleCall() {
  if (reply_to_) answer(unavailable("SHARD_UNAVAILABLE", "the node stops; read at another one"));
}

void StaleCall::answer(Result<actors::Reply> reply) {
  route_.in_flight.fetch_sub(1, std::memory_order_relaxed);
  std::exchange(reply_to_, nullptr)(std::move(reply));
}

const std::string& StaleCall::choose() const {
  return route_.nodes[(first_ + turn_) % route_.nodes.size()];
}

void StaleCall::attempt() {
  if (router_.platform_.clock().now() >= deadline_) return answer(Router::late(route_));
  ++attempts_;
  const std::string& node = choose();
  auto self = shared_from_this();
  if (node == router_.options_.node)
    return router_.deliver(route_, call_, options_, bucket_, deadline_, {.stale = true},
                           [self](Result<actors::Reply> reply) { self->came(std::move(reply)); });
  TROUPE_SOMETIMES("a read that may be stale went to another node");
  router_.reach_(node, encode_command(call_, options_, attempts_, true), deadline_,
                 [self](Result<std::string> bytes) {
                   if (!bytes) return self->came(std::move(bytes).error());
                   self->came(decode_reply(*bytes).reply);
                 });
}

// Whatever a replica says that could read is the answer; that it cannot is no answer yet.
void StaleCall::came(Result<actors::Reply> reply) {
  if (reply || reply.error().code != Code::unavailable ||
      reply.error().reason == "ENTITY_QUARANTINED")
    return answer(std::move(reply));
  TROUPE_SOMETIMES("a read that may be stale was passed on to another replica");
  too_old_ = too_old_ || reply.error().reason == "STALE_READ_TOO_OLD";
  if (++turn_ < route_.nodes.size()) return attempt();
  again(std::move(reply).error());
}

void StaleCall::again(Error last) {
  const auto executor = [this] {
    const std::lock_guard guard{router_.mutex_};
    return router_.executor_;
  }();
  const MonotonicTime now = router_.platform_.clock().now();
  if (too_old_ || !executor || now + pause_ >= std::min(give_up_at_, deadline_)) {
    Error why = unavailable(
        too_old_ ? "STALE_READ_TOO_OLD" : "NO_REPLICA",
        "none of " + std::to_string(route_.nodes.size()) +
            " replicas of the key's shard answers reads. 'troupe shards' shows which are missing. "
            "The last one asked said " +
            last.describe());
    why.retry_after = std::chrono::seconds{1};
    return answer(std::move(why));
  }
  turn_ = 0;
  executor->post_after(pause_, [self = shared_from_this()] { self->attempt(); });
  pause_ = std::min(2 * pause_, router_.options_.pause_longest);
}

}  // namespace troupe::cluster

#include "cluster/replication/raft_exchange.hpp"

#include <utility>

#include "cluster/replication/raft_codec.hpp"
#include "cluster/replication/raft_group.hpp"
#include "cluster/replication/raft_link.hpp"
#include "runtime/rehearsal/marks.hpp"

namespace troupe::cluster {

void RaftExchange::send(const std::string& node, const RaftMessage& message) {
  const bool bulk = message.head.type == RAFT_CHUNK;
  sent_.fetch_add(1, std::memory_order_relaxed);
  transport_.send(node, bulk ? RaftTransport::Lane::bulk : RaftTransport::Lane::consensus,
                  encode(message));
}

void RaftExchange::received(const std::string& node, std::string_view bytes) {
  received_.fetch_add(1, std::memory_order_relaxed);
  auto message = decode(bytes);
  if (!message) {
    malformed_.fetch_add(1, std::memory_order_relaxed);
    return log_.warn("raft.message_malformed", message.error().describe(), {{"from", node}});
  }
  message->node = node;
  std::shared_ptr<RaftLink> link;
  {
    const std::lock_guard lock{mutex_};
    if (const auto found = groups_.find(message->group); found != groups_.end())
      link = found->second;
  }
  if (!link) {
    TROUPE_SOMETIMES("a message came for a group that does not run here");
    unknown_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  link->post([message = std::make_shared<const RaftMessage>(*std::move(message))](
                 RaftGroup& group) { group.receive(*message); });
}

// Groups that are about to sleep look at linked() first; a job that comes afterwards wakes them.
void RaftExchange::link_changed(const std::string& node, bool up) {
  std::vector<std::shared_ptr<RaftLink>> groups;
  {
    const std::lock_guard lock{mutex_};
    if (up) {
      linked_.insert(node);
      return;
    }
    if (linked_.erase(node) == 0) return;
    for (const auto& [group, link] : groups_) groups.push_back(link);
  }
  for (const auto& link : groups) link->post([node](RaftGroup& group) { group.link_lost(node); });
}

bool RaftExchange::linked(const std::string& node) const {
  const std::lock_guard lock{mutex_};
  return linked_.contains(node);
}

void RaftExchange::join(runtime::GroupId group, std::shared_ptr<RaftLink> link) {
  const std::lock_guard lock{mutex_};
  groups_[group] = std::move(link);
}

void RaftExchange::leave(runtime::GroupId group, const RaftLink& link) {
  const std::lock_guard lock{mutex_};
  const auto found = groups_.find(group);
  if (found != groups_.end() && found->second.get() == &link) groups_.erase(found);
}

RaftExchange::Counts RaftExchange::counts() const {
  return {sent_.load(std::memory_order_relaxed), received_.load(std::memory_order_relaxed),
          malformed_.load(std::memory_order_relaxed), unknown_.load(std::memory_order_relaxed)};
}

}  // namespace troupe::cluster

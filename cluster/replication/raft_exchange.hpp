// Between the Raft groups of one node and the links to other nodes: one object per node.
//
// Groups hand it messages, it makes bytes of them and gives them to the transport; the transport
// hands it what came, and it finds the group. Malformed messages and those for groups that are not
// here are dropped, as if they had been lost.
//
// Threads: everything may be called from any thread. Owned by the node; outlives its groups.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "cluster/replication/raft_message.hpp"
#include "runtime/platform/platform.hpp"

namespace troupe::cluster {

class RaftLink;

// What carries messages: the mesh, or a test's network. It may lose, repeat and reorder them; the
// groups cope, but in order is faster. It must not call back inside send().
class RaftTransport {
 public:
  enum class Lane {
    consensus,  // before everything else
    bulk,       // pieces of files
  };
  virtual ~RaftTransport() = default;
  virtual void send(const std::string& node, Lane lane, std::string bytes) = 0;
};

class RaftExchange {
 public:
  // Both outlive it.
  RaftExchange(RaftTransport& transport, runtime::Logger& log) : transport_(transport), log_(log) {}
  RaftExchange(const RaftExchange&) = delete;
  RaftExchange& operator=(const RaftExchange&) = delete;

  void send(const std::string& node, const RaftMessage& message);

  // What the transport brings. `node`: who sent it, as the link's authentication knows.
  void received(const std::string& node, std::string_view bytes);

  // From the transport: a link with the node's process is up, or has ended, which it also has if
  // another process takes the node's place. Idle groups sleep while all their nodes are linked; a
  // transport that never says so keeps them awake.
  void link_changed(const std::string& node, bool up);
  bool linked(const std::string& node) const;

  // A group that runs here. A later one takes the place of an earlier one.
  void join(runtime::GroupId group, std::shared_ptr<RaftLink> link);
  void leave(runtime::GroupId group, const RaftLink& link);

  struct Counts {
    std::uint64_t sent = 0, received = 0, malformed = 0, unknown = 0;
  };
  Counts counts() const;

 private:
  RaftTransport& transport_;
  runtime::Logger& log_;
  mutable std::mutex mutex_;
  std::map<runtime::GroupId, std::shared_ptr<RaftLink>> groups_;
  std::set<std::string> linked_;
  std::atomic<std::uint64_t> sent_{0}, received_{0}, malformed_{0}, unknown_{0};
};

}  // namespace troupe::cluster

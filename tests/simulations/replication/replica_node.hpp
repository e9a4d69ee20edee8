// One replica of one shard of counters on a machine of a world: the node log, the Raft group, the
// shard's actor, and wires to the other machines that lose, delay and reorder messages. No router,
// no gateway: calls are handed to the shard.
#pragma once

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/shard/shard_actor.hpp"
#include "cluster/replication/raft_group.hpp"
#include "simulations/world/world.hpp"
#include "tests/actors/shard/counter.hpp"

namespace troupe::simulations {

inline constexpr runtime::GroupId replicated_group = 7;

// The way between the machines: every message has a delay of its own, so that they overtake each
// other.
class Wires {
 public:
  explicit Wires(World& world) : world_(world), dice_(world.seed(), Domain::network, 0, 1) {}

  void carry(const std::string& from, const std::string& to, std::string bytes);

  void cut(const std::string& from, const std::string& to) { cut_.insert({from, to}); }
  void heal() { cut_.clear(); }
  bool is_cut(const std::string& one, const std::string& other) const {
    return cut_.contains({one, other}) || cut_.contains({other, one});
  }

  unsigned lost_of_1000 = 0;
  Duration delay_min = std::chrono::microseconds{200};
  Duration delay_max = std::chrono::milliseconds{2};
  std::uint64_t carried = 0;
  std::function<void(const std::string& from, const std::string& to, const std::string& bytes)>
      watch;

 private:
  World& world_;
  RandomStream dice_;
  std::set<std::pair<std::string, std::string>> cut_;
};

class ReplicaNode final : public SimulatedProcess {
 public:
  struct Set {
    std::vector<std::string> nodes;     // all
    std::vector<std::string> founders;  // of the group; none: all
    std::vector<std::string> wish;      // where its replicas are to be; none: where they are
    cluster::RaftOptions raft;
    actors::ShardOptions shard;
    bool may_create = true;
  };
  // `set` and `wires` outlive the world.
  static StartProcess start(const std::string& name, const Set& set, Wires& wires);
  ~ReplicaNode() override;

  void stop() override;
  void receive(const std::string& from, std::string_view bytes) { exchange_.received(from, bytes); }
  void link_changed(const std::string& node, bool up) { exchange_.link_changed(node, up); }
  const caf::actor& shard() const { return shard_; }
  actors::ShardVitals::Snapshot vitals() const { return vitals_->get(); }
  const runtime::NodeLog& log() const { return *log_; }
  cluster::RaftExchange::Counts counts() const { return exchange_.counts(); }
  // Why the shard's actor ended without being asked to; empty: it runs.
  const std::string& ended() const { return *ended_; }
  void request_checkpoint() { actors::send_checkpoint(shard_); }

 private:
  struct Wire final : cluster::RaftTransport {
    Wire(Wires& all, std::string name) : wires(all), self(std::move(name)) {}
    void send(const std::string& node, Lane, std::string bytes) override {
      wires.carry(self, node, std::move(bytes));
    }
    Wires& wires;
    const std::string self;
  };
  struct Config : caf::actor_system_config {
    explicit Config(runtime::Platform& platform) { platform.configure(*this); }
  };

  ReplicaNode(runtime::Platform& platform, std::string name, Wires& wires,
              std::unique_ptr<runtime::NodeLog> log);

  std::unique_ptr<runtime::NodeLog> log_;
  Wire wire_;
  cluster::RaftExchange exchange_;
  const actors::Service service_ = actors::testing::counter_service();
  std::shared_ptr<actors::ShardVitals> vitals_ = std::make_shared<actors::ShardVitals>();
  Config config_;
  caf::actor_system system_;
  caf::actor shard_;
  std::shared_ptr<std::string> ended_ = std::make_shared<std::string>();
};

}  // namespace troupe::simulations

// A world of nodes that have nothing but a mesh.
#pragma once

#include <doctest/doctest.h>

#include <caf/all.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cluster/mesh/mesh.hpp"
#include "cluster/mesh/mesh_actor.hpp"
#include "simulations/world/world.hpp"

namespace troupe::cluster::tests {

using namespace std::chrono_literals;
using simulations::Machine;
using simulations::World;

// What one node's subscribers saw; outlives its process.
struct Seen {
  std::vector<std::pair<std::string, std::string>> messages;  // from whom, which
  std::vector<std::string> links;                             // "+n2", "-n2"
  std::vector<MeshMessage> kept;                              // while `keep`
  std::vector<IncomingCall> calls;                            // while not `answer`
  bool keep = false;
  bool answer = true;  // calls get "re: " and their bytes

  std::size_t count(const std::string& from) const {
    std::size_t found = 0;
    for (const auto& [sender, text] : messages) found += sender == from ? 1 : 0;
    return found;
  }
};

inline void subscribe(Mesh& mesh, Seen& seen) {
  mesh.on(FrameKind::test, [&seen](const std::string& from, MeshMessage message) {
    seen.messages.emplace_back(from, message.bytes);
    if (seen.keep) seen.kept.push_back(std::move(message));
  });
  mesh.on_call(FrameKind::test, [&seen](IncomingCall call) {
    if (!seen.answer) return seen.calls.push_back(call);
    call.answer("re: " + call.bytes());
  });
  mesh.on_link(
      [&seen](const std::string& node, bool up) { seen.links.push_back((up ? "+" : "-") + node); });
}

class MeshProcess final : public simulations::SimulatedProcess {
 public:
  MeshProcess(runtime::Platform& platform, std::unique_ptr<Mesh> mesh) : mesh_(std::move(mesh)) {
    platform.configure(config_);
    system_ = std::make_unique<caf::actor_system>(config_);
    actor_ = spawn_mesh(*system_, *mesh_);
  }
  void stop() override { caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown); }
  Mesh& mesh() { return *mesh_; }
  caf::actor& actor() { return actor_; }
  caf::actor_system& system() { return *system_; }

 private:
  std::unique_ptr<Mesh> mesh_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::actor actor_;
};

// Nodes n1, n2, ... of one cluster, each on its machine, listening on port 7000.
struct MeshWorld {
  struct Node {
    Machine* machine = nullptr;
    MeshOptions options;
    Seen seen;
  };
  // A mesh that ends answers its open calls: what its subscribers and callers use is made before
  // the world and destroyed after it.
  std::vector<std::unique_ptr<Node>> nodes;
  World world;

  explicit MeshWorld(std::size_t count, std::uint64_t seed = 1,
                     const std::function<void(MeshOptions&)>& change = {},
                     simulations::NetworkTimes times = {})
      : world{{.seed = seed, .network_times = times}} {
    for (std::size_t i = 1; i <= count; ++i) {
      auto node = std::make_unique<Node>();
      node->options.cluster = "c";
      node->options.node = "n" + std::to_string(i);
      node->options.listen = {node->options.node, 7000};
      for (std::size_t j = 1; j <= count; ++j) {
        const auto peer = "n" + std::to_string(j);
        if (j != i) node->options.peers[peer] = {peer, 7000};
      }
      if (change) change(node->options);
      node->machine = &world.add("n" + std::to_string(i), [self = node.get()](auto& platform) {
        return begin(*self, platform);
      });
      nodes.push_back(std::move(node));
    }
  }

  // Counted from 1, as their names.
  Node& node(std::size_t number) { return *nodes[number - 1]; }
  Seen& seen(std::size_t number) { return node(number).seen; }
  Mesh& mesh(std::size_t number) { return process(number).mesh(); }
  MeshProcess& process(std::size_t number) {
    return static_cast<MeshProcess&>(*node(number).machine->process());
  }
  MeshLinkStatus status(std::size_t number, const std::string& peer) {
    for (const auto& status : mesh(number).status())
      if (status.node == peer) return status;
    FAIL("no status of ", peer);
    return {};
  }

  void start(std::size_t number) { REQUIRE(world.start(*node(number).machine)); }
  void start_all() {
    for (std::size_t i = 1; i <= nodes.size(); ++i) start(i);
  }
  void end_all() {
    for (const auto& node : nodes) world.crash(*node->machine);
  }
  bool linked(std::size_t one, std::size_t other) {
    return mesh(one).is_up("n" + std::to_string(other)) &&
           mesh(other).is_up("n" + std::to_string(one));
  }
  void link(std::size_t one = 1, std::size_t other = 2) {
    REQUIRE(world.run_until([&] { return linked(one, other); }, 20s));
  }
  // Both directions.
  void partition(const std::string& one, const std::string& other, bool blocked) {
    world.set_path(one, other, {.blocked = blocked});
    world.set_path(other, one, {.blocked = blocked});
  }
  std::size_t logged(const std::string& event, const std::string& node = "") {
    std::size_t found = 0;
    for (const auto& line : world.log().lines)
      found += line.event == event && (node.empty() || line.node == node) ? 1 : 0;
    return found;
  }

 private:
  static Result<std::unique_ptr<simulations::SimulatedProcess>> begin(Node& node,
                                                                      runtime::Platform& platform) {
    auto options = node.options;
    if (options.incarnation == 0) options.incarnation = platform.random().next();
    TROUPE_TRY(mesh, Mesh::listen(platform, std::move(options)));
    subscribe(*mesh, node.seen);
    return std::unique_ptr<simulations::SimulatedProcess>(
        new MeshProcess(platform, std::move(mesh)));
  }
};

}  // namespace troupe::cluster::tests

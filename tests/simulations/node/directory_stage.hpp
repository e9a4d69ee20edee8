// Three nodes, and what their directory says; a fourth that may join.
#pragma once

#include <source_location>

#include "cluster/cluster_id.hpp"
#include "cluster/directory/formats.hpp"
#include "cluster/directory/service.hpp"
#include "cluster/directory/table.hpp"
#include "cluster/gateway/json.hpp"
#include "cluster/init.hpp"
#include "tests/simulations/node/three.hpp"

namespace troupe::simulations {

namespace v1 = directory::v1;
using cluster::DirectoryNode;
using cluster::DirectoryTable;
using cluster::DirectoryView;

inline constexpr const char* bank_service = "banking.v1.Accounts";
inline constexpr auto alive = DirectoryNode::UP;
inline constexpr auto dead = DirectoryNode::DOWN;
inline const v1::DirectoryRef table_ref{std::string{cluster::directory_key}};

// As the last node of the manifest, under another name.
inline config::Manifest with_node(config::Manifest manifest, const std::string& name) {
  config::Node node = manifest.nodes.back();
  node.name = name;
  node.mesh = {name, 7400};
  node.gateway = config::Address{name, 8080};
  node.admin = {name, 7480};
  manifest.nodes.push_back(node);
  return manifest;
}

// An order as `troupe` sends it.
inline cluster::DirectoryOutcome ordered_at(World& world, const std::string& node,
                                            const std::string& order) {
  cluster::DirectoryOutcome outcome;
  const auto answer = order_admin(world, "/v1/directory", order, node);
  CAPTURE(answer.body);
  REQUIRE(answer.status == 200);
  REQUIRE(cluster::json_to_message(answer.body, outcome));
  return outcome;
}

// `asked` admits the node, which runs from then on. `grown` outlives the world's processes.
inline Machine& join(World& world, const config::Manifest& grown, const std::string& name,
                     const std::string& asked) {
  cluster::DirectoryOrder order;
  order.mutable_admit()->set_cluster(grown.cluster.name);
  DirectoryNode& said = *order.mutable_admit()->mutable_node();
  said.set_name(name);
  said.set_mesh(name + ":7400");
  for (const std::string& format : cluster::formats_read()) said.add_formats(format);
  const auto outcome = ordered_at(world, asked, *cluster::message_to_json(order));
  Machine& added = world.add(
      name,
      [&grown, name, id = outcome.cluster_id()](
          runtime::Platform& platform) -> Result<std::unique_ptr<SimulatedProcess>> {
        auto& disk = platform.disk();
        TROUPE_TRY(known, cluster::DataFolder::look(disk, "/data"));
        if (!known)
          TROUPE_CHECK(
              cluster::create_cluster(disk, grown, {name}, id, cluster::Membership::joiner));
        TROUPE_TRY(started,
                   cluster::Node::start(platform, grown, name, actors::ServiceRegistry::global()));
        return std::unique_ptr<SimulatedProcess>(new NodeProcess{std::move(started)});
      });
  REQUIRE(world.start(added));
  return added;
}

struct Directory : Three {
  using Three::Three;

  DirectoryView view_at(const std::string& node) {
    DirectoryView view;
    const auto answer = ask_admin(world, "/v1/directory", node);
    if (answer.status == 200) REQUIRE(cluster::json_to_message(answer.body, view));
    return view;
  }
  DirectoryView view(std::size_t i) { return view_at(name(i)); }

  // Every node that runs knows the same table, of this version at least.
  bool agreed(std::uint64_t version = 1) {
    std::string bytes;
    seen.clear();
    for (std::size_t i = 0; i < 3; ++i) {
      if (!machine(i).up()) continue;
      const DirectoryView known = view(i);
      seen += known.ShortDebugString() + "\n";
      if (!known.reached() || known.table().version() < version) return false;
      const std::string one = known.table().SerializeAsString();
      if (bytes.empty()) bytes = one;
      if (one != bytes) return false;
    }
    return !bytes.empty();
  }
  bool states_are(const std::vector<DirectoryNode::State>& states) {
    if (!agreed()) return false;
    for (std::size_t i = 0; i < 3; ++i)
      if (machine(i).up()) {
        const DirectoryTable table = view(i).table();
        for (std::size_t k = 0; k < 3; ++k)
          if (cluster::find_node(table, name(k))->state() != states[k]) return false;
        return true;
      }
    return false;
  }
  void wait(const std::function<bool()>& done, Duration limit = 20s,
            const std::source_location& where = std::source_location::current()) {
    const auto line = where.line();
    CAPTURE(line);
    const auto until = world.now() + limit;
    bool came = done();
    while (!came && world.now() < until) {
      world.run_for(100ms);
      came = done();
    }
    CAPTURE(seen);
    REQUIRE(came);
  }
  void settle() {
    wait([&] { return states_are({alive, alive, alive}); });
  }
  std::size_t keeper() {
    for (std::size_t i = 0; i < 3; ++i)
      if (machine(i).up()) {
        const std::string keeper = view(i).keeper();
        for (std::size_t k = 0; k < 3; ++k)
          if (name(k) == keeper) return k;
      }
    FAIL("nobody keeps the directory");
    return 0;
  }

  cluster::DirectoryOutcome ordered(const std::string& order, const std::string& node) {
    return ordered_at(world, node, order);
  }
  cluster::LeftOnNodeReport left_on(const std::string& node, const std::string& asked) {
    cluster::DirectoryOutcome outcome;
    const auto answer =
        order_admin(world, "/v1/directory", R"({"question":{"leftOn":")" + node + R"("}})", asked);
    if (answer.status != 200) {  // the keeper has just changed
      outcome.mutable_left()->set_unknown(1);
      return outcome.left();
    }
    REQUIRE(cluster::json_to_message(answer.body, outcome));
    return outcome.left();
  }

  Result<v1::Changed> order(std::size_t i, actors::Call<v1::Changed> call) {
    std::optional<Result<v1::Changed>> changed;
    dynamic_cast<NodeProcess&>(*machine(i).process())
        .node()
        .client()
        .call<v1::Changed>(std::move(call), {}, [&](auto reply) { changed = std::move(reply); });
    world.run_until([&] { return changed.has_value(); }, 20s);
    REQUIRE(changed);
    return *changed;
  }
  v1::SetPlacesRequest places(std::size_t i, std::uint32_t shard, std::vector<std::string> nodes) {
    v1::SetPlacesRequest request;
    request.set_service(bank_service);
    request.set_shard(shard);
    request.set_based_on(cluster::find_shard(view(i).table(), bank_service, shard)->version());
    for (const std::string& node : nodes) request.add_nodes(node);
    request.mutable_why()->set_who("operator");
    return request;
  }

  // Is admitted, and runs from then on.
  Machine& join_n4() {
    grown = with_node(manifest, "n4");
    return join(world, grown, "n4", "n2");
  }
  config::Manifest grown;
  std::string seen;  // by agreed(), last
};

}  // namespace troupe::simulations

// The directory of a cluster in a world: filled once, the same on every node, kept by whoever leads
// its group.
#include "cluster/directory/service.hpp"
#include "cluster/directory/table.hpp"
#include "cluster/gateway/json.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "tests/seeds.hpp"
#include "tests/simulations/node/three.hpp"

namespace troupe::simulations {
namespace {

namespace v1 = directory::v1;
using cluster::DirectoryNode;
using cluster::DirectoryTable;
using cluster::DirectoryView;

constexpr const char* bank_service = "banking.v1.Accounts";

struct Directory : Three {
  using Three::Three;

  DirectoryView view(std::size_t i) {
    DirectoryView view;
    const auto answer = ask_admin(world, "/v1/directory", name(i));
    if (answer.status == 200) REQUIRE(cluster::json_to_message(answer.body, view));
    return view;
  }

  // Every node that runs knows the same table, of this version at least.
  bool agreed(std::uint64_t version = 1) {
    std::string bytes;
    for (std::size_t i = 0; i < 3; ++i) {
      if (!machine(i).up()) continue;
      const DirectoryView known = view(i);
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
  void wait(const std::function<bool()>& done, Duration limit = 20s) {
    const auto until = world.now() + limit;
    while (!done() && world.now() < until) world.run_for(100ms);
    REQUIRE(done());
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
};

const v1::DirectoryRef table_ref{std::string{cluster::directory_key}};
constexpr auto alive = DirectoryNode::UP;
constexpr auto dead = DirectoryNode::DOWN;

TEST_CASE("the directory is filled from the manifest, and every node comes to know it") {
  for (std::uint64_t seed = 1; seed <= tests::seeds(4); ++seed) {
    CAPTURE(seed);
    Directory three{seed};
    three.wait([&] { return three.states_are({alive, alive, alive}); });
    const DirectoryTable table = three.view(0).table();
    CHECK(table.shards_size() == static_cast<int>(three.shards));
    CHECK(table.services_size() == 2);
    for (const auto& shard : table.shards()) {
      CHECK(shard.nodes_size() == 3);
      CHECK(shard.founding());
    }
    for (const DirectoryNode& node : table.nodes()) {
      CHECK(node.incarnation() != 0);
      CHECK(node.control());
      CHECK(node.services_size() == 2);
    }
  }
}

TEST_CASE("a change ordered at any node reaches all, and one that is based on old news none") {
  Directory three{1};
  three.wait([&] { return three.states_are({alive, alive, alive}); });
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    const auto request = three.places(i, 1, {three.name(i), three.name(i + 1)});
    const auto before = three.world.now();
    const auto changed = three.order(i, table_ref.SetPlaces(request));
    REQUIRE(changed);
    three.wait([&] { return three.agreed(changed->version()); });
    CHECK(three.world.now() - before < 500ms);
    CHECK(cluster::find_shard(three.view(2).table(), bank_service, 1)->nodes(0) == three.name(i));
    CHECK_FALSE(cluster::find_shard(three.view(2).table(), bank_service, 1)->founding());

    const auto late = three.order(i, table_ref.SetPlaces(request));
    REQUIRE_FALSE(late);
    CHECK(late.error().reason == "DIRECTORY_CHANGED");
  }
}

TEST_CASE("when its keeper dies another goes on; the dead node is down, and up when it is back") {
  for (std::uint64_t seed = 1; seed <= tests::seeds(4); ++seed) {
    CAPTURE(seed);
    Directory three{seed};
    three.wait([&] { return three.states_are({alive, alive, alive}); });
    for (int round = 0; round < 2; ++round) {
      const std::size_t victim = three.keeper();
      const std::size_t other = (victim + 1) % 3;
      const auto incarnation = [&] {
        return cluster::find_node(three.view(other).table(), three.name(victim))->incarnation();
      };
      const std::uint64_t version = three.view(other).table().version();
      const std::uint64_t first_life = incarnation();
      if (round == 0)
        three.world.crash(three.machine(victim));
      else
        three.world.kill(three.machine(victim));
      const auto changed =
          three.order(other, table_ref.SetPlaces(three.places(other, 0, {three.name(victim)})));
      REQUIRE(changed);
      CHECK(changed->version() > version);
      std::vector<DirectoryNode::State> states{alive, alive, alive};
      states[victim] = dead;
      three.wait([&] { return three.states_are(states); });
      CHECK(three.keeper() != victim);
      REQUIRE(three.world.start(three.machine(victim)));
      three.wait([&] { return three.states_are({alive, alive, alive}); });
      CHECK(incarnation() != first_life);
    }
  }
}

TEST_CASE("a node that starts alone knows what it knew before") {
  Directory three{1};
  three.wait([&] { return three.states_are({alive, alive, alive}); });
  const auto changed = three.order(0, table_ref.SetPlaces(three.places(0, 3, {"n2"})));
  REQUIRE(changed);
  three.wait([&] { return three.agreed(changed->version()); });
  three.world.run_for(1s);
  for (std::size_t i = 0; i < 3; ++i) three.world.crash(three.machine(i));
  REQUIRE(three.world.start(three.machine(0)));
  three.world.run_for(3s);
  const DirectoryView view = three.view(0);
  CHECK_FALSE(view.reached());
  CHECK(view.table().version() == changed->version());
  CHECK(cluster::find_shard(view.table(), bank_service, 3)->nodes(0) == "n2");
}

}  // namespace
}  // namespace troupe::simulations

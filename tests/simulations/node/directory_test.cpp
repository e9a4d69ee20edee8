// The directory of a cluster in a world: filled once, the same on every node, kept by whoever leads
// its group.
#include "tests/seeds.hpp"
#include "tests/simulations/node/directory_stage.hpp"

namespace troupe::simulations {
namespace {

TEST_CASE("the directory is filled from the manifest, and every node comes to know it") {
  for (std::uint64_t seed = 1; seed <= tests::seeds(4); ++seed) {
    CAPTURE(seed);
    Directory three{seed};
    three.settle();
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
  three.settle();
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
    three.settle();
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
      three.settle();
      CHECK(incarnation() != first_life);
    }
  }
}

TEST_CASE("a node that starts alone knows what it knew before") {
  Directory three{1};
  three.settle();
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

TEST_CASE("a question is answered at once when there is news, and else when its time is over") {
  Directory three{1};
  three.settle();
  three.ordered(R"({"cordon":{"node":"n2"}})", "n1");  // so that every shard has been reported
  three.wait([&] { return three.left_on("n3", "n1").unknown() == 0; });
  const auto before = three.left_on("n3", "n1");
  const auto seconds = [&](std::uint32_t members, std::uint32_t wait_ms) {
    cluster::DirectoryOrder order;
    auto& question = *order.mutable_question();
    question.set_left_on("n3");
    *question.mutable_known() = before;
    question.mutable_known()->set_members(members);
    question.set_wait_ms(wait_ms);
    const auto begun = three.world.now();
    const auto outcome = three.ordered(*cluster::message_to_json(order), "n1");
    CHECK(outcome.left().members() == before.members());
    return std::chrono::duration<double>(three.world.now() - begun).count();
  };
  CHECK(seconds(before.members() + 1, 5000) < 0.5);
  const double waited = seconds(before.members(), 5000);
  CHECK(waited >= 5);
  CHECK(waited < 6.5);
  CHECK(seconds(before.members(), 0) < 0.5);
  // News that come in the meantime: it is draining.
  three.world.after(
      2s, [&] { begin_order(three.world, "/v1/directory", R"({"drain":{"node":"n3"}})", "n2"); });
  CHECK(seconds(before.members(), 20000) < 4);
  // Who keeps the directory: as it is known already, and as it is not.
  const auto look = [&](const std::string& known, std::uint32_t wait_ms) {
    const auto begun = three.world.now();
    three.ordered(R"({"question":{"control":{},"knownControl":)" + known + R"(,"waitMs":)" +
                      std::to_string(wait_ms) + "}}",
                  "n1");
    return std::chrono::duration<double>(three.world.now() - begun).count();
  };
  const auto told = three.ordered(R"({"question":{"control":{}}})", "n1").control();
  REQUIRE(told.members_size() == 3);
  CHECK(look("{}", 5000) < 0.5);
  CHECK(look(*cluster::message_to_json(told), 5000) >= 5);
  // By then nodes have reported often enough.
  three.world.run_for(30s);
  CHECK(three.ordered(R"({"question":{"advice":true}})", "n2").advice().nodes() == 3);
}

TEST_CASE("of a node that has not run yet nobody assumes which formats it reads") {
  const auto manifest = three_nodes();
  World world{{.seed = 1}};
  std::vector<std::unique_ptr<Hosting>> hosts;
  for (const auto& node : manifest.nodes)
    hosts.push_back(
        std::make_unique<Hosting>(world, manifest, node, actors::ServiceRegistry::global(), true));
  REQUIRE(world.start(hosts[0]->machine()));
  REQUIRE(world.start(hosts[1]->machine()));
  // Until it is answered with this.
  const auto switching_on = [&](const std::string& expected) {
    for (int i = 0; i < 40; ++i) {
      const auto answer =
          order_admin(world, "/v1/directory", R"({"switchOn":{"format":"shard-split"}})", "n1");
      CAPTURE(answer.body);
      if (answer.body.find(expected) != std::string::npos) return answer.status;
      REQUIRE(answer.status != 200);
      world.run_for(500ms);
    }
    return 0;
  };
  CHECK(switching_on("node n3 has not been heard of yet") == 400);
  REQUIRE(world.start(hosts[2]->machine()));
  CHECK(switching_on("\"version\"") == 200);
}

TEST_CASE("a service that is new in a binary comes into the directory when every node runs it") {
  const auto& all = actors::ServiceRegistry::global();
  actors::ServiceRegistry older;
  older.add(*all.find(bank_service));
  const auto manifest = three_nodes();
  World world{{.seed = 1}};
  std::map<std::string, const actors::ServiceRegistry*> binaries;
  std::vector<Machine*> machines;
  for (const auto& node : manifest.nodes) {
    binaries[node.name] = &older;
    machines.push_back(&world.add(
        node.name,
        [&, name = node.name, first = std::make_shared<FirstStart>()](
            runtime::Platform& platform) -> Result<std::unique_ptr<SimulatedProcess>> {
          TROUPE_CHECK(first->prepare(platform, manifest, name, 1));
          TROUPE_TRY(started, cluster::Node::start(platform, manifest, name, *binaries[name]));
          return std::unique_ptr<SimulatedProcess>(new NodeProcess{std::move(started)});
        }));
  }
  for (Machine* machine : machines) REQUIRE(world.start(*machine));
  world.run_for(5s);
  for (std::size_t i = 0; i < machines.size(); ++i) {
    const std::string& name = manifest.nodes[i].name;
    CHECK(post(world, "/v1/inventory/tea:receive", "tea", R"({"quantity":"5"})", name).status ==
          404);
    world.kill(*machines[i]);
    binaries[name] = &all;
    REQUIRE(world.start(*machines[i]));
    world.run_for(3s);
  }
  bool received = false;
  for (int i = 0; i < 30 && !received; ++i) {
    received =
        post(world, "/v1/inventory/tea:receive", "tea", R"({"quantity":"5"})", "n2").status == 200;
    world.run_for(1s);
  }
  CHECK(received);
}

TEST_CASE("a format is switched on when all nodes read it, and before that each may go back") {
  Directory three{1};
  three.settle();
  const auto restart = [&](std::size_t i, std::vector<std::string> formats) {
    three.hosts[i]->reads(std::move(formats));
    REQUIRE(three.world.stop(three.machine(i), 10s));
    return three.world.start(three.machine(i));
  };
  const auto is_known = [&](std::size_t i, int formats) {
    return three.states_are({alive, alive, alive}) &&
           cluster::find_node(three.view(0).table(), three.name(i))->formats_size() == formats;
  };
  const auto switch_on = [&] {
    return order_admin(three.world, "/v1/directory", R"({"switchOn":{"format":"rows.2"}})", "n1");
  };
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(switch_on().body.find("FORMAT_NOT_READABLE") != std::string::npos);
    REQUIRE(restart(i, {"rows.2"}));
    three.wait([&] { return is_known(i, 1); });
  }
  REQUIRE(restart(2, {}));  // back to the older program
  three.wait([&] { return is_known(2, 0); });
  CHECK(switch_on().body.find("FORMAT_NOT_READABLE") != std::string::npos);
  REQUIRE(restart(2, {"rows.2", "rows.3"}));
  three.wait([&] { return is_known(2, 2); });
  // n2 is away meanwhile, and does not hear of it.
  REQUIRE(three.world.stop(three.machine(1), 10s));
  CHECK(switch_on().status == 200);
  three.hosts[1]->reads({});
  if (three.world.start(three.machine(1))) {
    three.world.run_until([&] { return !three.machine(1).up(); }, 10s);
    REQUIRE_FALSE(three.machine(1).up());
    CHECK(three.machine(1).crashed()->reason == "FORMAT_UNREADABLE");
    three.world.run_for(1ms);  // its process is cleared away
  }
  three.hosts[1]->reads({"rows.2"});
  REQUIRE(three.world.start(three.machine(1)));
  three.settle();
  const auto refused = restart(0, {});  // it knows by its own copy
  REQUIRE_FALSE(refused);
  CHECK(refused.error().reason == "FORMAT_UNREADABLE");
}

}  // namespace
}  // namespace troupe::simulations

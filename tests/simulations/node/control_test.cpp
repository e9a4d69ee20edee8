// The nodes that keep the directory change while it is used.
#include "cluster/recovery/recovery_plan.hpp"
#include "tests/seeds.hpp"
#include "tests/simulations/node/directory_stage.hpp"

namespace troupe::simulations {
namespace {

struct Control : Directory {
  using Directory::Directory;

  // As `troupe control` orders it; the reason of a refusal, empty: none.
  std::string change(const std::string& add, const std::string& remove, const std::string& at) {
    const auto answer =
        order_admin(world, "/v1/directory",
                    R"({"control":{"add":")" + add + R"(","remove":")" + remove + R"("}})", at);
    if (answer.status == 200) return {};
    const auto begin = answer.body.find("\"reason\":\"") + 10;
    return answer.body.substr(begin, answer.body.find('"', begin) - begin);
  }
  cluster::ControlReport report(const std::string& at) {
    cluster::DirectoryOutcome outcome;
    const auto answer = order_admin(world, "/v1/directory", R"({"control":{}})", at);
    if (answer.status == 200) REQUIRE(cluster::json_to_message(answer.body, outcome));
    return outcome.control();
  }
  // The directory's group has these voters, which are those that are wished, and nobody else.
  bool kept_by(const std::vector<std::string>& nodes, const std::string& at) {
    const auto now = report(at);
    std::vector<std::string> voters;
    for (const auto& member : now.members()) {
      if (!member.voter() || !member.wished()) return false;
      voters.push_back(member.node());
    }
    return voters == nodes;
  }
  bool has_file(Machine& machine) {
    for (const std::string& file : machine.hardware.disk.list("/data/shards"))
      if (file.starts_with("troupe.directory")) return true;
    return false;
  }
  // An order is carried out, whoever is asked.
  void check_works(const std::string& at) {
    const std::uint64_t before = view_at(at).table().version();
    flag = !flag;
    wait([&] {
      return order_admin(world, "/v1/directory",
                         std::string{R"({"cordon":{"node":"n2","cancel":)"} +
                             (flag ? "false" : "true") + "}}",
                         at)
                 .status == 200;
    });
    wait([&] { return view_at(at).table().version() > before; });
  }
  bool flag = false;
};

}  // namespace

TEST_CASE("who keeps the directory changes while nodes come and go, and that survives restarts") {
  for (std::uint64_t seed = 1; seed <= tests::seeds(3); ++seed) {
    CAPTURE(seed);
    Control three{seed};
    three.settle();
    Machine& n4 = three.join_n4();
    three.wait([&] { return three.view_at("n4").reached(); });
    three.wait([&] {
      return cluster::find_node(three.view(0).table(), "n4")->state() == DirectoryNode::UP;
    });
    CHECK_FALSE(three.has_file(n4));

    // One comes; while it does, nothing else may change. Then the one that leads goes.
    CHECK(three.change("n4", "", "n2").empty());
    const std::string second = three.change("", "n1", "n2");
    CAPTURE(second);
    CHECK((second == "CONTROL_CHANGING" || second == "DIRECTORY_CHANGED"));
    three.wait([&] { return three.kept_by({"n1", "n2", "n3", "n4"}, "n2"); });
    const std::string leader = three.view_at("n4").keeper();
    CHECK(three.change("", leader, "n4").empty());
    std::vector<std::string> left{"n1", "n2", "n3", "n4"};
    std::erase(left, leader);
    three.wait([&] { return three.kept_by(left, "n4"); }, 60s);
    Machine& gone = leader == "n4" ? n4 : three.machine(leader.back() - '1');
    three.wait([&] { return !three.has_file(gone); });
    three.check_works("n4");

    // All of them again: the table says who it is, and the manifest does not.
    for (std::size_t i = 0; i < 3; ++i) three.world.crash(three.machine(i));
    three.world.crash(n4);
    for (std::size_t i = 0; i < 3; ++i) REQUIRE(three.world.start(three.machine(i)));
    REQUIRE(three.world.start(n4));
    three.wait([&] { return three.kept_by(left, "n4"); }, 60s);
    three.world.run_for(1s);
    CHECK_FALSE(three.has_file(gone));
    // Without the one that went it works, and without one of the others.
    three.world.crash(gone);
    if (leader != "n4") {
      three.world.crash(three.machine(leader == "n2" ? 0 : 1));
      three.check_works("n4");
    }
  }
}

TEST_CASE(
    "a dead node that keeps the directory is replaced, and is none of it when it comes back") {
  Control three{1};
  three.settle();
  Machine& n4 = three.join_n4();
  three.wait([&] { return three.states_are({alive, alive, alive}); });
  three.wait([&] {
    return cluster::find_node(three.view(0).table(), "n4")->state() == DirectoryNode::UP;
  });
  three.world.crash(three.machine(2));
  three.wait([&] { return three.states_are({alive, alive, dead}); });
  // With one of three down, no other may go.
  CHECK(three.change("", "n1", "n2") == "CONTROL_MAJORITY");
  CHECK(three.change("n3", "", "n2") == "CONTROL_UNSUITABLE");
  CHECK(three.change("n9", "n3", "n2") == "DIRECTORY_NODE_UNKNOWN");
  CHECK(three.change("n4", "n9", "n2") == "CONTROL_UNSUITABLE");
  CHECK(three.change("n4", "n3", "n2").empty());
  three.wait([&] { return three.kept_by({"n1", "n2", "n4"}, "n2"); }, 60s);
  // Now one of those may be lost. n3, which knows nothing of it, finds it where it is.
  three.world.crash(three.machine(0));
  REQUIRE(three.world.start(three.machine(2)));
  three.wait([&] { return three.view(2).reached(); }, 60s);
  three.wait([&] { return !three.has_file(three.machine(2)); }, 60s);
  three.check_works("n3");
  CHECK(three.view(2).keeper() != "n3");
  CHECK(n4.up());
}

TEST_CASE(
    "the directory goes on from the one node that is left, and what others know of it is told "
    "anew") {
  Control three{2};
  three.settle();
  three.join_n4();
  three.wait([&] { return three.view_at("n4").reached(); });
  // n1 misses a change that the others and n4 know of, and which is lost with them.
  three.world.run_for(2s);
  const std::uint64_t before = three.view(0).table().version();
  three.world.crash(three.machine(0));
  three.wait([&] { return three.view_at("n4").table().version() > before; });
  three.check_works("n4");
  three.check_works("n4");
  const std::uint64_t lost = three.view_at("n4").table().version();
  three.world.crash(three.machine(1));
  three.world.crash(three.machine(2));
  REQUIRE(three.world.start(three.machine(0)));
  three.world.run_for(5s);
  CHECK_FALSE(three.view_at("n4").reached());

  std::vector<cluster::RecoveryView> views;
  for (const std::string node : {"n1", "n4"}) {
    const auto answer = ask_admin(three.world, "/v1/recovery", node);
    REQUIRE(cluster::json_to_message(answer.body, views.emplace_back()));
  }
  const auto plan = cluster::plan_recovery(views, {"n2", "n3"});
  REQUIRE(plan);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto request = cluster::order_of(*plan, views[i], {"n2", "n3"});
    if (i == 0)
      CHECK(cluster::message_to_json(request)->find("troupe.directory") != std::string::npos);
    const auto answer = order_admin(three.world, "/v1/recovery", *cluster::message_to_json(request),
                                    views[i].node());
    CHECK(answer.status == 200);
    CHECK(answer.body.find("REFUSED") == std::string::npos);
  }
  three.wait([&] { return three.view_at("n4").reached(); }, 60s);
  three.wait([&] {
    const DirectoryTable copy = three.view_at("n4").table();
    return copy.version() > lost &&
           copy.SerializeAsString() == three.view(0).table().SerializeAsString();
  });
  // Alone it keeps the directory; others may come and take the places of those that are lost.
  three.wait([&] {
    return cluster::find_node(three.view(0).table(), "n3")->state() == DirectoryNode::DOWN;
  });
  CHECK(three.change("n4", "n3", "n4").empty());
  three.wait([&] {
    const auto now = three.report("n1");
    return now.members_size() == 3 && now.members(2).voter();
  });
  CHECK(three.change("", "n2", "n4").empty());
  three.wait([&] { return three.kept_by({"n1", "n4"}, "n4"); });
}

}  // namespace troupe::simulations

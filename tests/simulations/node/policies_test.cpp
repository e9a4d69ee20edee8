// Policies that change while a cluster runs, and is used.
#include "tests/seeds.hpp"
#include "tests/simulations/node/directory_stage.hpp"

namespace troupe::simulations {
namespace {

// Accounts in several shards, each with a history that has more than one page.
struct Policies : Directory {
  explicit Policies(std::uint64_t seed) : Directory(seed) {
    settle();
    command("open", "open-ann", open_body);  // who gets what is deposited meanwhile
    for (const std::string account : {"bob", "cleo", "dan", "eve", "fay", "gil"}) {
      accounts.push_back(account);
      command("open", "open-" + account, open_body, "accounts/" + account);
      for (int i = 0; i < 3; ++i)
        command("deposit", account + std::to_string(i), one_cent, "accounts/" + account);
    }
  }
  std::uint64_t change(const std::string& set, const std::string& node,
                       const std::string& of = bank_service) {
    return ordered(R"({"policy":{"of":")" + of + R"(",)" + set + "}}", node).version();
  }
  std::uint64_t pages_of(const std::string& events, const std::string& node) {
    return change(R"("set":[{"key":"limits.history_page_events","value":")" + events + R"("}])",
                  node);
  }
  // "VALUE from SOURCE", as this node goes by it.
  std::string told(const std::string& node, const std::string& key = "limits.history_page_events",
                   const std::string& of = bank_service) {
    const auto outcome = ordered(R"({"policy":{"of":")" + of + R"("}})", node);
    for (const auto& group : outcome.policies().groups())
      for (const auto& value : group.values())
        if (value.key() == key) return value.value() + " from " + value.from();
    return "not told";
  }
  // Entries on the first page of each account's statement, as any leader gives it: 0 where they
  // differ.
  int page() {
    int all = -1;
    for (const std::string& account : accounts) {
      const auto answer = get(world, "/v1/accounts/" + account + "/statement", "n1");
      if (answer.status != 200) return 0;
      int entries = 0;
      for (auto at = answer.body.find("\"balance\""); at != std::string::npos;
           at = answer.body.find("\"balance\"", at + 1))
        ++entries;
      if (all != -1 && entries != all) return 0;
      all = entries;
    }
    return all;
  }
  std::vector<std::string> accounts;
};

TEST_CASE("a policy holds on every node: on those that run, that were down, and that join") {
  for (std::uint64_t seed = 1; seed <= tests::seeds(2); ++seed) {
    CAPTURE(seed);
    Policies three{seed};
    CHECK(three.told("n2") == "1000 from default");
    const int whole = three.page();
    CHECK(whole > 2);
    three.world.crash(three.machine(2));
    three.pages_of("2", "n2");
    three.wait([&] {
      return three.told("n1") == "2 from cluster" && three.told("n2") == "2 from cluster";
    });
    three.wait([&] {
      three.deposit();
      return three.page() == 2;
    });
    three.deposit();

    REQUIRE(three.world.start(three.machine(2)));
    three.wait([&] { return three.leads(2) >= 2; }, 60s);
    CHECK(three.told("n3") == "2 from cluster");
    CHECK(three.page() == 2);

    three.join_n4();
    three.wait([&] { return three.left_on("n4", "n1").leaders() >= 1; }, 120s);
    CHECK(three.told("n4") == "2 from cluster");
    CHECK(three.page() == 2);

    const auto version = three.change(R"("unset":["limits.history_page_events"])", "n3");
    three.wait([&] { return three.view_at("n4").table().version() >= version; });
    three.wait([&] { return three.agreed(version) && three.page() == whole; });
    for (const std::string node : {"n1", "n2", "n3", "n4"})
      CHECK(three.told(node) == "1000 from default");
    three.check_balance();
  }
}

TEST_CASE("a node that starts alone goes by the policies that it knew") {
  Policies three{1};
  const auto version = three.pages_of("3", "n1");
  three.wait([&] { return three.agreed(version); });
  three.world.run_for(1s);
  for (std::size_t i = 0; i < 3; ++i) three.world.crash(three.machine(i));
  REQUIRE(three.world.start(three.machine(1)));
  three.world.run_for(2s);
  CHECK(three.told("n2") == "3 from cluster");
}

TEST_CASE("the limit of calls from clients follows a policy, also that of a node that starts") {
  Policies three{1};
  const auto limit = [&](const std::string& node) {
    const auto text = ask_admin(three.world, "/metrics", node).body;
    const std::string metric =
        R"(troupe_admission_limit{kind="commands",service="banking.v1.Accounts"} )";
    const auto at = text.find(metric);
    return at == std::string::npos ? 0 : std::stoi(text.substr(at + metric.size()));
  };
  CHECK(limit("n1") == 10'000);
  const auto version =
      three.change(R"("set":[{"key":"admission.in_flight_max","value":"77"}])", "n1");
  three.wait([&] { return three.agreed(version); });
  three.world.run_for(1s);
  for (const std::string node : {"n1", "n2", "n3"}) CHECK(limit(node) == 77);
  three.world.crash(three.machine(1));
  REQUIRE(three.world.start(three.machine(1)));
  three.world.run_for(2s);
  CHECK(limit("n2") == 77);
}

TEST_CASE("a policy that is refused is so at any node, and one that contradicts a manifest") {
  Policies three{1};
  const auto refused = [&](const std::string& key, const std::string& value, const char* with) {
    const auto answer = order_admin(three.world, "/v1/directory",
                                    R"({"policy":{"of":"banking.v1.Accounts","set":[{"key":")" +
                                        key + R"(","value":")" + value + R"("}]}})",
                                    "n3");
    CAPTURE(answer.body);
    CHECK(answer.status == 400);
    CHECK(answer.body.find("POLICY_UNSUITABLE") != std::string::npos);
    CHECK(answer.body.find(with) != std::string::npos);
  };
  refused("shards", "8", "troupe split");
  refused("limits.batch_commands", "0", "out of range");
  refused("restart.backoff_first", "10s", "is longer than backoff_max (5s)");
  const auto version = three.change(
      R"("set":[{"key":"restart.backoff_first","value":"10s"},
                {"key":"restart.backoff_max","value":"20s"}])",
      "n2");
  three.wait([&] { return three.agreed(version); });
  CHECK(three.told("n1", "restart.backoff_first") == "10s from cluster");
  refused("restart.backoff_max", "5s", "is longer than backoff_max (5s)");
}

TEST_CASE("the balancer goes by its policies, whoever keeps the directory") {
  Policies three{1};
  const auto down_after = [&](std::size_t victim) {
    const auto begun = three.world.now();
    three.world.crash(three.machine(victim));
    std::vector<DirectoryNode::State> states{alive, alive, alive};
    states[victim] = dead;
    three.wait([&] { return three.states_are(states); }, 60s);
    const auto lasted = three.world.now() - begun;
    REQUIRE(three.world.start(three.machine(victim)));
    three.settle();
    return lasted;
  };
  const auto other_than_keeper = [&] { return (three.keeper() + 1) % 3; };
  CHECK(down_after(other_than_keeper()) < 9s);
  const auto version =
      three.change(R"("set":[{"key":"down_after","value":"20s"}])", "n1", "balancer");
  three.wait([&] { return three.agreed(version); });
  CHECK(down_after(other_than_keeper()) > 19s);
  const std::size_t keeper = three.keeper();
  CHECK(down_after(keeper) > 19s);
  CHECK(three.told("n2", "down_after", "balancer") == "20s from cluster");
}

}  // namespace
}  // namespace troupe::simulations

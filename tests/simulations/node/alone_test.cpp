// A node that is alone in its manifest: a cluster of one, which others can join.
#include "tests/simulations/node/directory_stage.hpp"

namespace troupe::simulations {
namespace {

struct Alone {
  explicit Alone(std::uint64_t seed) : world{{.seed = seed}} {
    manifest.nodes.resize(1);
    manifest.service_defaults.replication_factor = 1;
    host = std::make_unique<Hosting>(world, manifest, manifest.nodes.front(),
                                     actors::ServiceRegistry::global(), true);
    REQUIRE(world.start(host->machine()));
    REQUIRE(world.run_until([&] { return host->ready(); }, 10s));
    REQUIRE(world.run_until([&] { return view().reached(); }, 10s));
  }
  DirectoryView view(const std::string& node = "n1") {
    DirectoryView view;
    const auto answer = ask_admin(world, "/v1/directory", node);
    if (answer.status == 200) REQUIRE(cluster::json_to_message(answer.body, view));
    return view;
  }
  void until(const std::function<bool()>& done) {
    bool came = done();
    for (int i = 0; i < 600 && !came; ++i) {
      world.run_for(200ms);
      came = done();
    }
    REQUIRE(came);
  }
  // One change may have to wait for the end of another.
  void order(const std::string& order) {
    until([&] { return order_admin(world, "/v1/directory", order, "n1").status == 200; });
  }
  // At any of the nodes, again and again under its key.
  void command(const std::string& what, const std::string& key, const char* body,
               const std::vector<std::string>& nodes) {
    Answer answer;
    for (std::size_t attempt = 0; attempt < 60 && answer.status != 200; ++attempt) {
      answer = post(world, "/v1/accounts/ann:" + what, key, body, nodes[attempt % nodes.size()]);
      if (answer.status != 200) world.run_for(200ms);
    }
    CAPTURE(answer.body);
    REQUIRE(answer.status == 200);
  }
  bool has_balance(int cents, const std::string& node) {
    const auto answer = get(world, "/v1/accounts/ann", node);
    CAPTURE(answer.body);
    return answer.body.find("\"minorUnits\":\"" + std::to_string(cents) + "\"") !=
           std::string::npos;
  }

  config::Manifest manifest = three_nodes(2);
  config::Manifest two, three;
  World world;
  std::unique_ptr<Hosting> host;
};

TEST_CASE("a node that began alone is joined by others, which go on when it is lost") {
  Alone alone{1};
  alone.command("open", "open", open_body, {"n1"});
  alone.command("deposit", "d1", one_cent, {"n1"});
  alone.two = with_node(alone.manifest, "n2");
  join(alone.world, alone.two, "n2", "n1");
  alone.three = with_node(alone.two, "n3");
  join(alone.world, alone.three, "n3", "n1");
  alone.until([&] { return alone.view("n3").reached(); });
  for (const std::string service : {bank_service, "commerce.v1.Inventory"})
    ordered_at(alone.world, "n2", R"({"replicate":{"service":")" + service + R"(","factor":3}})");
  for (const std::string node : {"n2", "n3"})
    alone.order(R"({"control":{"add":")" + node + R"("}})");

  const auto whole = [&] {
    const auto listed = ask_admin(alone.world, "/v1/cluster/shards", "n2").body;
    std::size_t voting = 0;
    for (const std::string role : {"\"role\":\"leader\"", "\"role\":\"follower\""})
      for (auto at = listed.find(role); at != std::string::npos; at = listed.find(role, at + 1))
        ++voting;
    return voting == 3 * 4;
  };
  alone.until(whole);
  alone.command("deposit", "d2", one_cent, {"n3"});
  alone.world.crash(alone.host->machine());
  alone.command("deposit", "d3", one_cent, {"n2", "n3"});
  CHECK(alone.has_balance(3, "n2"));
  CHECK(alone.has_balance(3, "n3"));
}

TEST_CASE("a node that is alone splits a shard, and has both after a restart") {
  Alone alone{2};
  alone.command("open", "open", open_body, {"n1"});
  // A service splits one at a time.
  for (const std::string shard : {"0", "1"})
    alone.order(R"({"split":{"service":"banking.v1.Accounts","shard":)" + shard + "}}");
  alone.until([&] {
    const auto table = alone.view().table();
    const auto* split = cluster::find_shard(table, bank_service, 1);
    return !split->has_split() && cluster::find_shard(table, bank_service, 3) != nullptr;
  });
  alone.command("deposit", "d1", one_cent, {"n1"});
  alone.world.crash(alone.host->machine());
  REQUIRE(alone.world.start(alone.host->machine()));
  alone.command("deposit", "d2", one_cent, {"n1"});
  CHECK(alone.has_balance(2, "n1"));
}

}  // namespace
}  // namespace troupe::simulations

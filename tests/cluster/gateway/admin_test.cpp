#include "cluster/gateway/admin.hpp"

#include <doctest/doctest.h>

#include "gateway_fixture.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::tests;

namespace {

struct FakeSource final : AdminSource {
  Result<void> ready() override { return is_ready; }
  void status(std::function<void(Result<NodeStatus>)> answer) override {
    statuses.push_back(answer);
  }
  void tree(std::function<void(Result<TreeNode>)> answer) override {
    TreeNode root;
    root.set_id("node");
    root.set_supervisor(true);
    root.add_children()->set_id("gateway");
    answer(root);
  }
  void shards(std::function<void(Result<ShardList>)> answer) override {
    answer(unavailable("NODE_STARTING", "the node is starting"));
  }

  void cluster(NodeQuestion::What what,
               std::function<void(Result<ClusterAnswer>)> answer) override {
    asked.push_back(what);
    ClusterAnswer all;
    all.add_nodes()->set_node("n2");
    answer(all);
  }

  Result<void> is_ready;
  std::vector<NodeQuestion::What> asked;
  std::vector<std::function<void(Result<NodeStatus>)>> statuses;
};

struct AdminFixture {
  Received ask(const std::string& bytes) {
    http.send(bytes);
    return response(http.take());
  }

  MemoryPlatform platform;
  FakeSource source;
  std::unique_ptr<AdminServer> admin =
      AdminServer::start(platform, source, {"127.0.0.1", 0}).value();
  MemoryClient http{platform, admin->local()};
};

}  // namespace

TEST_CASE("health and readiness are answered, and why a node is not ready") {
  AdminFixture node;
  CHECK(node.ask(get("/healthz")).body == "ok\n");
  CHECK(node.ask(get("/readyz")).status == 200);
  node.source.is_ready = unavailable("LOG_RECOVERING", "the log is being read");
  CHECK(node.ask(get("/healthz")).status == 200);
  const auto got = node.ask(get("/readyz"));
  CHECK(got.status == 503);
  CHECK(holds(got.body, "LOG_RECOVERING"));
  node.source.is_ready = failed_precondition("DISK_FULL", "no space");
  CHECK(node.ask(get("/readyz")).status == 503);
}

TEST_CASE("metrics are served in the text format") {
  AdminFixture node;
  node.platform.metrics().counter("troupe_things_total", "Things.").add(3);
  const auto got = node.ask(get("/metrics"));
  CHECK(got.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(holds(got.body, "troupe_things_total 3"));
  CHECK(holds(got.body, "troupe_http_connections{server=\"admin\"} 1"));
}

TEST_CASE("status, tree and shards are the node's messages as JSON") {
  AdminFixture node;
  node.http.send(get("/v1/status"));
  CHECK(node.http.take() == "");
  REQUIRE(node.source.statuses.size() == 1);
  NodeStatus status;
  status.set_node("n1");
  status.set_uptime_seconds(5);
  node.source.statuses[0](status);
  const auto got = response(node.http.take());
  CHECK(got.header("Content-Type") == "application/json");
  CHECK(got.header("Cache-Control") == "no-store");
  CHECK(holds(got.body, R"("node":"n1")"));
  CHECK(holds(got.body, R"("uptimeSeconds":"5")"));

  CHECK(holds(node.ask(get("/v1/tree")).body, R"("children":[{"id":"gateway",)"));
  const auto shards = node.ask(get("/v1/shards"));
  CHECK(shards.status == 503);
  CHECK(holds(shards.body, "NODE_STARTING"));

  CHECK(holds(node.ask(get("/v1/cluster/tree")).body, R"("nodes":[{"node":"n2","reason":"",)"));
  CHECK(node.source.asked == std::vector<NodeQuestion::What>{NodeQuestion::TREE});
}

TEST_CASE("an answer that the node drops is an error, not silence") {
  AdminFixture node;
  node.http.send(get("/v1/status"));
  node.source.statuses.clear();
  CHECK(response(node.http.take()).status == 500);
}

TEST_CASE("the admin address has nothing else, and is only read") {
  AdminFixture node;
  const auto missing = node.ask(get("/v1/nothing"));
  CHECK(missing.status == 404);
  CHECK(holds(missing.body, "/healthz, /readyz, /metrics, /v1/status, /v1/tree, /v1/shards"));
  const auto written = node.ask(post("/v1/status", "{}"));
  CHECK(written.status == 405);
  CHECK(written.header("Allow") == "GET, HEAD");
}

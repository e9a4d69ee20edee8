// What becomes of what nodes tell of their processors.
#include "cluster/directory/loads.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace troupe::cluster {
namespace {

using namespace std::chrono_literals;

constexpr const char* hot = "shop.v1.Orders";
constexpr const char* cold = "shop.v1.Reports";

// Nodes n1 ... with four processors each, two services, and a clock.
struct Cluster {
  explicit Cluster(int nodes) {
    for (const char* const name : {hot, cold}) {
      DirectoryService added;
      added.set_service(name);
      added.set_factor(3);
      put(table, added);
      for (std::uint32_t shard = 0; shard < 4; ++shard) {
        DirectoryShard one;
        one.set_service(name);
        one.set_shard(shard);
        put(table, one);
      }
    }
    resize(nodes);
  }
  void resize(int nodes) {
    for (int i = 1; i <= std::max(nodes, table.nodes_size()); ++i) {
      DirectoryNode node;
      node.set_name("n" + std::to_string(10 + i));
      node.set_state(i <= nodes ? DirectoryNode::UP : DirectoryNode::REMOVED);
      put(table, node);
    }
    up = nodes;
  }
  // Each node calls, and the keeper adds up: `cores` were busy for the hot service on all nodes
  // since the last time, a tenth of that for the cold one.
  void pass(Duration time, double cores) {
    now += time;
    for (int i = 1; i <= up; ++i) {
      const std::string name = "n" + std::to_string(10 + i);
      NodeLoad& load = told[name];
      const double ms = std::chrono::duration<double, std::milli>(time).count() * cores / up;
      load.set_processors(4);
      if (load.services_size() == 0)
        for (const char* const name_of : {hot, cold}) load.add_services()->set_service(name_of);
      for (int k = 0; k < 2; ++k) {
        auto& part = *load.mutable_services(k);
        part.set_processor_ms(part.processor_ms() +
                              static_cast<std::uint64_t>(k == 0 ? ms : ms / 10));
        part.set_commands(part.commands() + 10);
        part.set_bytes(1000);
      }
      load.set_processor_ms(load.services(0).processor_ms() + load.services(1).processor_ms());
      DirectoryCall call;
      call.mutable_self()->set_incarnation(1);
      *call.mutable_load() = load;
      loads.take(name, call, MonotonicTime{now});
    }
    loads.observe(table, WallTime{std::chrono::duration_cast<WallTime::duration>(now)});
  }
  DirectoryTable table;
  std::map<std::string, NodeLoad> told;
  std::unique_ptr<runtime::Metrics> metrics = runtime::Metrics::make();
  Loads loads{*metrics};
  Duration now = 1h;
  int up = 0;
};

}  // namespace

TEST_CASE("nothing is advised before nodes have told something twice") {
  Cluster cluster{3};
  CHECK(cluster.loads.advice().nodes() == 0);
  cluster.loads.observe(cluster.table, {});
  CHECK(cluster.loads.advice().nodes() == 0);
  cluster.pass(15s, 3);
  CHECK(cluster.loads.advice().nodes() == 0);
  cluster.pass(15s, 3);
  const AdviceReport advice = cluster.loads.advice();
  CHECK(advice.nodes() == 3);
  CHECK(advice.nodes_now() == 3);
  REQUIRE(advice.services_size() == 2);
  const auto& first = advice.services(0);
  CHECK(first.service() == hot);
  CHECK(first.cores_now() == doctest::Approx(3).epsilon(0.01));
  CHECK(first.shards_now() == 4);
  CHECK(first.replicas_now() == 3);
  CHECK(first.bytes() == 3000);
  CHECK(first.commands_per_second() == doctest::Approx(2));
  CHECK(cluster.loads.processors("n11") == 4);
}

TEST_CASE("the advice and the cost of services are metrics of who keeps the directory") {
  Cluster cluster{3};
  for (int i = 0; i < 3; ++i) cluster.pass(15s, 9);
  const auto says = [&](const std::string& line) {
    return cluster.metrics->text().find(line + "\n") != std::string::npos;
  };
  CHECK(says("troupe_advised_nodes " + std::to_string(cluster.loads.advice().nodes())));
  CHECK(says("troupe_service_bytes{service=\"shop.v1.Orders\"} 3000"));
  CHECK(cluster.metrics->text().find("troupe_advised_shards{service=\"shop.v1.Orders\"} 32") !=
        std::string::npos);
  cluster.loads.clear();
  CHECK(says("troupe_advised_nodes 0"));
  CHECK(says("troupe_service_bytes{service=\"shop.v1.Orders\"} 0"));
}

TEST_CASE("a node that starts again counts from its start, one that is silent as before") {
  Cluster cluster{3};
  for (int i = 0; i < 3; ++i) cluster.pass(15s, 3);
  const auto busy = [&] { return cluster.loads.advice().services(0).cores_now(); };
  cluster.loads.observe(cluster.table, WallTime{2h});
  CHECK(busy() == doctest::Approx(3).epsilon(0.01));
  DirectoryCall call;
  call.mutable_self()->set_incarnation(2);
  call.mutable_load()->set_processors(4);
  cluster.loads.take("n11", call, MonotonicTime{cluster.now});
  cluster.loads.observe(cluster.table, WallTime{3h});
  CHECK(busy() == doctest::Approx(2).epsilon(0.01));
}

TEST_CASE("a cluster that follows the advice over a day has enough, and pays for what it had") {
  Cluster cluster{3};
  double node_hours = 0;
  double hot_hours = 0;
  std::uint32_t most = 0;
  for (int minute = 0; minute < 24 * 60; ++minute) {
    const double turn = 2 * 3.14159265358979 * minute / (24 * 60);
    const double cores = 4 + 10 * (1 - std::cos(turn));  // 4 at night, 24 at noon
    cluster.pass(1min, cores);
    const AdviceReport advice = cluster.loads.advice();
    if (advice.nodes() == 0) continue;
    // As it is, and after the loss of one.
    CHECK(1.1 * cores <= 4 * cluster.up * 0.75);
    CHECK(1.1 * cores <= 4 * (cluster.up - 1));
    node_hours += cluster.up / 60.0;
    hot_hours += cores / 60.0;
    most = std::max(most, advice.nodes());
    if (advice.nodes() != static_cast<std::uint32_t>(cluster.up))
      cluster.resize(static_cast<int>(advice.nodes()));
  }
  const AdviceReport advice = cluster.loads.advice();
  CHECK(most >= 11);  // 26.4 / 2.4
  CHECK(most <= 14);
  CHECK(advice.nodes() <= 5);
  CHECK(advice.services(0).cpu_share() == doctest::Approx(10.0 / 11).epsilon(0.01));
  CHECK(advice.services(0).core_hours() == doctest::Approx(hot_hours).epsilon(0.05));
  CHECK(advice.services(0).node_hours() + advice.services(1).node_hours() ==
        doctest::Approx(node_hours).epsilon(0.05));
}

}  // namespace troupe::cluster

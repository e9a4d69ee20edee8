// The ledger while an operator splits shards, at times that the seed draws: half of a shard's
// accounts go to a new one, with their history and the replies that are stored for them. Nodes
// crash, lose their disks and are cut off meanwhile. No client may notice but by waiting.
//
// Always on (simulations/checks): every replica that founds one of the new shard makes the same
// rows. In the end every order has been carried out.
#include <set>
#include <string>
#include <vector>

#include "cluster/directory/table.hpp"
#include "cluster/gateway/json.hpp"
#include "simulations/models/cluster_manifest.hpp"
#include "simulations/models/ledger_clients.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

constexpr const char* split_service = "banking.v1.Accounts";
constexpr const char* directory_page = "/v1/directory";

// As a node that answers knows it; empty: none does.
Task<cluster::DirectoryTable> look_at_directory(Operator& at, std::vector<std::string> nodes) {
  cluster::DirectoryTable table;
  for (const auto& node : nodes) {
    const auto body = co_await at.ask(node, directory_page);
    cluster::DirectoryView view;
    if (!body || !cluster::json_to_message(*body, view)) continue;
    if (view.table().version() > table.version()) table = view.table();
  }
  co_return table;
}

// Until some node has taken it, or says that it cannot be.
Task<void> order_split(Operator& at, std::vector<std::string> nodes, std::uint32_t shard) {
  const std::string json = R"({"split":{"service":")" + std::string{split_service} +
                           R"(","shard":)" + std::to_string(shard) + "}}";
  for (;;) {
    for (const auto& node : nodes) {
      const auto body = co_await at.order(node, directory_page, json);
      if (body) co_return;
      if (body.error().code == Code::invalid_argument) co_return;
    }
    co_await at.wait(500ms);
  }
}

// All that were ordered are over.
bool none_is_split(const cluster::DirectoryTable& table) {
  if (table.version() == 0) return false;
  for (const auto& shard : table.shards())
    if (shard.has_split()) return false;
  return true;
}

SIMULATION(split, "shards that are split while nodes fail neither lose nor double money") {
  auto random = sim.random(1);
  // Replicas on every node, so that none moves.
  const ClusterShape shape = random.between(0, 3) > 0 ? ClusterShape{3, 3} : ClusterShape{5, 5};
  const auto nodes = node_names(shape);
  std::vector<Duration> pauses;
  std::vector<std::uint32_t> draws;
  for (std::uint64_t i = random.between(2, 4); i > 0; --i) {
    pauses.push_back(random.between(500, 7'000) * 1ms);
    draws.push_back(static_cast<std::uint32_t>(random.between(0, 1'000)));
  }
  sim.faults(Faults::everything());
  sim.duration(25s);
  sim.manifest(cluster_manifest(shape, sim.random()));
  sim.operated(
      [nodes, pauses, draws](Operator& at) -> Script {
        for (std::size_t i = 0; i < pauses.size(); ++i) {
          co_await at.wait(pauses[i]);
          cluster::DirectoryTable table;
          while (!none_is_split(table)) {
            table = co_await look_at_directory(at, nodes);
            co_await at.wait(300ms);
          }
          const auto* service = cluster::find_service(table, split_service);
          if (service == nullptr) continue;
          const auto shards = static_cast<std::uint32_t>(service->first_bucket_size());
          co_await order_split(at, nodes, draws[i] % shards);
        }
        // It ends with the run when that does not come.
        for (cluster::DirectoryTable table; !none_is_split(table);) {
          table = co_await look_at_directory(at, nodes);
          co_await at.wait(300ms);
        }
      },
      false);
  declare_ledger(sim, {.spectators = 4});
}

}  // namespace
}  // namespace troupe::simulations

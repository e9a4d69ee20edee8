#include "simulations/models/cluster_operations.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "cluster/directory/formats.hpp"
#include "cluster/directory/policies.hpp"
#include "cluster/directory/service.hpp"
#include "cluster/directory/table.hpp"
#include "cluster/gateway/json.hpp"
#include "cluster/group_of.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;
using cluster::DirectoryNode;
using cluster::DirectoryOrder;
using cluster::DirectoryOutcome;

constexpr const char* orders_page = "/v1/directory";

// Nothing more can be said of an order: who decides has decided.
bool is_decided(const Error& why) {
  constexpr std::string_view decisions[] = {
      "NODE_NAME_TAKEN",    "NODE_STILL_NEEDED", "DIRECTORY_NODE_UNKNOWN", "PLACES_UNSUITABLE",
      "FACTOR_UNSUITABLE",  "DIRECTORY_CHANGED", "SHARD_UNKNOWN",          "SPLIT_UNSUITABLE",
      "CONTROL_UNSUITABLE", "CONTROL_CHANGING",  "CONTROL_MAJORITY",       "POLICY_UNSUITABLE"};
  return std::ranges::find(decisions, why.reason) != std::end(decisions);
}

// Votes somewhere, whatever anybody says.
std::string votes_in(Operator& at, const cluster::DirectoryTable& table, const std::string& node) {
  for (const auto& shard : table.shards())
    if (at.voters(cluster::group_of(shard.service(), shard.shard())).contains(node))
      return shard.service() + '/' + std::to_string(shard.shard());
  return {};
}

std::string uneven(const std::map<std::string, int>& counts, const char* what) {
  const auto [least, most] =
      std::ranges::minmax_element(counts, {}, [](const auto& one) { return one.second; });
  if (most->second - least->second <= 2) return {};
  return most->first + " has " + std::to_string(most->second) + ' ' + what + ", " + least->first +
         ' ' + std::to_string(least->second);
}

// What the table and the truth lack; empty: nothing.
std::string unrest(Operator& at, const cluster::DirectoryTable& table, const NodeNames& live,
                   bool zones) {
  std::map<std::string, int> replicas;
  std::map<std::string, int> leaders;
  for (const auto& name : live) {
    replicas[name] = leaders[name] = 0;
    const DirectoryNode* node = cluster::find_node(table, name);
    if (!node || node->state() != DirectoryNode::UP || node->draining())
      return name + " is " + (node ? cluster::state_of(*node) : "unknown");
  }
  for (const auto& shard : table.shards()) {
    const auto name = shard.service() + '/' + std::to_string(shard.shard());
    const auto factor = cluster::find_service(table, shard.service())->factor();
    if (static_cast<std::size_t>(shard.nodes_size()) != std::min<std::size_t>(factor, live.size()))
      return name + " has " + std::to_string(shard.nodes_size()) + " places, its factor is " +
             std::to_string(factor);
    const std::set<std::string> wished{shard.nodes().begin(), shard.nodes().end()};
    for (const auto& node : wished) {
      if (!replicas.contains(node)) return name + " is to be on " + node + ", which is not there";
      ++replicas[node];
    }
    ++leaders[shard.nodes(0)];
    if (at.voters(cluster::group_of(shard.service(), shard.shard())) != wished)
      return name + " has its voters elsewhere than the directory wants them";
  }
  const auto keepers = cluster::control_nodes(table);
  if (at.voters(cluster::directory_group) != std::set<std::string>{keepers.begin(), keepers.end()})
    return "the directory is kept by others than it says itself";
  if (zones) return {};
  const auto wrong = uneven(replicas, "replicas");
  return wrong.empty() ? uneven(leaders, "leaders") : wrong;
}

std::string text_of(const cluster::BalanceReport& plan) {
  if (!plan.waits_for().empty()) return "balancing waits for " + plan.waits_for();
  if (plan.steps_size() == 0) return {};
  const auto& step = plan.steps(0);
  return "the balancer would still move " + step.service() + '/' + std::to_string(step.shard()) +
         ": " + step.why();
}

// Where what a node goes by is not what the table says; empty: nowhere.
std::string other_policies(const cluster::DirectoryTable& table,
                           const cluster::PolicyReport& report) {
  for (const auto& group : report.groups()) {
    const auto wanted = cluster::policies_in(table, group.of());
    for (const auto& value : group.values()) {
      if (!value.fixed().empty()) continue;
      const auto found = wanted.find(value.key());
      const std::string& right = found == wanted.end() ? value.manifest() : found->second;
      if (value.value() != right)
        return "node " + report.node() + " goes by " + value.key() + " = " + value.value() +
               ", the directory says " + right;
    }
  }
  return {};
}

Task<std::string> look_at_policies(Operator& at, cluster::DirectoryTable table, NodeNames live) {
  DirectoryOrder question;
  question.mutable_policy();
  const auto json = cluster::message_to_json(question);
  for (const auto& node : live) {
    const auto body = co_await at.order(node, orders_page, *json);
    DirectoryOutcome outcome;
    if (!body || !cluster::json_to_message(*body, outcome))
      co_return "node " + node + " does not say what policies it goes by";
    auto wrong = other_policies(table, outcome.policies());
    if (!wrong.empty()) co_return wrong;
  }
  co_return std::string{};
}

Task<std::string> look_for_unrest(Operator& at, NodeNames live, bool zones) {
  const auto table = co_await table_of(at, live);
  if (!table) co_return std::string{"nobody keeps the directory"};
  auto wrong = unrest(at, *table, live, zones);
  if (!wrong.empty()) co_return wrong;
  wrong = co_await look_at_policies(at, *table, live);
  if (!wrong.empty()) co_return wrong;
  DirectoryOrder order;
  order.mutable_question()->set_plan(true);
  const auto outcome = co_await order_anywhere(at, live, order);
  if (!outcome) co_return outcome.error().describe();
  co_return text_of(outcome->plan());
}

bool any_is_split(const cluster::DirectoryTable& table) {
  return std::ranges::any_of(table.shards(), [](const auto& shard) { return shard.has_split(); });
}

}  // namespace

Task<std::optional<cluster::DirectoryTable>> table_of(Operator& at, NodeNames nodes) {
  std::optional<cluster::DirectoryTable> table;
  for (const auto& node : nodes) {
    const auto body = co_await at.ask(node, orders_page);
    cluster::DirectoryView view;
    if (!body || !cluster::json_to_message(*body, view) || !view.reached()) continue;
    if (!table || view.table().version() > table->version()) table = view.table();
  }
  co_return table;
}

Task<Result<DirectoryOutcome>> order_anywhere(Operator& at, NodeNames nodes, DirectoryOrder order) {
  const auto json = cluster::message_to_json(order);
  for (;;) {
    const std::string node = nodes[at.between(0, nodes.size() - 1)];
    const auto body = co_await at.order(node, orders_page, *json);
    DirectoryOutcome outcome;
    if (body && cluster::json_to_message(*body, outcome))
      co_return Result<DirectoryOutcome>{std::move(outcome)};
    if (!body && is_decided(body.error())) co_return Result<DirectoryOutcome>{body.error()};
    co_await at.wait(200ms);
  }
}

DirectoryOrder any_policy(Operator& at) {
  struct Choice {
    const char* key;
    std::vector<std::string> values;
  };
  const Choice choices[] = {{"limits.batch_commands", {"1", "7", "64"}},
                            {"limits.batches_in_flight", {"1", "2", "16"}},
                            {"limits.passivate_after", {"1s", "3s", "1m"}},
                            {"limits.resident_bytes", {"1MiB", "2MiB"}},
                            {"limits.history_page_events", {"3", "50"}},
                            {"quarantine.backoff_max", {"2s", "10s"}},
                            // Not so short that a replica of a node that is only down is given up
                            // before a disk is lost: then two of three are gone.
                            {"repair_after", {"2m", "10m"}}};
  const auto& choice = choices[at.between(0, std::size(choices) - 1)];
  const bool balancer = choice.key == std::string_view{"repair_after"};
  DirectoryOrder order;
  order.mutable_policy()->set_of(balancer ? std::string{cluster::balancer_policies}
                                          : moved_service);
  if (at.one_in(4)) {
    order.mutable_policy()->add_unset(choice.key);
    return order;
  }
  auto& set = *order.mutable_policy()->add_set();
  set.set_key(choice.key);
  set.set_value(choice.values[at.between(0, choice.values.size() - 1)]);
  return order;
}

DirectoryOrder drain_order(const std::string& node, bool cancel) {
  DirectoryOrder order;
  order.mutable_drain()->set_node(node);
  order.mutable_drain()->set_cancel(cancel);
  return order;
}

DirectoryOrder remove_order(const std::string& node) {
  DirectoryOrder order;
  order.mutable_remove()->set_node(node);
  return order;
}

Task<void> join(Operator& at, NodeNames nodes, std::string node) {
  DirectoryOrder order;
  order.mutable_admit()->set_cluster("rehearsal");
  order.mutable_admit()->mutable_node()->set_name(node);
  order.mutable_admit()->mutable_node()->set_mesh(node + ":7400");
  for (const auto& format : cluster::formats_read())
    order.mutable_admit()->mutable_node()->add_formats(format);
  co_await order_anywhere(at, nodes, order);
  if (at.is_gone(node)) at.bring_back(node, false);
}

Task<void> drain(Operator& at, NodeNames nodes, std::string node) {
  const auto order = drain_order(node);
  co_await order_anywhere(at, nodes, order);
  DirectoryOrder question;
  question.mutable_question()->set_left_on(node);
  for (bool empty = false; !empty;) {
    co_await at.wait(300ms);
    const auto outcome = co_await order_anywhere(at, nodes, question);
    if (!outcome) continue;
    const auto& left = outcome->left();
    empty =
        left.draining() && left.wished() + left.members() + left.leaders() + left.unknown() == 0;
  }
  const auto table = co_await table_of(at, nodes);
  const auto still = table ? votes_in(at, *table, node) : std::string{};
  if (!still.empty())
    at.complain("drain", node + " is said to have nothing left, but votes in " + still);
}

Task<void> split_a_shard(Operator& at, NodeNames nodes, std::uint64_t draw) {
  int shards = 0;
  const auto at_rest = [&](const std::optional<cluster::DirectoryTable>& table) {
    const auto* service = table ? cluster::find_service(*table, moved_service) : nullptr;
    if (service == nullptr || any_is_split(*table)) return false;
    shards = service->first_bucket_size();
    return true;
  };
  for (bool ready = false; !ready; co_await at.wait(200ms)) {
    const auto table = co_await table_of(at, nodes);
    ready = at_rest(table);
  }
  const int before = shards;
  DirectoryOrder order;
  order.mutable_split()->set_service(moved_service);
  order.mutable_split()->set_shard(
      static_cast<std::uint32_t>(draw % static_cast<std::uint64_t>(shards)));
  const auto ordered = co_await order_anywhere(at, nodes, order);
  if (!ordered) co_return;  // it has one bucket
  for (bool over = false; !over; co_await at.wait(200ms)) {
    const auto table = co_await table_of(at, nodes);
    over = at_rest(table) && shards > before;
  }
}

Task<void> come_to_rest(Operator& at, NodeNames live, bool zones, Duration patience) {
  std::optional<Duration> until;
  for (;;) {
    const auto wrong = co_await look_for_unrest(at, live, zones);
    if (wrong.empty()) co_return;
    if (!at.running() && !until) until = at.now() + patience;
    if (until && at.now() > *until) {
      at.complain("rest", "the cluster has not come to rest " + seconds_text(patience) +
                              " after everything was healed: " + wrong);
      co_return;
    }
    co_await at.wait(500ms);
  }
}

}  // namespace troupe::simulations

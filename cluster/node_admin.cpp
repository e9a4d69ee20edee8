#include "cluster/node_admin.hpp"

#include <utility>

#include "cluster/node_directory.hpp"
#include "runtime/telemetry/log_format.hpp"

namespace troupe::cluster {
namespace {

const char* state_name(actors::SupervisionTree::State state) {
  using State = actors::SupervisionTree::State;
  switch (state) {
    case State::starting:
      return "starting";
    case State::running:
      return "running";
    case State::restarting:
      return "restarting";
    case State::stopping:
      return "stopping";
    case State::stopped:
      return "stopped";
    case State::failed:
      return "failed";
  }
  return "unknown";
}

bool votes(const std::string& role) {
  return role == "leader" || role == "follower" || role == "candidate";
}

void fill(TreeNode& message, const actors::SupervisionTree::Node& node) {
  message.set_id(node.id);
  message.set_state(state_name(node.state));
  message.set_restarts(node.restarts);
  message.set_last_failure(node.last_failure);
  message.set_supervisor(node.supervisor);
  for (const auto& child : node.children) fill(*message.add_children(), child);
}

std::vector<std::string> others_of(const config::Manifest& manifest, const std::string& node) {
  std::vector<std::string> names;
  for (const config::Node& other : manifest.nodes)
    if (other.name != node) names.push_back(other.name);
  return names;
}

}  // namespace

struct NodeAdmin::ServiceMetrics {
  ServiceMetrics(runtime::Metrics& metrics, const std::string& service)
      : commands(
            metrics.counter("troupe_commands_total", "Commands that ran.", {{"service", service}})),
        reads(metrics.counter("troupe_reads_total", "Read-only calls that ran.",
                              {{"service", service}})),
        stale_reads(metrics.counter("troupe_stale_reads_total",
                                    "Reads that may be stale, answered by this node's replicas.",
                                    {{"service", service}})),
        late(metrics.counter("troupe_calls_late_total",
                             "Calls that were refused because their time was over.",
                             {{"service", service}, {"where", "shard"}})),
        errors(metrics.counter("troupe_errors_total", "Calls that a handler or a shard refused.",
                               {{"service", service}})),
        repeated(metrics.counter("troupe_repeated_total", "Commands answered with a stored reply.",
                                 {{"service", service}})),
        exceptions(metrics.counter("troupe_handler_exceptions_total", "Handlers that threw.",
                                   {{"service", service}})),
        stored(metrics.gauge("troupe_entities_stored", "Entities in shard files.",
                             {{"service", service}})),
        resident(metrics.gauge("troupe_entities_resident", "Entities in memory.",
                               {{"service", service}})),
        quarantined(metrics.gauge("troupe_entities_quarantined",
                                  "Keys that are refused for a while.", {{"service", service}})),
        processor(metrics.counter("troupe_processor_seconds_total",
                                  "Processor time that the process used for the service.",
                                  {{"service", service}})),
        serving(
            metrics.gauge("troupe_shards_serving", "Shards that serve.", {{"service", service}})) {}

  runtime::Counter& commands;
  runtime::Counter& reads;
  runtime::Counter& stale_reads;
  runtime::Counter& late;
  runtime::Counter& errors;
  runtime::Counter& repeated;
  runtime::Counter& exceptions;
  runtime::Gauge& stored;
  runtime::Gauge& resident;
  runtime::Gauge& quarantined;
  runtime::Counter& processor;
  runtime::Gauge& serving;
};

NodeAdmin::NodeAdmin(runtime::Platform& platform, const config::Manifest& manifest,
                     const config::Node& node, const runtime::NodeLog& log, const Hosted& hosted,
                     NodeLoads& loads, std::shared_ptr<actors::SupervisionTree> tree)
    : platform_(platform),
      cluster_(manifest.cluster.name),
      node_(node.name),
      log_(log),
      hosted_(hosted),
      loads_(loads),
      tree_(std::move(tree)),
      started_(platform.clock().now()),
      handlers_(platform, hosted),
      serves_metrics_(manifest.metrics.enabled),
      view_(platform, *this, node.name, [this, others = others_of(manifest, node.name)] {
        return directory_->others(others);
      }) {
  for (const auto services = hosted.now(); const HostedService& service : *services)
    metrics_.push_back(
        std::make_unique<ServiceMetrics>(platform.metrics(), service.service->type->name));
}

NodeAdmin::~NodeAdmin() = default;

void NodeAdmin::reach(Mesh& mesh) {
  mesh_ = &mesh;
  view_.reach(mesh);
}

void NodeAdmin::listens_on(const std::optional<runtime::Address>& gateway,
                           const std::optional<runtime::Address>& grpc,
                           const runtime::Address& admin) {
  if (gateway) gateway_ = gateway->to_string();
  if (grpc) grpc_ = grpc->to_string();
  admin_ = admin.to_string();
}

Result<void> NodeAdmin::ready() {
  if (stopping_) return unavailable("NODE_STOPPING", "the node is stopping");
  for (const auto services = hosted_.now(); const HostedService& service : *services) {
    for (const HostedShard& shard : service.shards) {
      const auto vitals = shard.vitals->get();
      if (shard.came_later && !votes(vitals.consensus.role)) continue;
      if (vitals.state != "serving" && vitals.state != "following")
        return unavailable("SHARD_NOT_SERVING",
                           shard.spec.name() + " is " + vitals.state +
                               (vitals.problem.empty() ? "" : ": " + vitals.problem));
    }
  }
  tell_ready();
  return {};
}

void NodeAdmin::when_ready(std::function<void()> ready_call) {
  {
    const std::lock_guard guard{mutex_};
    when_ready_.push_back(std::move(ready_call));
  }
  (void)ready();
}

void NodeAdmin::tell_ready() {
  std::vector<std::function<void()>> calls;
  {
    const std::lock_guard guard{mutex_};
    calls.swap(when_ready_);
  }
  for (const auto& call : calls) call();
}

void NodeAdmin::publish_metrics() {
  backup_->tidy();
  handlers_.look();
  const auto services = hosted_.now();
  const NodeLoad load = loads_.now();
  for (std::size_t i = 0; i < services->size(); ++i) {
    ServiceMetrics& metrics = *metrics_[i];
    std::uint64_t commands = 0, reads = 0, errors = 0, repeated = 0, exceptions = 0;
    std::uint64_t stale_reads = 0, late = 0;
    std::uint64_t stored = 0, resident = 0, quarantined = 0, serving = 0;
    const auto count = [&](const HostedShard& shard) {
      commands += shard.vitals->commands;
      reads += shard.vitals->reads;
      stale_reads += shard.vitals->stale_reads;
      late += shard.vitals->late;
      errors += shard.vitals->errors;
      repeated += shard.vitals->repeated;
      exceptions += shard.vitals->exceptions;
    };
    for (const HostedShard& shard : (*services)[i].left) count(shard);
    for (const HostedShard& shard : (*services)[i].shards) {
      count(shard);
      const auto vitals = shard.vitals->get();
      stored += vitals.entities_stored;
      resident += vitals.entities_resident;
      quarantined += vitals.quarantined;
      serving += vitals.state == "serving";
    }
    const auto raise = [](runtime::Counter& counter, std::uint64_t to) {
      counter.add(static_cast<double>(to) - counter.value());
    };
    raise(metrics.commands, commands);
    raise(metrics.reads, reads);
    raise(metrics.stale_reads, stale_reads);
    raise(metrics.late, late);
    raise(metrics.errors, errors);
    raise(metrics.repeated, repeated);
    raise(metrics.exceptions, exceptions);
    const double processor_ms =
        static_cast<double>(load.services(static_cast<int>(i)).processor_ms());
    metrics.processor.add(processor_ms / 1000 - metrics.processor.value());
    metrics.stored.set(static_cast<double>(stored));
    metrics.resident.set(static_cast<double>(resident));
    metrics.quarantined.set(static_cast<double>(quarantined));
    metrics.serving.set(static_cast<double>(serving));
  }
}

void NodeAdmin::status(std::function<void(Result<NodeStatus>)> answer) {
  NodeStatus status;
  status.set_cluster(cluster_);
  status.set_node(node_);
  status.set_version(TROUPE_VERSION);
  status.set_uptime_seconds(
      std::chrono::duration_cast<std::chrono::seconds>(platform_.clock().now() - started_).count());
  status.set_gateway(gateway_);
  status.set_grpc(grpc_);
  status.set_admin(admin_);
  bool refusing = false;
  bool incomplete = false;
  for (const auto services = hosted_.now(); const HostedService& service : *services) {
    std::size_t not_voting = 0;
    std::size_t leaderless = 0;
    ServiceStatus& one = *status.add_services();
    one.set_service(service.service->type->name);
    one.set_context(service.service->type->context);
    one.set_kind("entity");
    one.set_shards(static_cast<std::uint32_t>(service.shards.size()));
    for (const HostedShard& shard : service.shards) {
      const auto vitals = shard.vitals->get();
      one.set_serving(one.serving() + (vitals.state == "serving"));
      one.set_entities_stored(one.entities_stored() + vitals.entities_stored);
      one.set_entities_resident(one.entities_resident() + vitals.entities_resident);
      one.set_commands(one.commands() + shard.vitals->commands);
      one.set_reads(one.reads() + shard.vitals->reads);
      one.set_errors(one.errors() + shard.vitals->errors + shard.vitals->exceptions);
      if (vitals.consensus.recovered)
        status.add_problems(shard.spec.name() + " was recovered by an operator's order at " +
                            runtime::to_string(*vitals.consensus.recovered) +
                            ", from this node's replica alone: what only the lost nodes had then "
                            "is lost. This is said until the node restarts");
      not_voting += vitals.consensus.role == "absent" || vitals.consensus.role == "catching up";
      leaderless += vitals.consensus.role == "candidate";
      if (vitals.state != "refusing") continue;
      refusing = true;
      status.add_problems(shard.spec.name() + " refuses commands: " + vitals.problem);
    }
    if (leaderless > 0) {
      incomplete = true;
      status.add_problems(
          service.service->type->name + ": this node knows no leader of " +
          std::to_string(leaderless) + " of its " + std::to_string(service.shards.size()) +
          " shards: commands are refused, for the moment of an election or until a majority of the "
          "replicas is linked");
    }
    if (not_voting == 0) continue;
    incomplete = true;
    status.add_problems(
        service.service->type->name + ": " + std::to_string(not_voting) + " of " +
        std::to_string(service.shards.size()) +
        " replicas of this node do not vote, or not yet; while that is so, one more node that "
        "fails can stop their shards. 'troupe shards' shows them: \"catching up\" goes on by "
        "itself, \"absent\" waits for the other nodes to lead and to take it in");
  }
  for (std::string& problem : handlers_.problems()) {
    incomplete = true;
    status.add_problems(std::move(problem));
  }
  for (const MeshLinkStatus& link : mesh_->status())
    if (!mesh_->is_up(link.node) && !link.last_error.empty())
      status.add_problems("there is no link to node " + link.node + ": " + link.last_error);
  const auto log = log_.stats();
  status.mutable_log()->set_commits(log.commits);
  status.mutable_log()->set_entries(log.entries);
  status.mutable_log()->set_segments(log.segments);
  status.mutable_log()->set_bytes(log.segment_bytes);
  status.mutable_log()->set_disk_full(log.disk_full);
  if (log.disk_full)
    status.add_problems(
        "the disk of the node log is full: commands are refused until there is space again");
  status.set_memory_bytes(platform_.resident_bytes());
  status.set_state(stopping_                                 ? "stopping"
                   : refusing || incomplete || log.disk_full ? "degraded"
                   : ready()                                 ? "serving"
                                                             : "starting");
  answer(std::move(status));
}

void NodeAdmin::tree(std::function<void(Result<TreeNode>)> answer) {
  TreeNode root;
  fill(root, tree_->snapshot());
  answer(std::move(root));
}

void NodeAdmin::directory(std::function<void(Result<DirectoryView>)> answer) {
  answer(directory_->view());
}

void NodeAdmin::order(const DirectoryOrder& order,
                      std::function<void(Result<DirectoryOutcome>)> answer) {
  directory_->order(order, std::move(answer));
}

void NodeAdmin::shards(std::function<void(Result<ShardList>)> answer) {
  ShardList list;
  for (const auto services = hosted_.now(); const HostedService& service : *services) {
    const auto buckets = router_->buckets(*service.service->type);
    for (const HostedShard& shard : service.shards) {
      const auto vitals = shard.vitals->get();
      ShardStatus& one = *list.add_shards();
      one.set_service(service.service->type->name);
      one.set_shard(shard.spec.shard);
      if (const auto own = buckets.find(shard.spec.shard); own != buckets.end()) {
        one.set_first_bucket(own->second.first);
        one.set_end_bucket(own->second.second);
      }
      one.set_node(node_);
      one.set_role(vitals.consensus.role);
      one.set_state(vitals.state);
      one.set_term(vitals.consensus.term);
      one.set_commit_index(vitals.consensus.commit);
      one.set_applied_index(vitals.applied);
      one.set_checkpointed_index(vitals.checkpointed);
      one.set_log_entries(vitals.consensus.last - vitals.consensus.snapshot);
      one.set_entities_stored(vitals.entities_stored);
      one.set_entities_resident(vitals.entities_resident);
      one.set_quarantined(vitals.quarantined);
      one.set_file_bytes(vitals.file_bytes);
    }
  }
  answer(std::move(list));
}

}  // namespace troupe::cluster

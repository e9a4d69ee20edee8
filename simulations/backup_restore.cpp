// A cluster is backed up while clients work and nodes fail, as `troupe backup` does it, and in the
// end a new cluster is made of the backup on machines that have lost everything.
//
// What was acknowledged before the backup of its shard began is in the backup. The new cluster is
// what the old one was at those moments: every entity's state and history follows from the commands
// that its shard's file holds, each once; what was answered under a key is answered the same again;
// and its replicas agree. Always on, as in any run.
#include <memory>
#include <string>

#include "cluster/backup/backup_run.hpp"
#include "cluster/gateway/json.hpp"
#include "simulations/models/cluster_manifest.hpp"
#include "simulations/models/cluster_operations.hpp"
#include "simulations/models/ledger_clients.hpp"
#include "simulations/world/clock.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

constexpr const char* backup_page = "/v1/backup";

struct BackupPlan {
  Names nodes;
  Duration begins{};
  unsigned given_up = 0;  // backups that are left unfinished before the one that counts
  std::vector<std::uint64_t> splits = {};  // of shards, before
  bool while_splitting = false;            // the last one may still be under way

  bool may_meet_a_split() const { return while_splitting || !splits.empty(); }
};

Task<cluster::BackupSurvey> look_what_there_is(Operator& at, Names nodes) {
  cluster::BackupSurvey survey;
  for (std::size_t i = 0; survey.services_size() == 0; ++i) {
    if (i > 0) co_await at.wait(100ms);
    const auto body = co_await at.ask(nodes[i % nodes.size()], backup_page);
    if (body && !cluster::json_to_message(*body, survey)) survey.Clear();
  }
  co_return survey;
}

Task<Result<cluster::BackupAnswer>> take_step(Operator& at, std::string node,
                                              cluster::BackupRequest request) {
  const auto json = cluster::message_to_json(request);
  auto body = co_await at.order(std::move(node), backup_page, *json);
  if (!body) co_return Result<cluster::BackupAnswer>{std::move(body).error()};
  cluster::BackupAnswer answer;
  const auto read = cluster::json_to_message(*body, answer);
  if (!read) co_return Result<cluster::BackupAnswer>{read.error()};
  co_return Result<cluster::BackupAnswer>{std::move(answer)};
}

// Whether it came to its end. `steps_max`: it is given up after so many.
Task<bool> back_up(Operator& at, BackupPlan plan, std::string folder, std::size_t steps_max) {
  const auto survey = co_await look_what_there_is(at, plan.nodes);
  cluster::BackupRun run{
      at.disk(), folder, [&at] {
        return (world_begin + std::chrono::duration_cast<WallTime::duration>(at.now()))
            .time_since_epoch()
            .count();
      }};
  if (const auto begun = run.begin(survey); !begun) {
    at.complain("backup", begun.error().describe());
    co_return false;
  }
  auto asked = plan.nodes[at.between(0, plan.nodes.size() - 1)];
  for (std::size_t steps = 0; steps < steps_max; ++steps) {
    const auto request = run.next();
    if (!request) break;
    if (run.pause() > Duration::zero()) co_await at.wait(run.pause());
    auto answer = co_await take_step(at, asked, *request);
    if (!answer) asked = plan.nodes[at.between(0, plan.nodes.size() - 1)];
    if (const auto heard = run.heard(answer); !heard) {
      // It met one, or who was asked has not heard of one.
      if (heard.error().reason == "BACKUP_SHARD_SPLIT" && plan.may_meet_a_split()) co_return false;
      // Nothing rots here, and nobody is away for a minute.
      at.complain("backup", heard.error().describe());
      co_return false;
    }
  }
  co_return run.done();
}

Task<void> order_a_split(Operator& at, Names nodes, std::uint64_t draw) {
  cluster::DirectoryOrder order;
  order.mutable_split()->set_service(moved_service);
  order.mutable_split()->set_shard(static_cast<std::uint32_t>(draw % 2));
  co_await order_anywhere(at, nodes, order);
}

Script operate(Operator& at, BackupPlan plan) {
  co_await at.wait(plan.begins - at.now());
  for (const auto draw : plan.splits) co_await split_a_shard(at, plan.nodes, draw);
  if (plan.while_splitting) co_await order_a_split(at, plan.nodes, at.between(0, 1'000));
  for (unsigned attempt = 1;; ++attempt) {
    const std::string folder = "/backups/" + std::to_string(attempt);
    const bool gives_up = attempt <= plan.given_up;
    const bool whole =
        co_await back_up(at, plan, folder, gives_up ? at.between(0, 12) : std::size_t{100'000});
    const auto catalogue = cluster::read_catalogue(at.disk(), folder);
    if (whole != catalogue.has_value())
      at.complain("backup", "a backup that is " + std::string{whole ? "" : "not "} +
                                "finished is taken for one that is" + (whole ? " not" : ""));
    if (whole) at.backed_up(folder);
    if (whole || (!gives_up && !plan.may_meet_a_split())) co_return;
    if (!gives_up) {
      co_await at.wait(500ms);
      continue;
    }
    cluster::BackupRun again{at.disk(), folder, [] { return std::int64_t{0}; }};
    if (again.begin({})) at.complain("backup", "a backup began in a folder of another one");
  }
}

SIMULATION(backup_restore, "of a backup that was made under load and faults, a cluster is made") {
  using K = FaultKind;
  auto random = sim.random(1);
  const auto shape = draw_cluster_shape(sim.random(2));
  BackupPlan plan;
  plan.nodes = node_names(shape);
  plan.begins = random.between(1'000, 12'000) * 1ms;
  plan.given_up = random.between(0, 2) == 0 ? 1 : 0;
  auto splits = sim.random(3);
  if (splits.between(0, 2) == 0) {
    for (auto i = splits.between(1, 2); i > 0; --i) plan.splits.push_back(splits.between(0, 1'000));
    plan.while_splitting = splits.between(0, 1) == 0;
    sim.settles_within(90s);
  }
  sim.faults(
      Faults::everything().only({K::kill, K::power_cut, K::pause, K::slow_disk, K::slow_link,
                                 K::partition, K::reset_link, K::clock_offset, K::clock_drift}));
  sim.duration(16s);
  sim.manifest(cluster_manifest(shape, sim.random()));
  declare_ledger(sim, {.customers = 6, .doubters = 3});
  sim.operated([plan](Operator& at) { return operate(at, plan); });
  sim.restored();
}

}  // namespace
}  // namespace troupe::simulations

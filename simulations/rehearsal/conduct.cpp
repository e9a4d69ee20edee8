#include "simulations/rehearsal/conduct.hpp"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <utility>

#include "simulations/rehearsal/excuses.hpp"
#include "simulations/rehearsal/patience.hpp"

namespace troupe::simulations {

namespace {

using namespace std::chrono_literals;

constexpr Duration tick_every = 20ms;
// Streams of clients: scripts first, then those that look at the end, then the operator.

constexpr std::uint64_t operating_client = 2'000'000;

std::map<std::string, runtime::Address> admins_of(const config::Manifest& manifest) {
  std::map<std::string, runtime::Address> admins;
  for (const auto& node : manifest.nodes) admins[node.name] = {node.admin.host, node.admin.port};
  return admins;
}

std::vector<runtime::Address> gateways_of(const config::Manifest& manifest) {
  std::vector<runtime::Address> gateways;
  for (const auto& node : manifest.nodes) {
    if (node.gateway) gateways.push_back({node.gateway->host, node.gateway->port});
  }
  return gateways;
}

// The kinds that this run may have, and which services' handlers may throw.
FaultPlan draw_plan(const RunOptions& options, const Draw& draw, const FaultPlan& incidents,
                    const config::Manifest& manifest, Duration duration) {
  if (options.plan) return *options.plan;
  std::vector<std::string> nodes;
  for (const auto& node : manifest.nodes) nodes.push_back(node.name);
  auto plan = draw_faults(options.seed, draw.mix, nodes, Duration{0}, duration);
  for (const auto& fault : incidents) {
    const auto& kinds = options.fault_kinds;
    if (!kinds || std::ranges::find(*kinds, fault.kind) != kinds->end()) plan.push_back(fault);
  }
  std::ranges::stable_sort(plan, {}, &Fault::at);
  return plan;
}

bool has(const FaultPlan& plan, FaultKind kind) {
  return std::ranges::find(plan, kind, &Fault::kind) != plan.end();
}

}  // namespace

Conduct::Conduct(Rehearsal::Declared declared, const RunOptions& options, config::Manifest manifest,
                 const Draw& draw)
    : declared_(std::move(declared)),
      options_(options),
      manifest_(std::move(manifest)),
      founding_(founding_manifest(manifest_, declared_.latecomers)),
      duration_(options.duration.value_or(declared_.duration)),
      handler_faults_(options.seed),
      services_(with_handler_faults(*declared_.registry, handler_faults_)),
      world_({.seed = options.seed,
              .network_times = draw.network_times,
              .schedule = draw.schedule,
              .trace = options.trace,
              .sink = options.sink}),
      setting_{world_, history_, gateways_of(manifest_)},
      voters_(place_voters(founding_, services_)),
      survivable_(survivable_losses(voters_)),
      restarts_(manifest_) {
  for (const auto& [group, nodes] : voters_) world_.checks().expect_voters(group, nodes);
  for (const auto& node : manifest_.nodes) {
    const bool joins = declared_.latecomers.contains(node.name);
    auto others = declared_.latecomers;
    others.erase(node.name);
    if (joins) manifests_of_[node.name] = founding_manifest(manifest_, others);
    hosts_.push_back(std::make_unique<Hosting>(world_, joins ? manifests_of_[node.name] : founding_,
                                               node, services_, survivable_ > 0, joins));
    hosts_.back()->machine().hardware.work_times = draw.work_times;
    hosts_.back()->machine().hardware.processor_times = declared_.processor_times;
  }
  if (!declared_.formats.empty()) {
    programs_.emplace([this](const std::string& what) { fail("formats", what); });
    for (const auto& node : manifest_.nodes) {
      const auto older = declared_.formats.find(node.name);
      install(node.name,
              older == declared_.formats.end() ? cluster::formats_read() : older->second);
    }
    world_.checks().on_delivered = [this](const std::string& node, runtime::GroupId group,
                                          const runtime::SharedBytes& payload) {
      programs_->handed(node, group, payload);
    };
  }
  auto plan = draw_plan(options_, draw, declared_.incidents, manifest_, duration_);
  setting_.handlers_may_throw = declared_.handlers_throw || has(plan, FaultKind::handler_throws);
  setting_.complain = [this](const std::string& check, const std::string& what) {
    if (!promises_nothing()) fail(check, what);
  };
  setting_.observe = [this](const Operation& operation) { observe(operation); };
  setting_.answers_may_be_lost = declared_.operates && declared_.recovers;
  setting_.is_lost = [this](const Operation& operation) {
    return std::ranges::any_of(losses_,
                               [&](const KnownLoss& known) { return rests_on(operation, known); });
  };
  setting_.lingering = lingering(manifest_, plan);
  setting_.retry_max = retry_max(manifest_, setting_.lingering);
  if (const auto fits = check_fault_plan(plan, world_); !fits) {
    fail("fault plan", fits.error().message);
    plan.clear();
  }
  injector_ = std::make_unique<Injector>(
      world_, std::move(plan), &handler_faults_,
      Injector::Options{
          .on_failure = [this](Machine& machine, const Error& why) { node_failed(machine, why); }});
  for (const auto& node : declared_.latecomers) injector_->hold_back(*world_.find(node));
  world_.checks().on_lost = [this](const ReplicaChecks::Loss& loss) {
    note(loss.node, "of group " + std::to_string(loss.group) + " what is behind entry " +
                        std::to_string(loss.last) + " is lost");
    losses_.push_back({loss, world_.now()});
  };
  world_.checks().on_alone = [this](const std::string& node, runtime::GroupId group) {
    note(node, "goes on alone with group " + std::to_string(group));
    alone_[group] = world_.now();
  };
  for (const auto& make : watchers()) watchers_.push_back(make(world_));
}

Conduct::~Conduct() {
  over_ = true;
  roles_.clear();  // scripts before what they wait for
}

void Conduct::run() {
  if (failures_.empty()) start_nodes();
  begin_clients();
  tick();
  world_.run_until([&] { return !failures_.empty(); }, duration_);
  setting_.running = false;
  if (failures_.empty()) {
    injector_->heal_all();
    healed_at_ = world_.now();
    note("clients", "---- all faults are healed");
    settle();
  }
  if (promises_nothing()) {
    if (failures_.empty()) read_what_is_left();
    over_ = true;
    return;  // nothing more is promised
  }
  if (failures_.empty()) ask_every_entity();
  if (failures_.empty()) run_finals();
  if (failures_.empty()) catch_up();
  if (failures_.empty()) stop_and_inspect();
  if (failures_.empty() && declared_.restored) restore_backup();
  over_ = true;
}

bool Conduct::promises_nothing() const {
  const auto harmed = harmed_nodes(injector_->took_place());
  if (harmed.size() <= survivable_) return false;
  return std::ranges::any_of(voters_, [&](const auto& group) {
    const auto count = std::ranges::count_if(
        group.second, [&](const std::string& node) { return harmed.contains(node); });
    return 2 * static_cast<std::size_t>(count) >= group.second.size() &&
           !alone_.contains(group.first);
  });
}

void Conduct::fail(std::string check, std::string what) {
  failures_.push_back({std::move(check), std::move(what), world_.now()});
}

void Conduct::note(const std::string& column, std::string text) {
  events_.push_back({world_.now(), column, std::move(text)});
}

// --- clients
// --------------------------------------------------------------------------------------

void Conduct::install(const std::string& node, const std::vector<std::string>& formats) {
  for (auto& host : hosts_)
    if (host->machine().name() == node) host->reads(formats);
  if (programs_) programs_->install(node, formats);
}

Operator::Tools Conduct::operating_tools() {
  return {.admins = admins_of(manifest_),
          .is_gone = [this](const auto& node) { return injector_->is_gone(*world_.find(node)); },
          .bring_back = [this](const auto& node,
                               bool empty) { injector_->bring_back(*world_.find(node), empty); },
          .backed_up = [this](const auto& folder) { backup_ = folder; },
          .retire = [this](const auto& node) { injector_->retire(*world_.find(node)); },
          .voters = [this](auto group) { return world_.checks().voters(group); },
          .install = [this](const auto& node, auto formats) { install(node, formats); },
          .why_down = [this](const auto& node) -> std::optional<Error> {
            const auto& machine = *world_.find(node);
            return machine.up() ? std::nullopt : injector_->last_failure(machine);
          }};
}

void Conduct::begin_clients() {
  std::uint64_t number = 0;
  for (const auto& clients : declared_.clients) {
    for (unsigned i = 0; i < options_.clients.value_or(clients.count); ++i) {
      ++number;
      auto client =
          std::make_unique<Client>(setting_, "client " + std::to_string(number), number, false);
      roles_.push_back({std::move(client), [&](Client& one) { return clients.script(one); }, {}});
    }
  }
  if (declared_.operates) {
    auto operates = std::make_unique<Operator>(setting_, operating_tools(), operating_client);
    roles_.push_back({std::move(operates),
                      [&](Client& one) { return declared_.operates(dynamic_cast<Operator&>(one)); },
                      {}});
  }
  for (auto& role : roles_) {
    world_.after(role.client->between(Duration{0}, 50ms), [this, &role] {
      if (over_) return;
      role.running.emplace(role.begin(*role.client));
      role.running->start();
    });
  }
}

void Conduct::observe(const Operation& operation) {
  if (operation.outcome != Operation::Outcome::success) return;
  const auto* method = operation.service->descriptor()->method(static_cast<int>(operation.method));
  for (const auto& invariant : declared_.invariants) {
    if (invariant.message != method->output_type()->full_name() || invariant.holds(operation.reply))
      continue;
    fail("always: " + invariant.name,
         operation.text() + ' ' + describe_request(operation) + " -> " + describe_reply(operation));
  }
}

// --- what goes on beside them
// ---------------------------------------------------------------------

void Conduct::tick() {
  if (over_) return;
  watch();
  world_.after(tick_every, [this] { tick(); });
}

void Conduct::watch() {
  for (const auto& watcher : watchers_) {
    if (auto failure = watcher->failure()) failures_.push_back(std::move(*failure));
  }
  std::uint64_t lives = 0;
  for (const auto& host : hosts_) lives += host->machine().lives();
  if (const auto wrong = restarts_.look(world_.now(), lives, handler_faults_.not_made()))
    fail("supervision", *wrong);
  for (auto& role : roles_) {
    if (!role.ended()) continue;
    try {
      role.running->result();
    } catch (const std::exception& thrown) {
      fail("script", role.client->name() + " threw: " + thrown.what());
    }
  }
}

void Conduct::start_nodes() {
  for (auto& host : hosts_) {
    if (injector_->is_gone(host->machine())) continue;
    const auto started = world_.start(host->machine());
    if (!started)
      fail("start", host->machine().name() + " does not start: " + started.error().describe());
  }
}

bool Conduct::names_rotten_file(const Error& why, const std::string& node) const {
  // Where lost disks are replaced, a replacement comes without data and so without any that rots.
  if (survivable_ == 0 && took_place(injector_->injected(), {FaultKind::lost_disk})) return true;
  return std::ranges::any_of(injector_->rotten(), [&](const Injector::Rotten& rotten) {
    auto name = rotten.path.substr(rotten.path.rfind('/') + 1);
    if (name.ends_with("-wal")) name.resize(name.size() - 4);
    if (rotten.node != node) return false;
    // Rot in a log's newest transaction looks like a torn tail. That it was whole, a shard file
    // knows, and not which file of the log it was in.
    if (why.reason == "LOG_BEHIND_SHARD" && rotten.path.find("/log/") != std::string::npos)
      return true;
    return why.message.find(name) != std::string::npos;
  });
}

// It is started again by the injector.
void Conduct::node_failed(Machine& machine, const Error& why) {
  note(machine.name(), "ended by itself or did not start: " + why.describe());
  // What was found out while the faults were on may end the node a moment later, and behind the
  // requests that its gateway has begun.
  const Duration grace = 2s + manifest_.gateway.drain_timeout;
  const bool late = healed_at_ != Duration::max() && world_.now() > healed_at_ + grace &&
                    !harmed_nodes(injector_->took_place()).contains(machine.name());
  if (why.code == Code::data_loss && !names_rotten_file(why, machine.name())) {
    return fail("fail-stop", machine.name() +
                                 " found lost data, and names none of the files that "
                                 "rotted: " +
                                 why.describe());
  }
  if (why.code == Code::data_loss && survivable_ > 0 && !promises_nothing()) {
    note(machine.name(), "gets a new disk, and comes back as a replacement");
    injector_->lose_disk(machine);
  }
  if (excused(why, injector_->injected()) && !late) return;
  if (why.reason == "FORMAT_UNREADABLE" && programs_ && programs_->is_refused(machine.name()))
    return;
  fail("fail-stop",
       machine.name() +
           " ended by itself or did not start, and no fault of this run explains it: " +
           why.describe());
}

}  // namespace troupe::simulations

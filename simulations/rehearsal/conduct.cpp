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
// What "finishes in time" means once nothing is in the way any more.
constexpr Duration settle_max = 30s;
constexpr Duration stop_max = 60s;
// For looking at data that was harmed: a node that refuses to serve it is not waited for.
constexpr Duration left_max = 5s;

// What a file of a shard holds.
struct Contents {
  std::string node;
  std::uint64_t rows;
};

// Streams of clients: scripts first, then those that look at the end.
constexpr std::uint64_t final_client = 1'000'000;

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
      duration_(options.duration.value_or(declared_.duration)),
      handler_faults_(options.seed),
      services_(with_handler_faults(*declared_.registry, handler_faults_)),
      world_({.seed = options.seed,
              .network_times = draw.network_times,
              .schedule = draw.schedule,
              .trace = options.trace,
              .sink = options.sink}),
      setting_{world_, history_, gateways_of(manifest_)},
      voters_(place_voters(manifest_, services_)),
      survivable_(survivable_losses(voters_)),
      restarts_(manifest_) {
  for (const auto& [group, nodes] : voters_) world_.checks().expect_voters(group, nodes);
  for (const auto& node : manifest_.nodes) {
    hosts_.push_back(
        std::make_unique<Hosting>(world_, manifest_, node, services_, survivable_ > 0));
    hosts_.back()->machine().hardware.work_times = draw.work_times;
  }
  auto plan = draw_plan(options_, draw, declared_.incidents, manifest_, duration_);
  setting_.handlers_may_throw = declared_.handlers_throw || has(plan, FaultKind::handler_throws);
  setting_.complain = [this](const std::string& check, const std::string& what) {
    if (!promises_nothing()) fail(check, what);
  };
  setting_.observe = [this](const Operation& operation) { observe(operation); };
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
  world_.checks().on_lost = [this](const ReplicaChecks::Loss& loss) {
    note(loss.node, "the newest commit of the log has rotted away; of group " +
                        std::to_string(loss.group) + " what is behind entry " +
                        std::to_string(loss.last));
    losses_.push_back({loss, world_.now()});
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
  if (failures_.empty()) run_finals(2 * settle_max);
  if (failures_.empty()) catch_up();
  if (failures_.empty()) stop_and_inspect();
  over_ = true;
}

bool Conduct::promises_nothing() const {
  return harmed_nodes(injector_->took_place()).size() > survivable_;
}

void Conduct::fail(std::string check, std::string what) {
  failures_.push_back({std::move(check), std::move(what), world_.now()});
}

void Conduct::note(const std::string& column, std::string text) {
  events_.push_back({world_.now(), column, std::move(text)});
}

// --- clients
// --------------------------------------------------------------------------------------

void Conduct::begin_clients() {
  std::uint64_t number = 0;
  for (const auto& clients : declared_.clients) {
    for (unsigned i = 0; i < options_.clients.value_or(clients.count); ++i) {
      ++number;
      auto& role = roles_.emplace_back();
      role.client =
          std::make_unique<Client>(setting_, "client " + std::to_string(number), number, false);
      role.script = &clients.script;
    }
  }
  for (auto& role : roles_) {
    world_.after(role.client->between(Duration{0}, 50ms), [this, &role] {
      if (over_) return;
      role.running.emplace((*role.script)(*role.client));
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
  // What was found out while the faults were on may end the node a moment later.
  constexpr Duration grace = 2s;
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
  fail("fail-stop",
       machine.name() +
           " ended by itself or did not start, and no fault of this run explains it: " +
           why.describe());
}

// --- the end
// --------------------------------------------------------------------------------------

void Conduct::settle() {
  const auto all_ended = [&] {
    return !failures_.empty() ||
           std::ranges::all_of(roles_, [](const Role& role) { return role.ended(); });
  };
  if (world_.run_until(all_ended, settle_max)) return;
  if (promises_nothing()) return;  // a node may rightly refuse to start
  std::string what = "after all faults were healed these clients wait for longer than " +
                     seconds_text(settle_max) + ':';
  for (const auto& role : roles_) {
    if (role.ended()) continue;
    const auto* pending = role.client->pending();
    what += "\n    " + role.client->name() + ": " +
            (pending == nullptr ? "no call, its script goes on although running() is false"
                                : pending->text() + ", tried " + std::to_string(pending->attempts) +
                                      " times, last heard: " + pending->reason);
  }
  for (const auto& host : hosts_)
    what += "\n    " + host->machine().name() + (host->ready() ? " is ready" : " is not ready");
  fail("liveness", std::move(what));
}

bool Conduct::finish(Script& script, Duration limit) {
  script.start();
  return world_.run_until([&] { return script.done() || !failures_.empty(); }, limit) &&
         script.done();
}

// The newest command of each entity once more, as a new one: whatever it says, it is answered.
void Conduct::ask_every_entity() {
  Client client{setting_, "settling", final_client, true};
  std::vector<actors::CallBase> calls;
  for (const auto& [entity, operations] : history_.by_entity()) {
    const auto newest = std::find_if(operations.rbegin(), operations.rend(),
                                     [](const Operation* one) { return !one->read_only(); });
    if (newest == operations.rend()) continue;
    calls.push_back({(*newest)->service, (*newest)->method, (*newest)->key, (*newest)->request});
  }
  for (const auto& call : calls) {
    const auto ask = [](Client& asking, const actors::CallBase& what) -> Script {
      co_await asking.perform(what);
    };
    auto script = ask(client, call);
    if (finish(script, settle_max)) continue;
    const auto* last = client.pending();
    if (failures_.empty())
      fail("liveness", "a new command to a healed cluster has no answer after " +
                           seconds_text(settle_max) + ": " + (last ? last->text() : "") +
                           ", last heard: " + (last ? last->reason : ""));
    return;
  }
}

// Of data that was harmed nobody promises that it can be read, only that what is read is right:
// pages that a node keeps in memory are read anew, by the scripts for the end as far as they come.
void Conduct::read_what_is_left() {
  if (took_place(injector_->injected(), {FaultKind::lost_disk})) return;
  for (auto& host : hosts_) {
    auto& machine = host->machine();
    if (!machine.up()) continue;
    world_.kill(machine);
    if (const auto started = world_.start(machine); !started) node_failed(machine, started.error());
  }
  if (failures_.empty()) run_finals(left_max);
}

void Conduct::run_finals(Duration limit) {
  std::uint64_t number = final_client;
  for (const auto& final : declared_.finals) {
    Reading reading{setting_, "finally", ++number, true};
    auto script = final.script(reading);
    const auto check = "finally: " + final.name;
    if (!finish(script, limit)) {
      if (failures_.empty() && !promises_nothing())
        fail(check, "its script has not ended after " + seconds_text(limit));
      return;
    }
    try {
      script.result();
    } catch (const std::exception& thrown) {
      fail(check, std::string{"its script threw: "} + thrown.what());
    }
    if (reading.broken()) fail(check, *reading.broken());
  }
}

// Replicas that were behind, too, get all that was committed, and so do new ones on nodes that lost
// their disk.
void Conduct::catch_up() {
  const auto until = world_.now() + settle_max;
  while (failures_.empty() && world_.checks().behind() && world_.now() < until)
    world_.run_for(100ms);
  if (!failures_.empty() || !world_.checks().behind()) return;
  fail("liveness", "replicas have not caught up " + seconds_text(settle_max) +
                       " after everything was healed: " + *world_.checks().behind());
}

void Conduct::stop_and_inspect() {
  over_ = true;                              // what stops is not started again
  std::map<std::string, Contents> contents;  // by shard and chain
  std::set<std::string> rotten;              // nodes; there may be rot that nobody met
  for (const auto& one : injector_->rotten()) rotten.insert(one.node);
  for (auto& host : hosts_) {
    auto& machine = host->machine();
    if (!world_.stop(machine, stop_max)) {
      fail("stop", machine.name() + " did not stop in order within " + seconds_text(stop_max) +
                       (machine.crashed() ? ": " + machine.crashed()->describe() : ""));
      return;
    }
    const auto findings = host->inspect();
    if (!findings) {
      fail("files", machine.name() + ": " + findings.error().describe());
      return;
    }
    if (rotten.contains(machine.name())) continue;
    for (const auto& one : findings->findings) fail("files", machine.name() + ": " + one);
    for (const auto& [file, content] : findings->files) {
      const auto key = content.shard + '@' + std::to_string(content.chain);
      const auto [known, first] = contents.try_emplace(key, Contents{machine.name(), content.rows});
      if (known->second.rows != content.rows)
        fail("files", "the batches that are applied to " + content.shard + " are the same on " +
                          known->second.node + " and " + machine.name() +
                          ", and the rows of their files are not (" + file + ')');
    }
  }
}

}  // namespace troupe::simulations

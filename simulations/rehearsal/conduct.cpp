#include "simulations/rehearsal/conduct.hpp"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

namespace troupe::simulations {

namespace {

using namespace std::chrono_literals;

constexpr Duration tick_every = 20ms;
// What "finishes in time" means once nothing is in the way any more.
constexpr Duration settle_max = 30s;
constexpr Duration stop_max = 60s;

// Streams of clients: scripts first, then those that look at the end.
constexpr std::uint64_t final_client = 1'000'000;

bool plan_has(const FaultPlan& plan, std::initializer_list<FaultKind> kinds) {
  return std::ranges::any_of(plan, [&](const Fault& fault) {
    return std::ranges::find(kinds, fault.kind) != kinds.end();
  });
}

std::vector<runtime::Address> gateways_of(const config::Manifest& manifest) {
  std::vector<runtime::Address> gateways;
  for (const auto& node : manifest.nodes) {
    if (node.gateway) gateways.push_back({node.gateway->host, node.gateway->port});
  }
  return gateways;
}

}  // namespace

Conduct::Conduct(Rehearsal::Declared declared, const RunOptions& options, config::Manifest manifest)
    : declared_(std::move(declared)),
      options_(options),
      manifest_(std::move(manifest)),
      duration_(options.duration.value_or(declared_.duration)),
      world_({.seed = options.seed, .trace = options.trace}),
      setting_{world_, history_, gateways_of(manifest_)},
      random_(options.seed, Domain::knobs, 0, 1) {
  std::vector<Machine*> machines;
  std::vector<std::string> names;
  for (const auto& node : manifest_.nodes) {
    hosts_.push_back(std::make_unique<Hosting>(world_, manifest_, node, *declared_.registry));
    machines.push_back(&hosts_.back()->machine());
    names.push_back(node.name);
  }
  auto mix = declared_.faults;
  if (options_.fault_kinds) mix.kinds = *options_.fault_kinds;
  injection_ = std::make_unique<Injection>(
      world_, std::move(machines),
      options_.plan ? *options_.plan : draw_faults(options_.seed, mix, duration_, names));
  setting_.handlers_may_throw = plan_has(injection_->plan(), {FaultKind::handler_throws});
  setting_.observe = [this](const Operation& operation) { observe(operation); };
  // Long after the last attempt under a key no request of it is on its way any more, so that the
  // window has to outlast the retries and what lingers: a call's time at the gateway, a clogged
  // link, and clocks that went wrong meanwhile.
  auto window = manifest_.service_defaults.idempotency_window;
  for (const auto& [name, service] : manifest_.services)
    window = std::min(window, service.idempotency_window);
  constexpr Duration lingering = 35s;
  setting_.retry_max = std::max<Duration>(window - lingering, 1s);
  for (const auto& make : watchers()) watchers_.push_back(make(world_));
}

Conduct::~Conduct() {
  over_ = true;
  roles_.clear();  // scripts before what they wait for
}

void Conduct::run() {
  for (auto& host : hosts_) keep_up(*host);
  begin_clients();
  tick();
  world_.run_until([&] { return !failures_.empty(); }, duration_);
  setting_.running = false;
  if (failures_.empty()) {
    injection_->heal_all();
    healed_ = true;
    note("clients", "---- all faults are healed");
    settle();
  }
  if (failures_.empty()) ask_every_entity();
  if (failures_.empty()) run_finals();
  if (failures_.empty()) stop_and_inspect();
  over_ = true;
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
    world_.after(std::chrono::microseconds{random_.between(0, 50'000)}, [this, &role] {
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
  for (auto& host : hosts_) keep_up(*host);
  watch();
  world_.after(tick_every, [this] { tick(); });
}

void Conduct::watch() {
  for (const auto& watcher : watchers_) {
    if (auto failure = watcher->failure()) failures_.push_back(std::move(*failure));
  }
  for (auto& role : roles_) {
    if (!role.ended()) continue;
    try {
      role.running->result();
    } catch (const std::exception& thrown) {
      fail("script", role.client->name() + " threw: " + thrown.what());
    }
  }
}

// A service manager: starts what is down and not held down, a moment later.
void Conduct::keep_up(Hosting& host) {
  auto& machine = host.machine();
  if (machine.up()) return;
  if (machine.crashed() && crash_seen_[machine.name()] != machine.lives()) {
    crash_seen_[machine.name()] = machine.lives();
    note(machine.name(), "ended by itself: " + machine.crashed()->describe());
    if (!explained(*machine.crashed()))
      fail("fail-stop", machine.name() +
                            " ended by itself, and no fault of this run explains it: " +
                            machine.crashed()->describe());
  }
  if (machine.platform() != nullptr) return;  // it is being torn down
  if (injection_->holds_down(machine)) {
    start_at_.erase(machine.name());
    return;
  }
  const auto [planned, is_new] = start_at_.try_emplace(machine.name(), world_.now());
  if (is_new && machine.lives() > 0)
    planned->second += std::chrono::milliseconds{random_.between(0, 200)};
  if (world_.now() < planned->second) return;
  start_at_.erase(planned);
  note(machine.name(), "starts, life " + std::to_string(machine.lives() + 1));
  const auto started = world_.start(machine);
  if (started || machine.crashed()) return;
  note(machine.name(), "does not start: " + started.error().describe());
  if (!explained(started.error()))
    fail("start", machine.name() + " does not start, and no fault of this run explains it: " +
                      started.error().describe());
}

bool Conduct::explained(const Error& why) const {
  const auto& plan = injection_->plan();
  if (why.reason == "POWER_CUT")
    return plan_has(plan, {FaultKind::power_cut, FaultKind::power_cut_in_start});
  if (why.code == Code::data_loss)
    return plan_has(plan, {FaultKind::rot_log, FaultKind::rot_shard, FaultKind::lost_disk});
  if (why.code == Code::resource_exhausted) return plan_has(plan, {FaultKind::full_disk});
  // What the node says of a failed read, write or sync.
  return plan_has(plan, {FaultKind::read_error, FaultKind::write_error, FaultKind::sync_error}) &&
         !healed_;
}

// --- the end
// --------------------------------------------------------------------------------------

void Conduct::settle() {
  const auto all_ended = [&] {
    return !failures_.empty() ||
           std::ranges::all_of(roles_, [](const Role& role) { return role.ended(); });
  };
  if (world_.run_until(all_ended, settle_max)) return;
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

void Conduct::run_finals() {
  std::uint64_t number = final_client;
  for (const auto& final : declared_.finals) {
    Reading reading{setting_, "finally", ++number, true};
    auto script = final.script(reading);
    const auto check = "finally: " + final.name;
    if (!finish(script, 2 * settle_max)) {
      if (failures_.empty()) fail(check, "its script has not ended after 60 seconds");
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

void Conduct::stop_and_inspect() {
  over_ = true;  // what stops is not started again
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
    for (const auto& one : *findings) fail("files", machine.name() + ": " + one);
  }
}

}  // namespace troupe::simulations

#include "simulations/faults/injector.hpp"

#include <algorithm>
#include <utility>

#include "simulations/faults/rot.hpp"
#include "simulations/world/check.hpp"

namespace troupe::simulations {

namespace {

// A power cut in the midst of a write waits for that many writes no longer than this.
constexpr Duration cut_pending_max = std::chrono::seconds{1};
// How often a machine that was asked to end is looked at.
constexpr Duration stop_poll = std::chrono::milliseconds{5};

Result<void> check_machine(const World& world, const Fault& fault, const std::string& name,
                           bool may_be_outside) {
  if (may_be_outside && name == "outside") return {};
  std::string known;
  for (const auto& machine : world.machines()) {
    if (machine->name() == name) return {};
    known += (known.empty() ? "" : ", ") + machine->name();
  }
  return invalid_argument("FAULT_PLAN_INVALID",
                          "'" + to_text(fault) + "': there is no machine '" + name +
                              "'; this simulation has " + known +
                              (may_be_outside ? ", and outside for clients" : ""));
}

}  // namespace

Result<void> check_fault_plan(const FaultPlan& plan, const World& world,
                              const std::vector<std::string>* services) {
  for (const auto& fault : plan) {
    const auto& shape = shape_of(fault.kind);
    if (shape.node) TROUPE_CHECK(check_machine(world, fault, fault.node, shape.peer));
    if (shape.peer) TROUPE_CHECK(check_machine(world, fault, fault.peer, true));
    if (shape.service && services != nullptr &&
        std::ranges::find(*services, fault.peer) == services->end()) {
      return invalid_argument(
          "FAULT_PLAN_INVALID",
          "'" + to_text(fault) + "': no node hosts the service '" + fault.peer + "'");
    }
  }
  return {};
}

Injector::Injector(World& world, FaultPlan plan, HandlerFaults* handlers, Options options)
    : world_(world), plan_(std::move(plan)), handlers_(handlers), options_(std::move(options)) {
  const auto fits = check_fault_plan(plan_, world_);
  check(fits.has_value(), fits ? std::string{} : fits.error().message);
  check(!world_.on_down, "a second injector was made in one world");
  world_.on_down = [this](Machine& machine) { went_down(machine); };
  for (const auto& fault : plan_) {
    after(fault.at - world_.now(), [this, &fault] { begin(fault); });
  }
}

Injector::~Injector() {
  world_.on_down = nullptr;
}

void Injector::after(Duration delay, std::function<void()> what) {
  world_.after(std::max(delay, Duration{0}),
               [alive = std::weak_ptr{alive_}, what = std::move(what)] {
                 if (!alive.expired()) what();
               });
}

void Injector::begin(const Fault& fault) {
  if (healed_) return;
  auto* machine = shape_of(fault.kind).node ? world_.find(fault.node) : nullptr;
  switch (fault.kind) {
    case FaultKind::kill:
    case FaultKind::power_cut:
    case FaultKind::power_cut_in_start:
    case FaultKind::lost_disk:
    case FaultKind::gone:
      return take_down(*machine, fault);
    case FaultKind::pause:
      return stand_still(*machine, fault);
    case FaultKind::stop:
      if (!machine->up() || nodes_[fault.node].stopping == machine->lives()) return;
      take_place(fault);
      return stop(*machine, fault.lasts);
    case FaultKind::rot_log:
    case FaultKind::rot_shard: {
      const auto target =
          fault.kind == FaultKind::rot_log ? RotTarget::node_log : RotTarget::shard_file;
      const auto where =
          rot(machine->hardware.disk, target, static_cast<std::uint64_t>(fault.amount));
      if (!where) return;
      if (fault.kind == FaultKind::rot_log) world_.checks().log_rotted(fault.node);
      rotten_.push_back({fault.node, where->substr(0, where->rfind('@'))});
      return take_place(fault, " (" + *where + ')');
    }
    case FaultKind::reset_link:
      if (world_.reset_connections(fault.node, fault.peer) > 0) take_place(fault);
      return;
    case FaultKind::clock_offset:
      machine->hardware.clock.wall_offset = std::chrono::microseconds{fault.amount};
      return take_place(fault);
    case FaultKind::clock_drift:
      world_.set_drift(*machine, static_cast<std::int32_t>(fault.amount));
      return take_place(fault);
    case FaultKind::handler_throws:
    case FaultKind::shard_fails:
      if (handlers_ != nullptr) hold(fault);
      return;
    default:
      return hold(fault);
  }
}

void Injector::take_place(const Fault& fault, const std::string& where) {
  ++injected_[std::string{name_of(fault.kind)}];
  took_place_.push_back(fault);
  took_place_.back().at = world_.now();
  world_.note_fault(fault.node, to_text(took_place_.back()) + where);
}

// --- machines that go down
// ------------------------------------------------------------------------

void Injector::take_down(Machine& machine, const Fault& fault) {
  auto& node = nodes_[machine.name()];
  if (fault.kind == FaultKind::gone && !node.gone) return disappear(machine, fault);
  if (!machine.up() || node.cut_pending) return;
  if (fault.kind != FaultKind::power_cut || fault.amount == 0) {
    return take_down_now(machine, fault);
  }
  node.cut_pending = fault;
  machine.hardware.disk_faults.power_cut_after = static_cast<std::uint64_t>(fault.amount - 1);
  after(cut_pending_max, [this, &machine, life = machine.lives()] {
    auto& pending = nodes_[machine.name()].cut_pending;
    if (!pending || machine.lives() != life || !machine.up()) return;
    machine.hardware.disk_faults.power_cut_after.reset();
    take_down_now(machine, *std::exchange(pending, std::nullopt));
  });
}

void Injector::take_down_now(Machine& machine, const Fault& fault) {
  take_place(fault);
  if (fault.kind == FaultKind::kill) {
    world_.kill(machine);
  } else {
    world_.crash(machine);
  }
  if (fault.kind == FaultKind::lost_disk) lose_disk(machine);
  if (fault.kind == FaultKind::power_cut_in_start) {
    nodes_[machine.name()].cut_next_start = static_cast<std::uint64_t>(fault.amount);
  }
  plan_start(machine, fault.lasts);
}

// Also a machine that is down already: nobody starts it any more.
void Injector::disappear(Machine& machine, const Fault& fault) {
  take_place(fault);
  world_.crash(machine);
  auto& node = nodes_[machine.name()];
  node.gone = true;
  node.cut_next_start.reset();
  node.cut_pending.reset();
  machine.hardware.disk_faults.power_cut_after.reset();
  ++node.wish;
}

bool Injector::is_gone(const Machine& machine) const {
  const auto found = nodes_.find(machine.name());
  return found != nodes_.end() && found->second.gone;
}

void Injector::bring_back(Machine& machine, bool empty) {
  check(is_gone(machine), machine.name() + " is brought back and was not gone");
  nodes_[machine.name()].gone = false;
  if (empty) {
    lose_disk(machine);
    took_place_.push_back(
        {.kind = FaultKind::lost_disk, .at = world_.now(), .node = machine.name()});
  }
  world_.note_fault(machine.name(), empty ? "brought back with an empty disk" : "brought back");
  plan_start(machine, Duration{0});
}

void Injector::lose_disk(Machine& machine) {
  std::erase_if(rotten_, [&](const Rotten& one) { return one.node == machine.name(); });
  world_.lose_disk(machine);
}

void Injector::stand_still(Machine& machine, const Fault& fault) {
  if (!machine.up() || machine.paused()) return;
  take_place(fault);
  world_.pause(machine);
  after(fault.lasts, [this, &machine, fault, life = machine.lives()] {
    if (machine.lives() != life || !machine.paused()) return;
    world_.note_fault(fault.node, "healed: " + to_text(fault));
    world_.resume(machine);
  });
}

// --- machines that end in order, unless something else comes first

void Injector::stop(Machine& machine, Duration down_for) {
  nodes_[machine.name()].stopping = machine.lives();
  world_.ask_to_stop(machine);
  await_stop(machine, machine.lives(), down_for);
}

void Injector::await_stop(Machine& machine, std::uint32_t life, Duration down_for) {
  after(stop_poll, [this, &machine, life, down_for] {
    if (!machine.up() || machine.lives() != life) return;  // and whoever did that starts it again
    if (!world_.end_stopped(machine)) return await_stop(machine, life, down_for);
    machine.hardware.disk_faults.power_cut_after.reset();
    nodes_[machine.name()].cut_pending.reset();
    world_.note_fault(machine.name(), "has ended in order");
    plan_start(machine, down_for);
  });
}

bool Injector::anything_stops() const {
  return std::ranges::any_of(world_.machines(), [&](const auto& machine) {
    const auto found = nodes_.find(machine->name());
    return found != nodes_.end() && machine->up() && found->second.stopping == machine->lives();
  });
}

void Injector::retire(Machine& machine) {
  auto& node = nodes_[machine.name()];
  node.retires = true;
  if (!machine.up()) return plan_start(machine, Duration{0});
  if (node.stopping != machine.lives()) stop(machine, Duration{0});
}

// By itself: a fail-stop, or a power cut in the midst of a write.
void Injector::went_down(Machine& machine) {
  auto& node = nodes_[machine.name()];
  const auto why = machine.crashed().value_or(internal("it ended without a reason"));
  const auto pending = std::exchange(node.cut_pending, std::nullopt);
  if (pending && why.reason == "POWER_CUT") {
    take_place(*pending);
    return plan_start(machine, pending->lasts);
  }
  machine.hardware.disk_faults.power_cut_after.reset();
  failed(machine, why);
}

void Injector::failed(Machine& machine, const Error& why) {
  nodes_[machine.name()].failure = why;
  // The cut of a start may come long after it. It is no other fault, but it took place now.
  if (why.reason == "POWER_CUT")
    took_place_.push_back({.kind = FaultKind::power_cut_in_start,
                           .at = world_.now(),
                           .lasts = options_.retry,
                           .node = machine.name()});
  plan_start(machine, options_.retry);
  if (options_.on_failure) options_.on_failure(machine, why);
}

void Injector::plan_start(Machine& machine, Duration delay) {
  auto& node = nodes_[machine.name()];
  if (std::exchange(node.retires, false)) {
    node.gone = true;
    ++node.wish;
    return;
  }
  node.down_until = world_.now() + delay;
  const auto wish = ++node.wish;
  if (!options_.restarts) return;
  after(delay, [this, &machine, wish] {
    if (nodes_[machine.name()].wish == wish) start(machine);
  });
}

void Injector::start(Machine& machine) {
  if (machine.platform() != nullptr) return;  // somebody else was first
  auto& node = nodes_[machine.name()];
  if (node.gone) return;
  if (const auto cut = std::exchange(node.cut_next_start, std::nullopt)) {
    machine.hardware.disk_faults.power_cut_after = cut;
  }
  const auto started = world_.start(machine);
  if (!started) failed(machine, started.error());
}

bool Injector::holds_down(const Machine& machine) const {
  const auto found = nodes_.find(machine.name());
  return !machine.up() && found != nodes_.end() && world_.now() < found->second.down_until;
}

std::optional<Error> Injector::last_failure(const Machine& machine) const {
  const auto found = nodes_.find(machine.name());
  return found == nodes_.end() ? std::nullopt : found->second.failure;
}

// --- the end
// --------------------------------------------------------------------------------------

void Injector::heal_all() {
  healed_ = true;
  for (const auto& [number, active] : std::exchange(active_, {})) apply(active.fault);
  if (handlers_ != nullptr) handlers_->clear();
  for (const auto& machine : world_.machines()) {
    auto& node = nodes_[machine->name()];
    node.cut_next_start.reset();
    node.cut_pending.reset();
    machine->hardware.disk_faults.power_cut_after.reset();
    if (machine->hardware.clock.drift() != 0) world_.set_drift(*machine, 0);
    if (machine->paused()) world_.resume(*machine);
    if (!machine->up() && !node.gone) plan_start(*machine, Duration{0});
  }
  world_.note_fault("", "healed: everything");
}

bool Injector::everything_up() const {
  return std::ranges::all_of(
      world_.machines(), [](const auto& machine) { return machine->up() && !machine->paused(); });
}

}  // namespace troupe::simulations

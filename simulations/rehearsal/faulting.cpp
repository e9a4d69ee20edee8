#include "simulations/rehearsal/faulting.hpp"

#include <algorithm>

namespace troupe::simulations {
using namespace std::chrono_literals;

std::string_view name_of(FaultKind kind) {
  static constexpr const char* names[] = {
      "kill",      "power_cut", "power_cut_in_start", "pause",        "lost_disk",
      "slow_disk", "full_disk", "read_error",         "write_error",  "sync_error",
      "rot_log",   "rot_shard", "slow_link",          "clogged_link", "reset_link",
      "partition", "refused",   "clock_offset",       "clock_drift",  "handler_throws"};
  return names[static_cast<int>(kind)];
}

std::string to_text(const Fault& fault) {
  return std::string{name_of(fault.kind)} + ' ' + fault.node +
         " lasts=" + std::to_string(fault.lasts.count() / 1'000'000) +
         "ms amount=" + std::to_string(fault.amount);
}

FaultMix Faults::everything() {
  return {{FaultKind::kill, FaultKind::power_cut, FaultKind::power_cut_in_start,
           FaultKind::slow_disk, FaultKind::full_disk, FaultKind::write_error,
           FaultKind::sync_error}};
}

FaultPlan draw_faults(std::uint64_t seed, const FaultMix& mix, Duration duration,
                      const std::vector<std::string>& nodes) {
  RandomStream random{seed, Domain::scenario, 0, 777};
  FaultPlan plan;
  if (mix.kinds.empty() || random.between(0, 9) == 0) return plan;
  for (auto kind : mix.kinds) {
    const auto count = random.between(0, 3);
    for (std::uint64_t i = 0; i < count; ++i) {
      Fault fault;
      fault.kind = kind;
      fault.at = Duration{static_cast<Duration::rep>(
          random.between(0, static_cast<std::uint64_t>(duration.count())))};
      fault.lasts = std::chrono::milliseconds{random.between(10, 3000)};
      fault.node = nodes[random.between(0, nodes.size() - 1)];
      fault.amount = static_cast<std::int64_t>(random.between(1, 60'000));
      if (kind == FaultKind::power_cut_in_start) fault.amount %= 2000;
      plan.push_back(fault);
    }
  }
  std::ranges::stable_sort(plan, {}, &Fault::at);
  return plan;
}

Injection::Injection(World& world, std::vector<Machine*> machines, FaultPlan plan)
    : world_(world), machines_(std::move(machines)), plan_(std::move(plan)) {
  for (const auto& fault : plan_)
    world_.after(fault.at - world_.now(), [this, fault] {
      if (!healed_) inject(fault);
    });
}

void Injection::inject(const Fault& fault) {
  Machine* machine = nullptr;
  for (auto* one : machines_)
    if (one->name() == fault.node) machine = one;
  if (machine == nullptr) return;
  auto& faults = machine->hardware.disk_faults;
  const auto amount = static_cast<std::uint32_t>(fault.amount);
  const auto undo = [&](auto how) { world_.after(fault.lasts, how); };
  switch (fault.kind) {
    case FaultKind::kill:
    case FaultKind::power_cut:
    case FaultKind::power_cut_in_start:
      if (!machine->up()) return;
      world_.crash(*machine);
      down_until_[machine->name()] = world_.now() + fault.lasts;
      if (fault.kind == FaultKind::power_cut_in_start) faults.power_cut_after = amount;
      break;
    case FaultKind::slow_disk:
      faults.slow_jobs = 300'000;
      faults.slow_by_max = std::chrono::microseconds{amount};
      undo([&faults] { faults.slow_jobs = 0; });
      break;
    case FaultKind::full_disk:
      machine->hardware.disk.quota_bytes = machine->hardware.disk.used_bytes() + amount;
      undo([machine] { machine->hardware.disk.quota_bytes = UINT64_MAX; });
      break;
    case FaultKind::write_error:
      faults.write_errors = amount;
      undo([&faults] { faults.write_errors = 0; });
      break;
    case FaultKind::sync_error:
      faults.sync_errors = amount;
      undo([&faults] { faults.sync_errors = 0; });
      break;
    default:
      return;
  }
  ++injected_[std::string{name_of(fault.kind)}];
  events_.push_back({world_.now(), fault});
}

void Injection::heal_all() {
  healed_ = true;
  down_until_.clear();
  for (auto* machine : machines_) {
    machine->hardware.disk_faults = {};
    machine->hardware.disk.quota_bytes = UINT64_MAX;
  }
}

bool Injection::holds_down(const Machine& machine) const {
  const auto found = down_until_.find(machine.name());
  return found != down_until_.end() && world_.now() < found->second;
}

}  // namespace troupe::simulations

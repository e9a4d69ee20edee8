// Faults that last: what the world is like while some of them are on.
#include <algorithm>

#include "simulations/faults/injector.hpp"

namespace troupe::simulations {

namespace {

template <class Value>
void raise(Value& value, std::int64_t amount) {
  value = std::max(value, static_cast<Value>(amount));
}

}  // namespace

void Injector::hold(const Fault& fault) {
  Active active{fault, UINT64_MAX};
  if (fault.kind == FaultKind::full_disk) {
    active.quota = world_.find(fault.node)->hardware.disk.used_bytes() +
                   static_cast<std::uint64_t>(fault.amount);
  }
  const auto number = ++holds_;
  active_.emplace(number, std::move(active));
  take_place(fault);
  apply(fault);
  after(fault.lasts, [this, number] {
    const auto ended = active_.extract(number);
    if (!ended) return;
    const auto& its = ended.mapped().fault;
    world_.note_fault(its.node, "healed: " + to_text(its));
    apply(its);
  });
}

void Injector::apply(const Fault& changed) {
  const auto& shape = shape_of(changed.kind);
  if (shape.service) return apply_service(changed.kind, changed.peer);
  if (shape.peer) return apply_paths(changed.node, changed.peer);
  if (changed.kind != FaultKind::refused) return apply_disk(*world_.find(changed.node));
  world_.set_refusing(changed.node, std::ranges::any_of(active_, [&](const auto& entry) {
                        const auto& fault = entry.second.fault;
                        return fault.kind == FaultKind::refused && fault.node == changed.node;
                      }));
}

void Injector::apply_disk(Machine& machine) {
  DiskFaults faults;
  faults.power_cut_after = machine.hardware.disk_faults.power_cut_after;
  auto quota = UINT64_MAX;
  for (const auto& [number, active] : active_) {
    const auto& fault = active.fault;
    if (fault.node != machine.name()) continue;
    if (fault.kind == FaultKind::slow_disk) {
      faults.slow_jobs = 1'000'000;
      faults.slow_by_max =
          std::max<Duration>(faults.slow_by_max, std::chrono::microseconds{fault.amount});
    }
    if (fault.kind == FaultKind::read_error) raise(faults.read_errors, fault.amount);
    if (fault.kind == FaultKind::write_error) raise(faults.write_errors, fault.amount);
    if (fault.kind == FaultKind::sync_error) raise(faults.sync_errors, fault.amount);
    quota = std::min(quota, active.quota);
  }
  machine.hardware.disk_faults = faults;
  machine.hardware.disk.quota_bytes = quota;
}

void Injector::apply_paths(const std::string& one, const std::string& other) {
  world_.set_path(one, other, path_faults(one, other));
  world_.set_path(other, one, path_faults(other, one));
}

PathFaults Injector::path_faults(const std::string& from, const std::string& to) const {
  PathFaults faults;
  for (const auto& [number, active] : active_) {
    const auto& fault = active.fault;
    const bool there = fault.node == from && fault.peer == to;
    const bool back = fault.node == to && fault.peer == from;
    if (fault.kind == FaultKind::partition && (there || back)) faults.blocked = true;
    if (!there) continue;
    if (fault.kind == FaultKind::clogged_link) faults.blocked = true;
    if (fault.kind == FaultKind::lossy_link) raise(faults.lost, fault.amount);
    if (fault.kind == FaultKind::slow_link) {
      faults.slow_by_max =
          std::max<Duration>(faults.slow_by_max, std::chrono::microseconds{fault.amount});
    }
  }
  return faults;
}

void Injector::apply_service(FaultKind kind, const std::string& service) {
  std::uint32_t millionths = 0;
  for (const auto& [number, active] : active_) {
    const auto& fault = active.fault;
    if (fault.kind == kind && fault.peer == service) raise(millionths, fault.amount);
  }
  if (kind == FaultKind::handler_throws) {
    handlers_->set(service, millionths);
  } else {
    handlers_->set_making(service, millionths);
  }
}

}  // namespace troupe::simulations

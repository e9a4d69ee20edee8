// One thing that goes wrong, at one moment of a world. Faults are drawn ahead of a run into a list
// (FaultPlan), so that a run can be repeated with the list printed, changed or shrunk: a fault that
// is taken away moves no other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/result.hpp"
#include "runtime/time.hpp"

namespace troupe::simulations {

// Names are those of the text form. Add at the end of a group; docs/simulation.md lists them.
enum class FaultKind : std::uint8_t {
  // process
  kill,       // SIGKILL; what the system holds in its cache survives; restarts after `lasts`
  power_cut,  // un-synced writes are lost or torn; restarts after `lasts`
  power_cut_in_start,  // as power_cut, and once more after `amount` writes of the next start
  pause,      // the process stands still for `lasts` (SIGSTOP, a long stall); its clocks go on
  lost_disk,  // power cut, and the machine comes back with an empty disk
  // disk
  slow_disk,   // for `lasts`, jobs complete up to `amount` microseconds late
  full_disk,   // for `lasts`, only `amount` more bytes fit
  read_error,  // for `lasts`, `amount` of a million reads fail
  write_error,
  sync_error,
  rot_log,    // `amount` seeds which byte of the node log, or its WAL, is flipped
  rot_shard,  // ... of a shard file, or its WAL
  // network
  slow_link,     // for `lasts`, up to `amount` microseconds more per segment, node to peer
  clogged_link,  // for `lasts`, nothing of what node sends reaches peer
  reset_link,    // connections between node and peer are reset
  partition,     // for `lasts`, nothing passes between node and peer, both ways
  refused,       // for `lasts`, connections to node are refused
  // clock
  clock_offset,  // the wall clock is `amount` microseconds off (signed) from now on
  clock_drift,   // the clocks run `amount` millionths (signed) fast from now on
  // handler
  handler_throws,  // for `lasts`, `amount` of a million calls of a handler throw
};

std::string_view name_of(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::kill;
  Duration at{};     // since the world began
  Duration lasts{};  // until it heals; what it means stands with the kind
  std::string node;  // machine name; empty where the kind has none
  std::string peer;  // the other machine or "outside"; a service's name for handler_throws
  std::int64_t amount = 0;

  friend bool operator==(const Fault&, const Fault&) = default;
};

// In the order of `at`. Text: one fault a line, "#" begins a comment:
//   12.500s full_disk n1 lasts=2s amount=65536
using FaultPlan = std::vector<Fault>;

std::string to_text(const Fault& fault);
std::string to_text(const FaultPlan& plan);
// INVALID_ARGUMENT / FAULT_PLAN_INVALID with the line and what may stand there.
Result<FaultPlan> parse_fault_plan(std::string_view text);

}  // namespace troupe::simulations

// One thing that goes wrong, at one moment of a world. Faults are drawn ahead of a run into a list
// (FaultPlan, draw.hpp), so that a run can be repeated with the list printed, changed or shrunk: a
// fault that is taken away moves no other. The injector (injector.hpp) makes them happen.
//
// Every kind, with what its line of text holds beside time and kind:
//
//   kill                NODE lasts            SIGKILL; down for `lasts`
//   power_cut           NODE lasts amount     the same, and un-synced writes are lost or torn; in
//   the
//                                             midst of the `amount`-th write from then, 0: at once
//   power_cut_in_start  NODE lasts amount     again after `amount` writes of the start that follows
//   pause               NODE lasts            stands still
//   lost_disk           NODE lasts            power cut, and the disk comes back empty
//   gone                NODE                  power cut for good: nothing starts it again but the
//                                             scenario's operator (rehearsal/operator.hpp)
//   stop                NODE lasts            asked to end in order, as by SIGTERM; started again
//                                             `lasts` after it has ended
//   slow_disk           NODE lasts amount     jobs complete up to `amount` microseconds late
//   full_disk           NODE lasts amount     `amount` more bytes fit
//   read_error, write_error, sync_error
//                       NODE lasts amount     `amount` of a million calls fail
//   rot_log, rot_shard  NODE amount           one byte changes; `amount` seeds which (rot.hpp)
//   slow_link           NODE peer lasts amount  segments take up to `amount` microseconds longer
//   clogged_link        NODE peer lasts       nothing that NODE sends reaches peer
//   reset_link          NODE peer             connections between both are reset
//   partition           NODE peer lasts       nothing passes between both
//   refused             NODE lasts            connections to NODE are refused
//   lossy_link          NODE peer lasts amount  `amount` of a million segments are lost, which on a
//                                             byte stream is a delay: see network.hpp
//   clock_offset        NODE amount           wall clock `amount` microseconds off
//   clock_drift         NODE amount           clocks `amount` millionths fast
//   handler_throws      service lasts amount  `amount` of a million calls throw, on any node
//   shard_fails         service lasts amount  `amount` of a million entities cannot be made: their
//                                             constructor throws, which ends their shard's actor
//
// Segments that are duplicated or reordered do not show on a byte stream, and a handler takes no
// time in a world, so that it cannot be slow; there are no such kinds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/result.hpp"
#include "runtime/time.hpp"

namespace troupe::simulations {

// Names are those of the text form. Add at the end of a group.
enum class FaultKind : std::uint8_t {
  // process
  kill,       // SIGKILL; what the system holds in its cache survives; restarts after `lasts`
  power_cut,  // un-synced writes are lost or torn; restarts after `lasts`
  power_cut_in_start,  // as power_cut, and once more after `amount` writes of the next start
  pause,      // the process stands still for `lasts` (SIGSTOP, a long stall); its clocks go on
  lost_disk,  // power cut, and the machine comes back with an empty disk
  gone,       // power cut, and an operator decides about the machine; never drawn
  stop,       // ends in order (SIGTERM), as long as that takes; restarts after `lasts`
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
  lossy_link,    // for `lasts`, `amount` of a million segments from node to peer are lost
  // clock
  clock_offset,  // the wall clock is `amount` microseconds off (signed) from now on
  clock_drift,   // the clocks run `amount` millionths (signed) fast from now on
  // handler
  handler_throws,  // for `lasts`, `amount` of a million calls of a handler throw
  shard_fails,     // for `lasts`, `amount` of a million constructors of entities throw
};

// What a kind's faults consist of beside their time, and the bounds of `amount`.
struct FaultShape {
  FaultKind kind;
  std::string_view name;
  bool node = true;
  bool peer = false;
  bool service = false;  // in Fault::peer
  bool lasts = false;
  bool amount = false;
  std::int64_t amount_min = 0;
  std::int64_t amount_max = 0;
};

// All kinds, in the order of FaultKind.
const std::vector<FaultShape>& fault_shapes();
const FaultShape& shape_of(FaultKind kind);
std::string_view name_of(FaultKind kind);
// Whether it takes away or rots what was stored.
bool harms_data(FaultKind kind);
std::optional<FaultKind> fault_kind(std::string_view name);

struct Fault {
  FaultKind kind = FaultKind::kill;
  Duration at{};          // since the world began
  Duration lasts{};       // until it heals; what it means stands with the kind
  std::string node = {};  // machine name; empty where the kind has none
  std::string peer = {};  // the other machine or "outside"; a service's name for handlers
  std::int64_t amount = 0;

  friend bool operator==(const Fault&, const Fault&) = default;
};

// In the order of `at`. Text: one fault a line, "#" begins a comment:
//   12.500s full_disk n1 lasts=2s amount=65536
//   13s partition n1 peer=outside lasts=1.5s
//   20s handler_throws service=banking.v1.Accounts lasts=5s amount=10000
// A number with a unit (s, ms, us, ns) is a time. to_text() writes seconds.
using FaultPlan = std::vector<Fault>;

std::string to_text(const Fault& fault);
std::string to_text(const FaultPlan& plan);
// Sorted by time, those of one time as they stand in the text.
// INVALID_ARGUMENT / FAULT_PLAN_INVALID with the line and what may stand there.
Result<FaultPlan> parse_fault_plan(std::string_view text);

}  // namespace troupe::simulations

// Which faults a seed has.
//
// A FaultMix says what may go wrong and how much of it. Swarm testing (Groce et al., ISSTA 2012):
// a seed takes a subset of the kinds, each with an intensity of its own, and a schedule for its
// actors, since faults that are always all there hide what only a few of them bring about; about
// one seed in ten has none at all. draw_faults() then says when they happen.
//
// Every kind draws from streams of its own, named by the kind and the node, so that a kind that is
// taken away moves no fault of another.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "simulations/faults/fault.hpp"
#include "simulations/world/network.hpp"
#include "simulations/world/schedule.hpp"
#include "simulations/world/workers.hpp"

namespace troupe::simulations {

// How often a kind of fault happens and how bad it is. Bounds are included.
struct FaultRange {
  // Faults in 1000 simulated seconds, per node, or per service for handlers and shards. The number
  // of a run is this rate's, its fraction by chance; the times are spread evenly.
  std::uint32_t per_1000_s = 0;
  Duration lasts_min{0};
  Duration lasts_max{0};
  Duration lasts_long{0};  // one in eight lasts up to this instead; zero: none does
  std::int64_t amount_min = 0;
  std::int64_t amount_max = 0;

  friend bool operator==(const FaultRange&, const FaultRange&) = default;
};

struct FaultMix {
  std::map<FaultKind, FaultRange> kinds;

  // Rot and lost disks hit at most so many nodes as every shard can do without (possible_with()),
  // always the same ones in a run, so that nothing is lost for good. This allows them on all.
  bool data_may_be_lost = false;
  std::size_t harmed_max = 0;

  // Kinds that a simulation is about: every seed with faults has them.
  std::set<FaultKind> never_left_out;

  // Of handler_throws and shard_fails; none: they do not happen.
  std::vector<std::string> services;

  // The same, with only or without these kinds.
  FaultMix only(const std::vector<FaultKind>& kept) const;
  FaultMix without(const std::vector<FaultKind>& dropped) const;
  FaultMix with_services(std::vector<std::string> names) const;
  FaultMix with_data_loss() const;
  FaultMix always_with(std::set<FaultKind> kept) const;
  // The same, with so many times as many faults of this kind.
  FaultMix more(FaultKind kind, std::uint32_t times) const;
  // The same for a cluster that holds all that was acknowledged when so many nodes lose their data.
  // Without kinds that would have no fault then, or with no services; and without rot of the log,
  // unless data may be lost: its newest transaction may be taken for a torn tail, and a vote or an
  // acknowledgement with it (docs/decisions/0002), which no majority makes up for. Nodes stop in
  // order where others take over: what a node that is alone does then is in the tests of nodes.
  FaultMix possible_with(std::size_t survivable) const;
};

namespace Faults {  // NOLINT: reads as a type in scenarios
FaultMix none();
// Every kind, with these bounds. Amounts are in the kind's unit, see fault.hpp.
//
//   kind                per 1000 s  lasts            amount
//   kill                        50  50 ms - 3 s (20)
//   power_cut                   50  50 ms - 3 s (20) 0 - 200
//   power_cut_in_start          50  50 ms - 3 s (20) 0 - 1500
//   pause                       50  10 ms - 2 s (10)
//   lost_disk                   20  50 ms - 3 s (20)
//   stop                        50  50 ms - 3 s (10)
//   slow_disk                  100  100 ms - 3 s     1 ms - 1 s
//   full_disk                  100  500 ms - 5 s     0 - 256 KiB
//   read_error                  50  100 ms - 3 s     100 - 10,000
//   write_error                 50  100 ms - 3 s     100 - 10,000
//   sync_error                  50  100 ms - 3 s     100 - 10,000
//   rot_log, rot_shard          50                   any
//   slow_link                  150  100 ms - 5 s     1 ms - 100 ms
//   clogged_link               100  10 ms - 5 s
//   reset_link                 100
//   partition                  100  1 s - 2 s
//   refused                    100  10 ms - 2 s
//   lossy_link                 100  100 ms - 5 s     1,000 - 300,000
//   clock_offset               100                   -5 s - 5 s
//   clock_drift                100                   -5,000 - 5,000
//   handler_throws             100  500 ms - 5 s     100 - 10,000
//   shard_fails                100  10 ms - 1 s (5)  1,000 - 1,000,000
FaultMix everything();
}  // namespace Faults

// The faults of a run, from `begin` on for `duration`. Links are between a node and another one or
// the outside, in either direction. A partition cuts one node from one other or from all of them,
// or splits all into two groups, or cuts it from the other nodes alone: clients still reach it.
FaultPlan draw_faults(std::uint64_t seed, const FaultMix& mix,
                      const std::vector<std::string>& nodes, Duration begin, Duration duration);

// What a seed has beside the times of its faults.
struct Draw {
  bool calm = false;  // no faults at all
  FaultMix mix;       // its kinds, at its intensities
  Schedule schedule;
  NetworkTimes network_times;
  WorkTimes work_times;
  // Of others' making, by name: to_text() prints them.
  std::map<std::string, std::string> knobs;
};

// From streams of its own, apart from draw_faults().
Draw draw_swarm(std::uint64_t seed, const FaultMix& mix);

// One line: "schedule=priority/500/2 net<=0.400ms work<=2ms faults=kill:31,full_disk:80 x=7", with
// the kinds' rates per 1000 s, or "faults=none".
std::string to_text(const Draw& draw);

}  // namespace troupe::simulations

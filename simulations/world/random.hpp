// Random numbers as a function of the seed alone.
//
// Every subject that draws has a stream of its own, named by (domain, node, sequence). A stream is
// counter-based: its n-th number depends on the world's seed, the stream's name and n, on nothing
// else. So a fault that is taken away, or a connection that draws more often, moves no other draw.
//
// The n-th number is SplitMix64's (Steele, Lea, Flood: Fast splittable pseudorandom number
// generators, OOPSLA 2014): mix(key + n * golden), with a key that is mixed from seed and name. All
// arithmetic is on 64-bit integers, so every build draws the same.
#pragma once

#include <cstdint>

#include "runtime/platform/random.hpp"

namespace troupe::simulations {

// Numbers are part of every stream's name: add at the end, never renumber.
enum class Domain : std::uint32_t {
  platform = 1,         // what Platform::random() gives a node
  clock = 2,            // where a node's monotonic clock starts
  sqlite = 3,           // SQLite's own generator, and what its VFS hands out
  disk = 4,             // live disk faults
  crash = 5,            // what a crash leaves of un-synced data
  network = 6,          // delays and segments of a connection
  work = 7,             // durations of jobs
  scenario = 8,         // for whoever drives the world
  schedule = 9,         // which actor goes on
  network_faults = 10,  // delays and losses that a fault adds
  fault_plan = 11,      // when which fault happens
  swarm = 12,           // which kinds of faults, schedule and knobs a seed has
  handler = 13,         // which calls of a handler throw
  rot = 14,             // which byte rots
  client = 15,          // what a client chooses, and how it retries
  knobs = 16,           // how a seed sets up its nodes
};

class RandomStream final : public runtime::Random {
 public:
  RandomStream(std::uint64_t seed, Domain domain, std::uint32_t node, std::uint64_t sequence);

  std::uint64_t next() override;

  // True `millionths` times out of a million.
  bool chance(std::uint32_t millionths) { return next() % 1'000'000 < millionths; }

 private:
  std::uint64_t key_;
  std::uint64_t drawn_ = 0;
};

}  // namespace troupe::simulations

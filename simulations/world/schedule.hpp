// Which of the actors that have something to do goes on next. Any order is one that a scheduler
// with threads could bring about, one message at a time; the strategies look for bugs in different
// corners of them.
//
// Every strategy begins anew after `epoch_jobs` jobs, so that nothing waits for ever, even if two
// actors keep each other busy without letting time pass.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "simulations/world/random.hpp"

namespace troupe::simulations {

enum class Strategy : std::uint8_t {
  fifo,      // first in, first out; an actor with more messages queues up behind the others
  random,    // any, all equally likely
  priority,  // the one of the highest priority; priorities are drawn, and some change on the way
  starve,    // first in, first out, but one actor goes on only when no other can
};

std::string_view name_of(Strategy strategy);

struct Schedule {
  Strategy strategy = Strategy::fifo;
  std::uint32_t epoch_jobs = 1000;
  // Of `priority`, in each epoch: at so many drawn moments the actor that would go on drops below
  // all others. A bug that needs d moments in order is found with d-1 of them (Burckhardt et al.: A
  // randomized scheduler with probabilistic guarantees of finding bugs, ASPLOS 2010).
  std::uint32_t change_points = 2;
};

// Chooses for one life of a node. Not for `fifo`, which needs no choice.
class JobChooser {
 public:
  JobChooser(const Schedule& schedule, RandomStream random)
      : schedule_(schedule), random_(random) {}

  // Index of the job to run next; `actors` are those of the jobs that wait, in the order of the
  // queue. There is at least one.
  std::size_t choose(const std::vector<std::uint64_t>& actors);

 private:
  void begin_epoch(const std::vector<std::uint64_t>& actors);
  std::uint64_t priority(std::uint64_t actor) const;
  std::size_t highest(const std::vector<std::uint64_t>& actors) const;

  Schedule schedule_;
  RandomStream random_;
  std::uint32_t left_ = 0;                          // jobs of this epoch
  std::uint64_t victim_ = 0;                        // starve: the actor
  std::uint64_t key_ = 0;                           // priority: of the epoch
  std::vector<std::uint32_t> changes_;              // ... at which values of left_
  std::map<std::uint64_t, std::uint64_t> lowered_;  // ... actors, and their priorities since
};

}  // namespace troupe::simulations

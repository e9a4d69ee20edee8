// Many seeds of one or several simulations.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "simulations/campaign/crew.hpp"

namespace troupe::simulations {

struct Campaign {
  std::vector<Variation> variations;   // they take turns, seed by seed
  std::uint64_t first = 1;             // seeds are counted up from here,
  std::optional<std::uint64_t> seeds;  // ... this many of each variation; nullopt: until time is up
  std::optional<Duration> time;        // after it no run is begun; those that run may finish
  bool until_failure = false;          // the first seed that fails is the last
  CrewOptions crew;
};

struct CampaignProgress {
  std::uint64_t done = 0;
  std::optional<std::uint64_t> all;
  std::uint64_t failures = 0;
  Duration simulated{};          // by the runs that are done
  Duration elapsed{};            // real time since the campaign began
  std::optional<Duration> left;  // an estimate; nullopt: not known yet
};

struct CampaignWatcher {
  // Of every run, in the order of the seeds whatever the number of jobs.
  std::function<void(SeedResult result)> result;
  // A few times a second; may be empty.
  std::function<void(const CampaignProgress&)> progress;
};

enum class CampaignEnd : std::uint8_t { all_done, time_up, interrupted };

// Results depend on variations and seeds alone, unless a run meets the crew's limit of real time.
// An interruption kills the runs that are under way. Throws std::system_error if the system has no
// processes or memory left.
CampaignEnd run_campaign(const Campaign& campaign, const CampaignWatcher& watcher,
                         const Interruption& interruption);

// A seed that nobody has used lately, short enough to be typed: below 10^12.
std::uint64_t fresh_seed();

// As many as the process may use at once.
unsigned cores();

}  // namespace troupe::simulations

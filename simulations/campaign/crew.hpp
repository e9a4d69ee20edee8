// Runs of simulations in worker processes: a run goes in, what came of it comes out, whatever
// became of its process.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulations/campaign/shared_tail.hpp"
#include "simulations/campaign/workers.hpp"
#include "simulations/rehearsal/run.hpp"

namespace troupe::simulations {

using RunFunction = std::function<Outcome(const Simulation& simulation, const RunOptions& options)>;

// A declared simulation as a command line or a file varies it. The seed is set for each run.
struct Variation {
  std::string name;  // as whoever runs it says it: "ledger", "nightly/ledger.toml"
  const Simulation* simulation = nullptr;
  RunOptions options = {};
  std::optional<std::uint64_t> seeds = {};  // how many; nullopt: as the campaign says
  std::optional<std::uint64_t> first = {};
};

struct SeedResult {
  const Variation* variation = nullptr;
  Outcome outcome;
  bool died = false;    // its process ended before it answered
  std::string printed;  // the end of what the process of a failed run wrote

  bool failed() const { return outcome.failure.has_value(); }
  std::uint64_t seed() const { return outcome.seed; }
};

// Checks of failures that a process brings about by its end. `crash` goes on with ": SIGABRT".
inline constexpr std::string_view crash_check = "crash";
inline constexpr std::string_view hang_check = "hang";

struct CrewOptions {
  RunFunction run;
  unsigned jobs = 1;  // processes at a time
  Duration seed_limit = std::chrono::minutes{2};
  // A run whose process ends before it answers is run once more, with the end of its trace kept:
  // that becomes its log.
  bool again_for_log = true;
};

// The variation of a run outlives it.
class Crew {
 public:
  explicit Crew(CrewOptions options);

  bool full() const { return workers_.full(); }
  bool idle() const { return workers_.running() == 0; }
  unsigned jobs() const { return workers_.at_a_time(); }

  // There must be room. With `trace_file` the run writes a line for every event to it; whether it
  // can be written is the caller's to find out.
  void start(std::uint64_t ticket, const Variation& variation, const RunOptions& options,
             const std::string& trace_file = {});

  // Those that have ended, by ticket. Waits for one, up to `at_most`.
  std::map<std::uint64_t, SeedResult> wait(Duration at_most);

  void stop(std::uint64_t ticket);
  void stop_all();

 private:
  struct Run {
    const Variation* variation = nullptr;
    RunOptions options;
    std::string trace_file;
    std::unique_ptr<SharedTail> tail;   // of the second run
    std::optional<SeedResult> earlier;  // what came of the first, if this is the second
  };
  void launch(std::uint64_t ticket, Run run);
  SeedResult result_of(const Run& run, Workers::Ended& ended) const;

  CrewOptions options_;
  Workers workers_;
  std::map<std::uint64_t, Run> runs_;
};

}  // namespace troupe::simulations

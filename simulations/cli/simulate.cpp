#include "simulations/cli/simulate.hpp"

#include "cluster/cli/command/commands.hpp"
#include "cluster/cli/command/json.hpp"
#include "cluster/cli/command/table.hpp"
#include "simulations/cli/progress.hpp"
#include "simulations/cli/report.hpp"
#include "simulations/cli/request.hpp"
#include "simulations/cli/words.hpp"

namespace troupe::simulations {
namespace {

using cluster::CliIo;
using cluster::SimulateOptions;

// Failures that are printed with everything; of later ones a line says enough, until they are run
// alone.
constexpr std::uint64_t failures_in_full = 3;

int list(const CliIo& io, const SimulateOptions& options, const Repertoire& repertoire) {
  cluster::Table table{{{"NAME"}, {"SHOWS THAT"}}};
  for (const auto& simulation : repertoire.simulations) {
    table.add({{simulation.name, cluster::Tint::strong}, simulation.about});
    if (!options.json) continue;
    Line line;
    line.mutable_simulation()->set_name(simulation.name);
    line.mutable_simulation()->set_about(simulation.about);
    *io.out << cluster::to_json(line) << "\n";
  }
  if (repertoire.simulations.empty())
    *io.err << "troupe: this binary has no simulations\n";
  else if (!options.json)
    table.print(io);
  return cluster::exit_done;
}

class Command {
 public:
  Command(const CliIo& io, const SimulateOptions& options, const Repertoire& repertoire,
          const Request& request)
      : io_(io),
        options_(options),
        request_(request),
        summary_(request.campaign.variations, repertoire.marks),
        progress_(io) {}

  int run() {
    announce();
    const CampaignEnd end = run_campaign(request_.campaign,
                                         {[this](SeedResult result) { take(std::move(result)); },
                                          [this](const CampaignProgress& progress) {
                                            elapsed_ = progress.elapsed;
                                            progress_.show(progress);
                                            last_ = progress;
                                          }},
                                         interruption_);
    progress_.clear();
    if (!request_.trace.empty() && end != CampaignEnd::interrupted) trace();
    int status = summary_.failures() > 0 || differs_ ? cluster::exit_failed : cluster::exit_done;
    if (options_.shrink && end != CampaignEnd::interrupted) status = std::max(status, shrink());
    summarise(end);
    if (interruption_.signal() != 0 && status == cluster::exit_done)
      return 128 + interruption_.signal();
    return status;
  }

 private:
  bool only_one() const { return request_.one_seed && request_.campaign.variations.size() == 1; }

  // What has to be known to do it again. Not data, so on standard error.
  void announce() {
    if (request_.one_seed) return;
    *io_.err << "troupe: seeds from " << request_.campaign.first << " on"
             << (request_.fresh
                     ? "; --first " + std::to_string(request_.campaign.first) + " takes the same"
                     : std::string{})
             << "; " << counted(request_.campaign.crew.jobs, "job") << std::endl;
  }

  void take(SeedResult result) {
    summary_.add(result);
    if (options_.json) {
      *io_.out << cluster::to_json(line_of(result, request_)) << "\n" << std::flush;
    } else if (result.failed()) {
      progress_.clear();
      if (options_.verbose || summary_.failures() <= failures_in_full)
        print_failure(io_, result, request_, options_.verbose);
      else
        print_short_failure(io_, result, request_);
      *io_.out << std::flush;
    } else if (only_one()) {
      print_passed(io_, result, options_.verbose);
    }
    if (!worth_a_look_ || (result.failed() && !worth_a_look_->failed()))
      if (result.failed() || only_one()) worth_a_look_ = std::move(result);
  }

  // Runs the seed again, with a line for every event, and compares.
  void trace() {
    if (!worth_a_look_) {
      *io_.err << "troupe: no seed failed, so no trace was written\n";
      return;
    }
    CrewOptions crew_options = request_.campaign.crew;
    crew_options.again_for_log = false;
    Crew crew{crew_options};
    RunOptions options = worth_a_look_->variation->options;
    options.seed = worth_a_look_->seed();
    crew.start(0, *worth_a_look_->variation, options, request_.trace);
    std::map<std::uint64_t, SeedResult> results;
    while (results.empty() && interruption_.signal() == 0)
      results = crew.wait(std::chrono::milliseconds{100});
    if (results.empty()) return;
    const SeedResult& again = results.begin()->second;
    *io_.err << "troupe: the trace of " << worth_a_look_->variation->name << ", seed "
             << again.seed() << " is in " << request_.trace << "\n";
    if (again.outcome.hash == worth_a_look_->outcome.hash) return;
    differs_ = true;
    *io_.err << "troupe: this run's trace hash is not that of the run before: it depends on "
                "something that is not the seed's\n";
  }

  int shrink() {
    if (!worth_a_look_ || !worth_a_look_->failed()) {
      *io_.err << "troupe: no seed failed, so there is nothing to shrink\n";
      return request_.one_seed ? cluster::exit_usage : cluster::exit_done;
    }
    ShrinkOptions bounds;
    bounds.crew = request_.campaign.crew;
    bounds.time_max = request_.shrink_time;
    const Shrunk shrunk =
        simulations::shrink(*worth_a_look_, bounds, interruption_,
                            [this](const ShrinkProgress& progress) { progress_.show(progress); });
    progress_.clear();
    if (options_.json)
      *io_.out << cluster::to_json(line_of(shrunk, request_)) << "\n";
    else
      print_shrunk(io_, shrunk, request_);
    return cluster::exit_failed;
  }

  void summarise(CampaignEnd end) {
    if (end == CampaignEnd::interrupted) *io_.err << "troupe: stopped by a signal before the end\n";
    if (options_.json) {
      *io_.out << cluster::to_json(line_of(summary_, request_, end, elapsed_)) << "\n";
      return;
    }
    if (only_one()) return;
    if (options_.shrink && summary_.failures() > 0) *io_.out << "\n";
    print_summary(io_, summary_, options_.verbose);
    io_.out->flush();
    last_.left.reset();
    *io_.err << "troupe: " << progress_text(last_) << "; took " << human_time(elapsed_) << "\n";
  }

  const CliIo& io_;
  const SimulateOptions& options_;
  const Request& request_;
  Summary summary_;
  ProgressLine progress_;
  Interruption interruption_;
  Duration elapsed_{};
  CampaignProgress last_;
  std::optional<SeedResult> worth_a_look_;  // the first that failed, or the only run
  bool differs_ = false;                    // two runs of one seed had two hashes
};

}  // namespace

int simulate(const CliIo& io, const SimulateOptions& options, const Repertoire& repertoire) {
  if (options.list) return list(io, options, repertoire);
  const auto request = understand(io, options, repertoire);
  if (!request) return cluster::exit_usage;
  return Command{io, options, repertoire, *request}.run();
}

}  // namespace troupe::simulations

#include "simulations/campaign/shrink.hpp"

#include <chrono>

#include "simulations/campaign/ddmin.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class Shrinker {
 public:
  Shrinker(const SeedResult& failed, const ShrinkOptions& options, const Interruption& interruption,
           const std::function<void(const ShrinkProgress&)>& progress)
      : failed_(failed),
        options_(options),
        interruption_(interruption),
        progress_(progress),
        crew_(without_logs(options.crew)) {
    shrunk_.from = failed.outcome.plan.size();
    shrunk_.plan = failed.outcome.plan;
    shrunk_.result = failed;
  }

  Shrunk run() {
    if (failed_.outcome.plan.empty()) {
      shrunk_.end =
          failed_.died && failed_.outcome.draw.empty() ? ShrinkEnd::no_plan : ShrinkEnd::minimal;
      return std::move(shrunk_);
    }
    Part whole;
    for (std::size_t i = 0; i < shrunk_.from; ++i) whole.push_back(i);
    const Trial repeated = try_parts({whole});
    if (!repeated.given_up && !repeated.first) {
      shrunk_.end = ShrinkEnd::not_repeated;
      return std::move(shrunk_);
    }
    if (!repeated.given_up) {
      const Minimum minimum =
          ddmin(shrunk_.from, [this](const std::vector<Part>& parts) { return try_parts(parts); });
      if (minimum.proven) return std::move(shrunk_);
    }
    shrunk_.end = interruption_.signal() != 0 ? ShrinkEnd::interrupted : ShrinkEnd::bound_met;
    return std::move(shrunk_);
  }

 private:
  static CrewOptions without_logs(CrewOptions options) {
    options.again_for_log = false;
    return options;
  }

  bool bound_met() const {
    return interruption_.signal() != 0 || shrunk_.runs >= options_.runs_max ||
           Clock::now() - began_ >= options_.time_max;
  }

  bool fails_the_same_way(const SeedResult& result) const {
    return result.failed() && result.outcome.failure->check == failed_.outcome.failure->check;
  }

  FaultPlan plan_of(const Part& part) const {
    FaultPlan plan;
    for (const std::size_t position : part) plan.push_back(failed_.outcome.plan[position]);
    return plan;
  }

  // Tries several at a time, and counts those up to the first that fails: what is found and how
  // many runs it took do not depend on how many were under way beside it.
  Trial try_parts(const std::vector<Part>& parts) {
    std::map<std::uint64_t, SeedResult> done;  // by position in `parts`
    std::size_t started = 0, counted = 0;
    while (counted < parts.size()) {
      if (bound_met()) {
        crew_.stop_all();
        return {std::nullopt, true};
      }
      while (!crew_.full() && started < parts.size()) {
        RunOptions options = failed_.variation->options;
        options.seed = failed_.seed();
        options.fault_kinds.reset();
        options.plan = plan_of(parts[started]);
        crew_.start(started++, *failed_.variation, options);
      }
      done.merge(crew_.wait(100ms));
      for (auto next = done.find(counted); next != done.end() && !bound_met();
           next = done.find(counted)) {
        ++shrunk_.runs;
        if (fails_the_same_way(next->second)) {
          crew_.stop_all();
          shrunk_.plan = plan_of(parts[counted]);
          shrunk_.result = std::move(next->second);
          report();
          return {counted, false};
        }
        ++counted;
      }
      report();
    }
    return {};
  }

  void report() const {
    if (progress_) progress_({shrunk_.runs, shrunk_.plan.size(), Clock::now() - began_});
  }

  const SeedResult& failed_;
  const ShrinkOptions& options_;
  const Interruption& interruption_;
  const std::function<void(const ShrinkProgress&)>& progress_;
  Crew crew_;
  Clock::time_point began_ = Clock::now();
  Shrunk shrunk_;
};

}  // namespace

Shrunk shrink(const SeedResult& failed, const ShrinkOptions& options,
              const Interruption& interruption,
              const std::function<void(const ShrinkProgress&)>& progress) {
  return Shrinker{failed, options, interruption, progress}.run();
}

}  // namespace troupe::simulations

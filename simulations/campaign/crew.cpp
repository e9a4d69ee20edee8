#include "simulations/campaign/crew.hpp"

#include <fstream>

#include "config/units.hpp"
#include "simulations/campaign/answer.hpp"

namespace troupe::simulations {
namespace {

constexpr std::size_t last_words_lines = 20;

std::string last_lines(const std::string& text, std::size_t lines) {
  std::size_t end = text.size();
  while (end > 0 && text[end - 1] == '\n') --end;
  std::size_t begin = end;
  while (begin > 0) {
    if (text[begin - 1] == '\n' && --lines == 0) break;
    --begin;
  }
  return text.substr(begin, end - begin);
}

// Of a run whose process ended without an answer.
Failure failure_of(const Workers::Ended& ended, Duration limit) {
  Failure failure;
  if (ended.hung) {
    failure.check = hang_check;
    failure.what = "the run did not end within " + config::format_duration(limit) +
                   " of real time and was killed";
  } else if (!ended.died.empty()) {
    failure.check = std::string{crash_check} + ": " + ended.died;
    failure.what = "the process that ran the seed ended by " + ended.died;
  } else {
    failure.check = std::string{crash_check} + ": no outcome";
    failure.what = "the process that ran the seed ended without an outcome";
  }
  if (const std::string words = last_lines(ended.printed, last_words_lines); !words.empty())
    failure.what += "; it printed last:\n" + words;
  return failure;
}

}  // namespace

Crew::Crew(CrewOptions options) : options_(std::move(options)), workers_(options_.jobs) {}

void Crew::start(std::uint64_t ticket, const Variation& variation, const RunOptions& options,
                 const std::string& trace_file) {
  Run run;
  run.variation = &variation;
  run.options = options;
  run.trace_file = trace_file;
  launch(ticket, std::move(run));
}

void Crew::launch(std::uint64_t ticket, Run run) {
  const auto work = [&](const Workers::Send& send) {
    RunOptions options = run.options;
    std::ofstream trace;
    if (run.tail) {
      options.trace = &run.tail->stream();
    } else if (!run.trace_file.empty()) {
      trace.rdbuf()->pubsetbuf(nullptr, 0);  // the last lines count most if the process dies
      trace.open(run.trace_file, std::ios::binary | std::ios::trunc);
      (run.trace_file.ends_with(".html") ? options.page : options.trace) = &trace;
    }
    options.so_far = [&](const Outcome& so_far) { send(to_bytes(so_far, false)); };
    Outcome outcome = options_.run(*run.variation->simulation, options);
    outcome.seed = options.seed;
    if (!outcome.failure) outcome.log.clear();
    send(to_bytes(outcome, true));
  };
  workers_.start(ticket, work, options_.seed_limit);
  runs_.insert_or_assign(ticket, std::move(run));
}

SeedResult Crew::result_of(const Run& run, Workers::Ended& ended) const {
  SeedResult result;
  result.variation = run.variation;
  auto answered = from_bytes(ended.message);
  if (answered) result.outcome = std::move(answered->outcome);
  result.outcome.seed = run.options.seed;
  const bool whole = answered && answered->complete && !ended.hung && ended.died.empty();
  const bool failed_before = answered && answered->complete && result.failed();
  if (!whole && !failed_before) {
    result.died = true;
    // An invariant that broke was told before the process ended itself.
    const bool told = result.failed() && !ended.hung;
    if (!told) result.outcome.failure = failure_of(ended, options_.seed_limit);
    if (run.options.plan) result.outcome.plan = *run.options.plan;
  }
  if (result.failed()) result.printed = std::move(ended.printed);
  return result;
}

std::map<std::uint64_t, SeedResult> Crew::wait(Duration at_most) {
  std::map<std::uint64_t, SeedResult> results;
  for (auto& ended : workers_.wait(at_most)) {
    auto node = runs_.extract(ended.ticket);
    Run& run = node.mapped();
    SeedResult result = result_of(run, ended);
    if (run.earlier) {
      const std::string first = run.earlier->outcome.failure->check;
      if (!result.failed() || result.outcome.failure->check != first)
        run.earlier->outcome.failure->what +=
            "\na second run of the seed did not end like this (" +
            (result.failed() ? result.outcome.failure->check : std::string{"it passed"}) +
            "): it depends on something that is not the seed's";
      run.earlier->outcome.log = run.tail->text();
      result = std::move(*run.earlier);
    } else if (result.died && options_.again_for_log) {
      run.tail = std::make_unique<SharedTail>();
      run.earlier = std::move(result);
      launch(ended.ticket, std::move(run));
      continue;
    }
    results.emplace(ended.ticket, std::move(result));
  }
  return results;
}

void Crew::stop(std::uint64_t ticket) {
  workers_.kill(ticket);
  runs_.erase(ticket);
}

void Crew::stop_all() {
  workers_.kill_all();
  runs_.clear();
}

}  // namespace troupe::simulations

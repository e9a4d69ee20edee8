#include "simulations/cli/report.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <sstream>

#include "runtime/telemetry/utf8.hpp"

namespace troupe::simulations {
namespace {

using cluster::shell_word;
using Counts = std::map<std::string, std::uint64_t>;
using Texts = google::protobuf::RepeatedPtrField<std::string>;

double seconds(Duration time) {
  return std::chrono::duration<double>(time).count();
}

void put(const Counts& counts, google::protobuf::RepeatedPtrField<CountReport>& reports) {
  for (const auto& [name, count] : counts) {
    auto& report = *reports.Add();
    report.set_name(as_utf8(name));
    report.set_count(count);
  }
}

void put_lines(const std::string& text, Texts& lines) {
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) *lines.Add() = as_utf8(line);
}

std::string sixteen_digits(std::uint64_t hash) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

const char* name_of(ShrinkEnd end) {
  switch (end) {
    case ShrinkEnd::minimal:
      return "minimal";
    case ShrinkEnd::bound_met:
      return "bound_met";
    case ShrinkEnd::interrupted:
      return "interrupted";
    case ShrinkEnd::not_repeated:
      return "not_repeated";
    case ShrinkEnd::no_plan:
      return "no_plan";
  }
  return "";
}

std::string command(const SeedResult& result, const Request& request) {
  return shell_word(request.program) + " simulate " + shell_word(result.variation->name) +
         " --seed " + std::to_string(result.seed());
}

}  // namespace

std::string replay_command(const SeedResult& result, const Request& request) {
  if (request.plan_from_input) return replay_command(result, request, result.outcome.plan);
  return command(result, request) + request.varied;
}

std::string replay_command(const SeedResult& result, const Request& request,
                           const FaultPlan& plan) {
  if (plan.empty()) return command(result, request) + " --plan /dev/null";
  return command(result, request) + " --plan - <<'END'\n" + to_text(plan) + "END";
}

Line line_of(const SeedResult& result, const Request& request) {
  Line line;
  auto& run = *line.mutable_run();
  const Outcome& outcome = result.outcome;
  run.set_simulation(as_utf8(result.variation->name));
  run.set_seed(outcome.seed);
  run.set_ok(!result.failed());
  run.set_hash(sixteen_digits(outcome.hash));
  run.set_events(outcome.events);
  run.set_simulated_seconds(seconds(outcome.simulated));
  run.set_draw(as_utf8(outcome.draw));
  run.set_commands(outcome.commands);
  run.set_acknowledged(outcome.acknowledged);
  run.set_refused(outcome.refused);
  run.set_unknown(outcome.unknown);
  put(outcome.injected, *run.mutable_injected());
  put(outcome.marks, *run.mutable_marks());
  if (!result.failed()) return line;
  auto& failure = *run.mutable_failure();
  failure.set_check(as_utf8(outcome.failure->check));
  failure.set_what(as_utf8(outcome.failure->what));
  failure.set_at_seconds(seconds(outcome.failure->at));
  failure.set_replay(as_utf8(replay_command(result, request)));
  for (const auto& fault : outcome.plan) failure.add_plan(as_utf8(to_text(fault)));
  put_lines(result.printed, *failure.mutable_printed());
  put_lines(outcome.log, *failure.mutable_log());
  return line;
}

Line line_of(const Shrunk& shrunk, const Request& request) {
  Line line;
  auto& report = *line.mutable_shrunk();
  report.set_simulation(as_utf8(shrunk.result.variation->name));
  report.set_seed(shrunk.result.seed());
  report.set_end(name_of(shrunk.end));
  report.set_check(as_utf8(shrunk.result.outcome.failure->check));
  report.set_runs(shrunk.runs);
  report.set_faults_before(shrunk.from);
  for (const auto& fault : shrunk.plan) report.add_plan(as_utf8(to_text(fault)));
  report.set_replay(as_utf8(replay_command(shrunk.result, request, shrunk.plan)));
  return line;
}

Line line_of(const Summary& summary, const Request& request, CampaignEnd end, Duration elapsed) {
  Line line;
  auto& report = *line.mutable_summary();
  report.set_first_seed(request.campaign.first);
  report.set_seeds(summary.seeds());
  report.set_failures(summary.failures());
  report.set_interrupted(end == CampaignEnd::interrupted);
  report.set_elapsed_seconds(seconds(elapsed));
  for (const auto& of : summary.lines()) {
    auto& simulation = *report.add_simulations();
    simulation.set_name(as_utf8(of.name));
    simulation.set_seeds(of.seeds);
    simulation.set_failures(of.failures);
    simulation.set_simulated_seconds(seconds(of.simulated));
    simulation.set_commands(of.commands);
    simulation.set_acknowledged(of.acknowledged);
    simulation.set_refused(of.refused);
    simulation.set_unknown(of.unknown);
  }
  put(summary.injected(), *report.mutable_injected());
  put(summary.marks(), *report.mutable_marks());
  return line;
}

std::string as_utf8(const std::string& text) {
  std::string result;
  for (std::string_view rest = text; !rest.empty();) {
    const auto piece = runtime::first_utf8(rest);
    if (piece.valid)
      result += rest.substr(0, piece.size);
    else
      result += '?';
    rest.remove_prefix(piece.size);
  }
  return result;
}

}  // namespace troupe::simulations

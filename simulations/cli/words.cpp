#include "simulations/cli/words.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <sstream>
#include <vector>

#include "cluster/cli/command/human.hpp"
#include "cluster/cli/command/table.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;
using cluster::CliIo;
using cluster::harmless;
using cluster::harmless_lines;
using cluster::human_count;
using cluster::Tint;
using cluster::tinted;

constexpr std::size_t faults_shown = 10;
constexpr std::size_t log_lines_shown = 40;
constexpr std::size_t marks_shown = 12;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream{harmless_lines(text)};
  for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
  return lines;
}

void print_indented(const CliIo& io, const std::string& text) {
  for (const auto& line : lines_of(text)) *io.out << "  " << line << "\n";
}

// "the last 10 of 34 faults", "faults"
std::string shown(std::size_t some, std::size_t all, const std::string& things) {
  if (some == all) return things;
  return "the last " + human_count(some) + " of " + human_count(all) + " " + things;
}

std::string name_and_seed(const SeedResult& result) {
  return harmless(result.variation->name) + ", seed " + std::to_string(result.seed());
}

// Of a process that died the moment is known if an invariant broke.
bool knows_when(const SeedResult& result) {
  return !result.died || result.outcome.failure->at > Duration{0};
}

// Those that had begun when it failed, if that is known.
FaultPlan faults_before(const SeedResult& result) {
  FaultPlan plan = result.outcome.plan;
  if (knows_when(result))
    std::erase_if(plan, [&](const Fault& fault) { return fault.at > result.outcome.failure->at; });
  return plan;
}

void print_faults(const CliIo& io, const FaultPlan& plan, const std::string& title, bool verbose) {
  if (plan.empty()) return;
  const std::size_t some = verbose ? plan.size() : std::min(plan.size(), faults_shown);
  *io.out << "\n  " << tinted(shown(some, plan.size(), title), Tint::strong, io.colour) << "\n";
  for (std::size_t i = plan.size() - some; i < plan.size(); ++i)
    *io.out << "    " << harmless(to_text(plan[i])) << "\n";
}

void print_log(const CliIo& io, const SeedResult& result, bool verbose) {
  const auto lines = lines_of(result.outcome.log);
  if (lines.empty()) return;
  // The first line of a log names its columns.
  const std::size_t some = verbose ? lines.size() : std::min(lines.size(), log_lines_shown);
  const std::string title = result.died ? "events of the trace" : "lines of the log";
  *io.out << "\n  " << tinted(shown(some, lines.size(), title), Tint::strong, io.colour)
          << (some == lines.size() ? "" : "; --verbose prints all") << "\n";
  if (some < lines.size() && !result.died) *io.out << "  " << lines.front() << "\n";
  for (std::size_t i = lines.size() - some; i < lines.size(); ++i)
    *io.out << "  " << lines[i] << "\n";
}

// Those that were reached, or those that never were.
std::string list(const std::map<std::string, std::uint64_t>& counts, bool reached) {
  std::string text;
  for (const auto& [name, count] : counts)
    if ((count > 0) == reached)
      text += (text.empty() ? "" : ", ") + harmless(name) +
              (reached ? " " + human_count(count) : std::string{});
  return text.empty() ? "none" : text;
}

// As list(), unless there are so many that nobody reads on.
std::string list_of_few(const std::map<std::string, std::uint64_t>& counts, bool reached,
                        bool verbose) {
  const auto many =
      std::ranges::count_if(counts, [&](const auto& one) { return (one.second > 0) == reached; });
  if (verbose || static_cast<std::size_t>(many) <= marks_shown) return list(counts, reached);
  return std::to_string(many) + "; --verbose names them";
}

}  // namespace

void print_failure(const CliIo& io, const SeedResult& result, const Request& request,
                   bool verbose) {
  const Outcome& outcome = result.outcome;
  *io.out << tinted("FAILED", Tint::bad, io.colour) << " " << name_and_seed(result) << ": "
          << harmless(outcome.failure->check) << "\n";
  *io.out << "  again: " << harmless_lines(replay_command(result, request)) << "\n";
  if (knows_when(result))
    *io.out << "  at:    " << human_time(outcome.failure->at) << " of "
            << human_time(outcome.simulated) << " simulated, " << counted(outcome.events, "event")
            << ", trace hash " << line_of(result, request).run().hash() << "\n";
  if (!outcome.draw.empty()) *io.out << "  drawn: " << harmless(outcome.draw) << "\n";
  *io.out << "\n";
  print_indented(io, outcome.failure->what);
  print_faults(io, faults_before(result),
               knows_when(result) ? "faults before it" : "faults of the plan", verbose);
  print_log(io, result, verbose);
  if (verbose && !result.died && !result.printed.empty()) {
    *io.out << "\n  " << tinted("printed by the run", Tint::strong, io.colour) << "\n";
    print_indented(io, result.printed);
  }
  *io.out << "\n";
}

void print_short_failure(const CliIo& io, const SeedResult& result, const Request& request) {
  *io.out << tinted("FAILED", Tint::bad, io.colour) << " " << name_and_seed(result) << ": "
          << harmless(result.outcome.failure->check) << "; "
          << harmless_lines(replay_command(result, request)) << "\n";
}

void print_passed(const CliIo& io, const SeedResult& result, bool verbose) {
  const Outcome& outcome = result.outcome;
  *io.out << tinted("passed", Tint::good, io.colour) << " " << name_and_seed(result) << "\n"
          << "  ran:   " << human_time(outcome.simulated) << " simulated, "
          << counted(outcome.events, "event") << ", trace hash " << line_of(result, {}).run().hash()
          << "\n";
  if (!outcome.draw.empty()) *io.out << "  drawn: " << harmless(outcome.draw) << "\n";
  if (verbose) print_faults(io, outcome.plan, "faults of the plan", true);
  *io.out << "\n";
}

void print_summary(const CliIo& io, const Summary& summary, bool verbose) {
  using Align = cluster::Table::Align;
  cluster::Table table{{{"SIMULATION"},
                        {"SEEDS", Align::right},
                        {"FAILED", Align::right},
                        {"SIMULATED", Align::right},
                        {"COMMANDS", Align::right},
                        {"ACKNOWLEDGED", Align::right},
                        {"REFUSED", Align::right},
                        {"UNKNOWN", Align::right}}};
  for (const auto& line : summary.lines())
    table.add({line.name,
               human_count(line.seeds),
               {human_count(line.failures), line.failures > 0 ? Tint::bad : Tint::good},
               human_time(line.simulated),
               human_count(line.commands),
               human_count(line.acknowledged),
               human_count(line.refused),
               human_count(line.unknown)});
  table.print(io);
  *io.out << "\nFaults injected: " << list(summary.injected(), true) << "\n";
  if (summary.marks().empty()) return;
  *io.out << "Marks reached: " << list_of_few(summary.marks(), true, verbose) << "\n"
          << "Marks never reached: " << list_of_few(summary.marks(), false, verbose) << "\n";
}

void print_shrunk(const CliIo& io, const Shrunk& shrunk, const Request& request) {
  const std::string name = name_and_seed(shrunk.result);
  const std::string runs = counted(shrunk.runs, "run");
  *io.out << "\n" << tinted("Shrinking", Tint::strong, io.colour) << " " << name << ": ";
  switch (shrunk.end) {
    case ShrinkEnd::no_plan:
      *io.out << "the process of the run died before its faults were drawn; there is nothing to "
                 "leave out\n";
      return;
    case ShrinkEnd::not_repeated:
      *io.out << "with its own faults given as a plan, the seed does not fail in the same way; the "
                 "run depends on more than seed and plan\n";
      return;
    case ShrinkEnd::minimal:
      if (shrunk.plan.empty())
        *io.out << "it fails without any fault";
      else
        *io.out << counted(shrunk.plan.size(), "fault") << " of " << human_count(shrunk.from)
                << " left, each of which is needed";
      break;
    case ShrinkEnd::bound_met:
    case ShrinkEnd::interrupted:
      *io.out << counted(shrunk.plan.size(), "fault") << " of " << human_count(shrunk.from)
              << " left when it was stopped; fewer may do";
      break;
  }
  *io.out << " (" << runs << "). Again:\n\n"
          << harmless_lines(replay_command(shrunk.result, request, shrunk.plan)) << "\n";
}

std::string human_time(Duration time) {
  if (time >= 1min)
    return cluster::human_seconds(std::chrono::round<std::chrono::seconds>(time).count());
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", std::chrono::duration<double>(time).count());
  std::string number = text;
  number.erase(number.find_last_not_of('0') + 1);
  if (number.back() == '.') number.pop_back();
  return number + "s";
}

std::string counted(std::uint64_t count, const std::string& thing) {
  return human_count(count) + " " + thing + (count == 1 ? "" : "s");
}

}  // namespace troupe::simulations

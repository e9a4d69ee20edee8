#include "simulations/rehearsal/run.hpp"

#include <algorithm>
#include <memory>
#include <ostream>
#include <utility>

#include "config/load.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "simulations/rehearsal/conduct.hpp"
#include "simulations/rehearsal/losses.hpp"
#include "simulations/rehearsal/page.hpp"
#include "simulations/rehearsal/replicas.hpp"
#include "simulations/world/check.hpp"

namespace troupe::simulations {

namespace {

constexpr std::size_t table_rows_max = 400;

// One node that hosts the services that have a model.
std::string default_manifest(const Rehearsal::Declared& declared) {
  std::string services;
  for (const auto& [service, model] : declared.models)
    services += (services.empty() ? "" : ", ") + ('"' + service + '"');
  return "[cluster]\nname = \"rehearsal\"\n\n[[nodes]]\nname = \"n1\"\nmesh = \"n1:7400\"\n"
         "gateway = \"n1:8080\"\nadmin = \"n1:7480\"\ndata = \"/data\"\nservices = [" +
         services +
         // A key that is set aside when all is healed comes back while the run waits for it.
         "]\n\n[service_defaults.quarantine]\nbackoff_max = \"10s\"\n";
}

Result<config::Manifest> load(const std::string& text) {
  const auto no_environment = [](const std::string&) { return std::nullopt; };
  auto manifest = config::load_manifest(text, "the simulation's manifest", no_environment);
  if (manifest) return std::move(*manifest);
  std::string mistakes;
  for (const auto& problem : manifest.error()) mistakes += '\n' + problem.describe();
  return invalid_argument("the manifest is wrong:" + mistakes);
}

// "12 ns: replica checks: node n1: entry 7 is ..." is the check "invariant: replica checks: node
// n#: entry # is ...", whatever the numbers of this run.
std::string check_of_invariant(std::string_view what) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  constexpr std::string_view time = " ns: ";
  const auto digits = std::ranges::find_if_not(what, is_digit) - what.begin();
  if (digits > 0 && what.substr(static_cast<std::size_t>(digits)).starts_with(time))
    what.remove_prefix(static_cast<std::size_t>(digits) + time.size());
  std::string check = "invariant: ";
  for (const char c : what) {
    if (!is_digit(c))
      check += c;
    else if (check.back() != '#')
      check += '#';
  }
  return check;
}

bool linearizability_drawn(const RunOptions& options) {
  RandomStream random{options.seed, Domain::knobs, 0, 2};
  return options.linearizability.value_or(random.between(1, 20) == 1);
}

void count(const History& history, Outcome& outcome) {
  using End = Operation::Outcome;
  for (const auto& operation : history.all()) {
    ++outcome.commands;
    switch (operation.outcome) {
      case End::success:
        ++outcome.acknowledged;
        break;
      case End::refused:
      case End::harmless:
        ++outcome.refused;
        break;
      case End::open:
      case End::unknown:
        ++outcome.unknown;
        break;
    }
  }
}

// What may go wrong: as declared, or the kinds that the caller names, which are then all there.
Draw draw(const Rehearsal::Declared& declared, const RunOptions& options,
          const config::Manifest& manifest) {
  auto mix = declared.faults;
  if (options.fault_kinds) {
    auto all = Faults::everything();
    for (const auto& [kind, range] : mix.kinds) all.kinds[kind] = range;
    mix.kinds = all.only(*options.fault_kinds).kinds;
  }
  if (mix.services.empty()) {
    for (const auto& [service, model] : declared.models) mix.services.push_back(service);
  }
  const auto founding = founding_manifest(manifest, declared.latecomers);
  mix = mix.possible_with(survivable_losses(place_voters(founding, *declared.registry)));
  auto drawn = draw_swarm(options.seed, mix);
  if (options.fault_kinds) drawn.mix = mix;
  return drawn;
}

// What clients saw before the disk went; afterwards nothing has to agree with it.
Duration first_lost_disk(const FaultPlan& took_place) {
  const auto found = std::ranges::find(took_place, FaultKind::lost_disk, &Fault::kind);
  return found == took_place.end() ? Duration::max() : found->at;
}

}  // namespace

Outcome run(const Simulation& simulation, const RunOptions& options) {
  Outcome outcome;
  outcome.seed = options.seed;
  Rehearsal rehearsal{options.seed};
  simulation.declare(rehearsal);
  auto declared = rehearsal.take();
  const auto models = declared.models;
  const auto hindsights = declared.hindsights;

  auto text = options.manifest ? options.manifest : declared.manifest;
  auto manifest = load(text.value_or(default_manifest(declared)));
  if (!manifest) {
    outcome.failure = Failure{"manifest", manifest.error().message, {}};
    return outcome;
  }
  auto drawn = draw(declared, options, *manifest);
  drawn.knobs = apply_knobs(draw_knobs({options.seed, Domain::knobs, 0, 0}), *manifest);
  const bool linearizability = linearizability_drawn(options);
  if (linearizability) drawn.knobs["linearizability"] = "checked";
  std::vector<std::string> nodes;
  for (const auto& node : manifest->nodes) nodes.push_back(node.name);

  PageRecorder recorder;
  auto watched = options;
  if (options.page) watched.sink = &recorder;
  runtime::reset_marks();
  Conduct conduct{std::move(declared), watched, std::move(*manifest), drawn};
  outcome.draw = to_text(drawn);
  outcome.plan = conduct.injector().plan();
  if (options.so_far) options.so_far(outcome);
  const auto write_page = [&] {
    if (options.page)
      *options.page << page_of_run(simulation.name, outcome, conduct.world().log(),
                                   conduct.history(), recorder)
                    << std::flush;
  };
  before_check_fails([&](std::string_view what) {
    outcome.failure = Failure{check_of_invariant(what), std::string{what}, conduct.world().now()};
    outcome.hash = conduct.world().trace_hash();
    outcome.events = conduct.world().events();
    outcome.simulated = conduct.world().now();
    outcome.injected = conduct.injector().injected();
    if (options.so_far) options.so_far(outcome);
    write_page();
  });
  conduct.run();
  before_check_fails(nullptr);
  for (const auto& [mark, reached] : runtime::marks())
    if (reached) outcome.marks[std::string{mark}] = 1;

  outcome.hash = conduct.world().trace_hash();
  outcome.events = conduct.world().events();
  outcome.simulated = conduct.world().now();
  outcome.injected = conduct.injector().injected();
  count(conduct.history(), outcome);

  // What clients saw says more of a failure than what the run was stopped by, unless that was seen
  // while it happened.
  auto failures = conduct.failures();
  const auto lost = conduct.promises_nothing() ? first_lost_disk(conduct.injector().took_place())
                                               : Duration::max();
  const auto known =
      lost == Duration::max() ? std::nullopt : std::optional{conduct.history().until(lost)};
  const auto history = without_lost(known ? *known : conduct.history(), conduct.losses());
  auto report = check_model(history, models);
  auto wrong = report.failure;
  if (!wrong) wrong = check_positions(history);
  if (!wrong && linearizability) {
    auto black_box = check_linearizability(history, models);
    wrong = black_box.failure;
    report.undecided += black_box.undecided;
  }
  if (const History* restored = conduct.restored(); restored && !wrong) {
    auto again = check_model(*restored, models);
    wrong = again.failure ? again.failure : check_positions(*restored);
    if (wrong) wrong->check = "restored: " + wrong->check;
    report.undecided += again.undecided;
  }
  if (report.undecided > 0) outcome.marks["model replay given up"] = report.undecided;
  for (const auto& hindsight : hindsights) {
    if (wrong) break;
    wrong = hindsight.look(
        {history, conduct.injector().took_place(), conduct.healed_at(), conduct.alone()});
    if (wrong) wrong->check = "hindsight: " + hindsight.name;
  }
  if (wrong) failures.insert(failures.begin(), *wrong);
  if (!failures.empty()) outcome.failure = failures.front();
  write_page();
  if (failures.empty()) return outcome;

  auto events = conduct.events();
  for (const auto& fault : conduct.injector().took_place())
    events.push_back({fault.at, fault.node, "==== " + to_text(fault)});
  outcome.log = event_table(nodes, conduct.world().log(), conduct.history(), events,
                            outcome.failure->at + std::chrono::seconds{1}, table_rows_max);
  return outcome;
}

}  // namespace troupe::simulations

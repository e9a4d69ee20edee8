#include "simulations/rehearsal/run.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "config/load.hpp"
#include "simulations/rehearsal/conduct.hpp"

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
         services + "]\n";
}

Result<config::Manifest> load(const std::string& text) {
  const auto no_environment = [](const std::string&) { return std::nullopt; };
  auto manifest = config::load_manifest(text, "the simulation's manifest", no_environment);
  if (manifest) return std::move(*manifest);
  std::string mistakes;
  for (const auto& problem : manifest.error()) mistakes += '\n' + problem.describe();
  return invalid_argument("the manifest is wrong:" + mistakes);
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

std::string draw_text(const Conduct& conduct, const std::string& knobs, bool linearizability) {
  std::string kinds;
  for (const auto& fault : conduct.injection().plan()) {
    const std::string name{name_of(fault.kind)};
    if ((' ' + kinds + ' ').find(' ' + name + ' ') != std::string::npos) continue;
    kinds += (kinds.empty() ? "" : " ") + name;
  }
  return "faults: " + (kinds.empty() ? "none" : kinds) +
         "; knobs: " + (knobs.empty() ? "defaults" : knobs) +
         (linearizability ? "; linearizability checked" : "");
}

}  // namespace

Outcome run(const Simulation& simulation, const RunOptions& options) {
  Outcome outcome;
  outcome.seed = options.seed;
  Rehearsal rehearsal{options.seed};
  simulation.declare(rehearsal);
  auto declared = rehearsal.take();
  const auto models = declared.models;

  auto text = options.manifest ? options.manifest : declared.manifest;
  auto manifest = load(text.value_or(default_manifest(declared)));
  if (!manifest) {
    outcome.failure = Failure{"manifest", manifest.error().message, {}};
    return outcome;
  }
  const auto knobs = apply_knobs(draw_knobs({options.seed, Domain::knobs, 0, 0}), *manifest);
  const bool linearizability = linearizability_drawn(options);
  std::vector<std::string> nodes;
  for (const auto& node : manifest->nodes) nodes.push_back(node.name);

  Conduct conduct{std::move(declared), options, std::move(*manifest)};
  conduct.run();

  outcome.hash = conduct.world().trace_hash();
  outcome.events = conduct.world().events();
  outcome.simulated = conduct.world().now();
  outcome.draw = draw_text(conduct, knobs, linearizability);
  outcome.plan = conduct.injection().plan();
  outcome.injected = conduct.injection().injected();
  count(conduct.history(), outcome);

  // What clients saw says more of a failure than what the run was stopped by, unless that was seen
  // while it happened.
  auto failures = conduct.failures();
  auto report = check_model(conduct.history(), models);
  auto wrong = report.failure;
  if (!wrong) wrong = check_positions(conduct.history());
  if (!wrong && linearizability) {
    auto black_box = check_linearizability(conduct.history(), models);
    wrong = black_box.failure;
    report.undecided += black_box.undecided;
  }
  if (report.undecided > 0) outcome.marks["model replay given up"] = report.undecided;
  if (wrong) failures.insert(failures.begin(), *wrong);
  if (failures.empty()) return outcome;

  outcome.failure = failures.front();
  auto events = conduct.events();
  for (const auto& event : conduct.injection().events())
    events.push_back({event.at, event.fault.node, "==== " + to_text(event.fault)});
  outcome.log = event_table(nodes, conduct.world().log(), conduct.history(), events,
                            outcome.failure->at + std::chrono::seconds{1}, table_rows_max);
  return outcome;
}

}  // namespace troupe::simulations

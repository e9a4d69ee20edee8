#include "cluster/cli/command/simulate.hpp"

#include <CLI/CLI.hpp>
#include <exception>

#include "cluster/cli/command/commands.hpp"

namespace troupe::cluster {

void add_simulate(CLI::App& app, SimulateOptions& options) {
  auto* command = app.add_subcommand("simulate", "Rehearse failures: simulations, seed by seed");
  const auto text = [&](const std::string& name, std::string& value, const std::string& type,
                        const std::string& meaning) {
    // Empty is what a shell makes of a variable that is not set, and nothing was given otherwise.
    return command->add_option(name, value, meaning)
        ->type_name(type)
        ->check([](const std::string& given) -> std::string {
          return given.empty() ? "the value is empty" : "";
        });
  };
  command
      ->add_option("NAME", options.names,
                   "Simulations: names, TOML files that vary one, or \"all\"")
      ->type_name("");
  auto* list = command->add_flag("--list", options.list, "List the simulations and end");

  auto* seed = text("--seed", options.seed, "S", "Run this seed");
  auto* seeds = text("--seeds", options.seeds, "N",
                     "Run this many seeds of each. Default: 100, or with --for until time is up");
  auto* first = text("--first", options.first, "S",
                     "Count the seeds up from here. Default: a fresh one, which is printed");
  seed->excludes(seeds)->excludes(first);
  text("--for", options.time, "TIME", "Begin no run after this much time, such as 10m");
  auto* until = command->add_flag("--until-failure", options.until_failure,
                                  "Let the first seed that fails be the last");
  seed->excludes(until);
  text("--jobs", options.jobs, "J", "Processes at a time. Default: as many as there are cores");
  text("--limit", options.seed_limit, "TIME",
       "Time after which a run counts as hanging. Default: 2m");

  auto* faults = text("--faults", options.faults, "LIST",
                      "Draw only these kinds of faults, such as power_cut,slow_disk, or \"none\"");
  auto* plan = text("--plan", options.plan, "FILE",
                    "Inject exactly the faults of this file; \"-\": of standard input");
  faults->excludes(plan);

  text("--trace", options.trace, "FILE",
       "Write every event of the first run that fails, or of the only run");
  command->add_flag("--shrink", options.shrink,
                    "Find the fewest faults with which the first seed that fails still does");
  command->add_flag("--verbose", options.verbose,
                    "Print all faults, the whole log of a failure, and all marks");
  command->add_flag("--json", options.json,
                    "Print JSON, for programs: one object per run and line");
  list->excludes(seed)->excludes(seeds)->excludes(first)->excludes(faults)->excludes(plan);

  command->footer(
      "Examples:\n"
      "  troupe simulate --list\n"
      "  troupe simulate ledger --seeds 1000\n"
      "  troupe simulate ledger --seed 7 --trace trace.txt\n"
      "  troupe simulate ledger --seed 7 --shrink\n"
      "  troupe simulate config/examples/simulations/full-disk.toml\n"
      "  troupe simulate all --for 1h --json | jq 'select(.run.failure)'\n");
}

int run_simulate(const CliIo& io, const CliHooks& hooks, const SimulateOptions& options) {
  try {
    return hooks.simulate(io, options);
  } catch (const std::exception& error) {  // no processes or memory left
    *io.err << "troupe: " << error.what() << "\n";
    return exit_failed;
  }
}

}  // namespace troupe::cluster

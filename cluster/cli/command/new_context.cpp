#include "cluster/cli/command/new_context.hpp"

#include <CLI/CLI.hpp>

namespace troupe::cluster {

void add_new(CLI::App& app, NewContextOptions& options) {
  auto* made = app.add_subcommand("new", "Write the first files of something of your own");
  made->require_subcommand(1);
  made->footer("Examples:\n  troupe new context billing\n");

  auto* context =
      made->add_subcommand("context", "A bounded context that compiles, is tested and simulated");
  context
      ->add_option("NAME", options.name,
                   "Its name: a lower-case word, which becomes its package and its namespace")
      ->required()
      ->type_name("");
  context->add_option("--folder", options.folder, "Where to write it. Default: ./NAME")
      ->type_name("DIR");
  context->footer(
      "The folder must be empty or not there yet. Its README.md says how to build and run it.\n\n"
      "Examples:\n"
      "  troupe new context billing\n"
      "  troupe new context billing --folder ~/shop/billing\n");
}

}  // namespace troupe::cluster

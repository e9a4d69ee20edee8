#include "cluster/cli/command/ask_options.hpp"

#include <CLI/CLI.hpp>

namespace troupe::cluster {

CLI::App* add_asking(CLI::App& app, AskOptions& ask, const std::string& name,
                     const std::string& description, const AskWords& words) {
  auto* command = app.add_subcommand(name, description);
  auto* admin = command
                    ->add_option("--admin", ask.admin,
                                 words.admin +
                                     ", host:port. Default: the environment variable "
                                     "TROUPE_ADMIN, else " +
                                     std::string{default_admin})
                    ->type_name("ADDR");
  auto* manifest =
      command->add_option("--manifest", ask.manifest, words.manifest)->type_name("FILE");
  admin->excludes(manifest);
  command->add_flag("--json", ask.json, words.json);
  command->add_option("--timeout", ask.timeout, words.timeout)
      ->capture_default_str()
      ->type_name("TIME");
  return command;
}

}  // namespace troupe::cluster

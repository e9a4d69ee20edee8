// The words of `troupe backup` and `troupe restore`.
#include <CLI/CLI.hpp>

#include "cluster/cli/command/backup.hpp"

namespace troupe::cluster {

void add_backup(CLI::App& app, BackupOptions& options) {
  auto* command = app.add_subcommand("backup", "Copy every shard of a cluster that runs");
  command->add_option("--to", options.to, "A new folder on this machine, or an empty one")
      ->required()
      ->type_name("DIR");
  auto* admin = command
                    ->add_option("--admin", options.ask.admin,
                                 "Admin address of any node, host:port. Default: the environment "
                                 "variable TROUPE_ADMIN, else " +
                                     std::string{default_admin})
                    ->type_name("ADDR");
  auto* manifest = command
                       ->add_option("--manifest", options.ask.manifest,
                                    "Ask whichever node of this manifest answers instead")
                       ->type_name("FILE");
  admin->excludes(manifest);
  command->add_option("--timeout", options.ask.timeout, "How long to wait for each answer")
      ->capture_default_str()
      ->type_name("TIME");
  command->add_flag("--json", options.ask.json, "Print the catalogue as JSON, for programs");
  command->footer(
      "The cluster goes on serving. A folder without catalogue.json is no backup.\n\n"
      "Examples:\n"
      "  troupe backup --to /backup/shop-$(date +%F)\n"
      "  troupe backup --to /backup/today --admin 10.0.0.7:7480 --json | jq '.files[].index'\n");
}

void add_restore(CLI::App& app, RestoreOptions& options) {
  auto* command =
      app.add_subcommand("restore", "Create a cluster from a backup, once, in empty data folders");
  command->add_option("FILE", options.file, "The manifest of the new cluster")
      ->required()
      ->type_name("");
  command->add_option("--from", options.from, "The folder that 'troupe backup' filled")
      ->required()
      ->type_name("DIR");
  auto* nodes =
      command
          ->add_option("--node", options.nodes,
                       "Nodes whose folders are on this machine. Default: all of the manifest")
          ->delimiter(',')
          ->allow_extra_args(false)
          ->type_name("NAME");
  command
      ->add_option("--id", options.id, "The cluster's id, which the first 'troupe restore' printed")
      ->needs(nodes)
      ->type_name("UUID");
  command->add_option("--data", options.data, "Data folder, instead of the manifest's")
      ->type_name("DIR");
  command->add_flag("--json", options.json, "Print JSON, for programs");
  command->footer(
      "All of the backup is checked before anything is written. What was interrupted is known and "
      "can be run again.\n\n"
      "Examples:\n"
      "  troupe restore cluster.toml --from /backup/shop-2026-11-26\n"
      "  troupe restore cluster.toml --from /backup/shop-2026-11-26 --node n1\n");
}

}  // namespace troupe::cluster

#include "cluster/cli/command/cli.hpp"

#include <CLI/CLI.hpp>

#include "cluster/cli/command/commands.hpp"
#include "cluster/cli/command/version.hpp"
#include "config/loading/suggest.hpp"
#include "config/problem.hpp"

namespace troupe::cluster {
namespace {

// What the command line said.
struct Options {
  StartOptions start;
  CheckOptions check;
  AskOptions ask;
  SimulateOptions simulate;
  CertsOptions certs;
};

constexpr const char* exit_codes =
    "Exit status: 0 done, 1 failed, 2 wrong command line or manifest.";

void add_start(CLI::App& app, StartOptions& start) {
  auto* up = app.add_subcommand("up", "Start the manifest's node here, in the foreground");
  up->add_option("FILE", start.file, "The manifest")->required()->type_name("");
  up->add_option("--name", start.name, "Which node, where the manifest has several")
      ->type_name("NAME");
  up->add_option("--data", start.data, "Data folder, instead of the manifest's")->type_name("DIR");
  up->footer(
      "Examples:\n"
      "  troupe up config/examples/single.toml\n"
      "  troupe up config/examples/single.toml --data /tmp/try-out\n");

  auto* node = app.add_subcommand("node", "Run one node, as a service manager would");
  node->add_option("FILE", start.file, "The manifest")->required()->type_name("");
  node->add_option("--name", start.name, "The node's name in the manifest")
      ->required()
      ->type_name("NAME");
  node->add_option("--data", start.data, "Data folder, instead of the manifest's")
      ->type_name("DIR");
  node->footer(
      "Examples:\n"
      "  troupe node /etc/troupe/cluster.toml --name n1\n"
      "  troupe node cluster.toml --name \"$HOSTNAME\" --data /var/lib/troupe\n");
}

void add_check(CLI::App& app, CheckOptions& check) {
  auto* command = app.add_subcommand("check", "Find every mistake in a manifest");
  command->add_option("FILE", check.file, "The manifest")->required()->type_name("");
  command->add_flag("--json", check.json, "Print JSON, for programs");
  command->footer(
      "Examples:\n"
      "  troupe check cluster.toml\n"
      "  troupe check cluster.toml --json | jq '.problems[].line'\n");
}

void add_question(CLI::App& app, AskOptions& ask, const std::string& name,
                  const std::string& description, const std::string& jq) {
  auto* command = app.add_subcommand(name, description);
  auto* admin = command
                    ->add_option("--admin", ask.admin,
                                 "Admin address of a node, host:port. Default: the environment "
                                 "variable TROUPE_ADMIN, else " +
                                     std::string{default_admin})
                    ->type_name("ADDR");
  auto* manifest =
      command->add_option("--manifest", ask.manifest, "Ask every node of this manifest instead")
          ->type_name("FILE");
  admin->excludes(manifest);
  command->add_flag("--json", ask.json, "Print JSON, for programs: one object per node and line");
  command->add_option("--timeout", ask.timeout, "How long to wait for each node")
      ->capture_default_str()
      ->type_name("TIME");
  command->footer("Examples:\n  troupe " + name + "\n  troupe " + name +
                  " --admin 10.0.0.7:7480 --timeout 500ms\n  troupe " + name +
                  " --manifest cluster.toml --json | jq '" + jq + "'\n");
}

// What may stand where an unknown word stands: commands, or the options of the command.
std::vector<std::string> known_words(const CLI::App& app) {
  std::vector<std::string> words;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
    words.push_back(command->get_name());
  for (const auto* option : app.get_options())
    if (option->nonpositional()) words.push_back(option->get_name());
  return words;
}

std::string complaint(const CLI::App* app, const CLI::Error& error) {
  // The command that was being read when the error was met.
  const CLI::App* command = app;
  std::string words;
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    words += command->get_name() + " ";
  }
  std::string text = "troupe: " + std::string{error.what()};
  if (dynamic_cast<const CLI::ExtrasError*>(&error)) {
    const auto rest = app->remaining(true);
    const std::string word = rest.empty() ? "" : rest.front();
    text = "troupe: unknown ";
    text += word.starts_with("-") ? "option " : command == app ? "command " : "argument ";
    text += config::in_quotes(harmless(word));
    if (const auto meant = config::suggest(word, known_words(*command)))
      text += "; did you mean " + config::in_quotes(*meant) + "?";
  }
  return text + "\nTry 'troupe " + words + "--help'.\n";
}

int dispatch(const CLI::App& app, const Options& options, const CliHooks& hooks, const CliIo& io) {
  if (app.got_subcommand("up")) return run_up(io, hooks, options.start);
  if (app.got_subcommand("node")) return run_named_node(io, hooks, options.start);
  if (app.got_subcommand("check")) return run_check(io, hooks, options.check);
  if (app.got_subcommand("status")) return run_status(io, options.ask);
  if (app.got_subcommand("tree")) return run_tree(io, options.ask);
  if (app.got_subcommand("certs"))
    return run_certs(io, app.get_subcommand("certs")->get_subcommands().front()->get_name(),
                     options.certs);
  if (app.got_subcommand("shards")) return run_shards(io, options.ask);
  return run_simulate(io, hooks, options.simulate);
}

}  // namespace

int run_cli(int argc, char** argv, const CliHooks& hooks) {
  return run_cli(argc, argv, hooks, CliIo::process());
}

int run_cli(int argc, const char* const* argv, const CliHooks& hooks, const CliIo& io) {
  Options options;
  CLI::App app{"Launches and watches a cluster of durable, supervised actors.", "troupe"};
  app.set_version_flag(
      "--version", [] { return version_text(); }, "Print versions and exit");
  app.failure_message(complaint);
  app.require_subcommand(0, 1);
  add_start(app, options.start);
  add_check(app, options.check);
  add_question(app, options.ask, "status", "Show nodes, their services and their logs",
               "{node, state}");
  add_question(app, options.ask, "tree", "Show the supervision tree, with restarts and failures",
               ".children[].id");
  add_question(app, options.ask, "shards", "Show every shard: role, log position, size",
               ".shards[] | select(.state != \"serving\")");
  add_certs(app, options.certs);
  if (hooks.simulate) add_simulate(app, options.simulate);
  app.footer(std::string{"Examples:\n"
                         "  troupe up config/examples/single.toml\n"
                         "  troupe status\n"
                         "  troupe check cluster.toml\n\n"
                         "'troupe COMMAND --help' says more about each.\n"} +
             exit_codes);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, *io.out, *io.err) == 0 ? exit_done : exit_usage;
  }
  if (app.get_subcommands().empty()) {
    *io.err << app.help();
    return exit_usage;
  }
  const int status = dispatch(app, options, hooks, io);
  io.out->flush();
  if (io.out->good()) return status;
  *io.err << "troupe: cannot write to standard output\n";
  return exit_failed;
}

}  // namespace troupe::cluster

#include "cluster/cli/command/cli.hpp"

#include <CLI/CLI.hpp>

#include "cluster/cli/command/ask_options.hpp"
#include "cluster/cli/command/backup.hpp"
#include "cluster/cli/command/commands.hpp"
#include "cluster/cli/command/operate.hpp"
#include "cluster/cli/command/reference.hpp"
#include "cluster/cli/command/version.hpp"
#include "config/loading/suggest.hpp"
#include "config/problem.hpp"

namespace troupe::cluster {
namespace {

// What the command line said.
struct Options {
  UpOptions up;
  NodeOptions node;
  InitOptions init;
  CheckOptions check;
  OpenApiOptions openapi;
  AskOptions ask;
  OperateOptions operate;
  RecoverOptions recover;
  BackupOptions backup;
  RestoreOptions restore;
  SimulateOptions simulate;
  CertsOptions certs;
  NewContextOptions made;
};

constexpr const char* about = "Launches and watches a cluster of durable, supervised actors.";
constexpr const char* exit_codes =
    "Exit status: 0 done, 1 failed, 2 wrong command line or manifest.";

void add_data(CLI::App& command, std::string& data) {
  command.add_option("--data", data, "Data folder, instead of the manifest's")->type_name("DIR");
}

void add_up(CLI::App& app, UpOptions& up) {
  auto* command = app.add_subcommand("up", "Start the manifest's nodes here, in the foreground");
  command->add_option("FILE", up.file, "The manifest")->required()->type_name("");
  command->add_option("--only", up.only, "Start these nodes alone: n1,n2")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAMES");
  add_data(*command, up.data);
  command->footer(
      "If the data folders of all nodes are here and empty, it creates the cluster first.\n\n"
      "Examples:\n"
      "  troupe up config/examples/single.toml\n"
      "  troupe up config/examples/single.toml --data /tmp/try-out\n"
      "  troupe up config/examples/three.toml --only n1,n2\n");
}

void add_node(CLI::App& app, NodeOptions& node) {
  auto* command = app.add_subcommand("node", "Run one node, as a service manager would");
  command->add_option("FILE", node.file, "The manifest")->required()->type_name("");
  command->add_option("--name", node.name, "The node's name in the manifest")
      ->required()
      ->type_name("NAME");
  add_data(*command, node.data);
  command
      ->add_option("--log-format", node.log_format, "auto, text or json, instead of the manifest's")
      ->check(CLI::IsMember({"auto", "text", "json"}))
      ->type_name("FORMAT");
  command->footer(
      "Examples:\n"
      "  troupe node /etc/troupe/cluster.toml --name n1\n"
      "  troupe node cluster.toml --name \"$HOSTNAME\" --data /var/lib/troupe\n");
}

void add_init(CLI::App& app, InitOptions& init) {
  auto* command = app.add_subcommand("init", "Create a cluster, once, in empty data folders");
  command->add_option("FILE", init.file, "The manifest")->required()->type_name("");
  auto* nodes =
      command
          ->add_option("--node", init.nodes,
                       "Nodes whose folders are on this machine. Default: all of the manifest")
          ->delimiter(',')
          ->allow_extra_args(false)
          ->type_name("NAME");
  auto* id =
      command
          ->add_option("--id", init.id, "The cluster's id, which the first 'troupe init' printed")
          ->type_name("UUID");
  command->add_flag("--replace", init.replace, "The nodes have run before, and lost their data")
      ->needs(nodes)
      ->needs(id);
  auto* join = command
                   ->add_flag("--join", init.join,
                              "Have a cluster that runs admit the node, and make its folder")
                   ->needs(nodes)
                   ->excludes(id);
  command
      ->add_option("--admin", init.admin,
                   "With --join: admin address of a node that runs. Default: the other nodes of "
                   "the manifest are tried")
      ->needs(join)
      ->type_name("ADDR");
  command->add_option("--timeout", init.timeout, "With --join: how long to wait for each node")
      ->capture_default_str()
      ->needs(join)
      ->type_name("TIME");
  add_data(*command, init.data);
  command->add_flag("--json", init.json, "Print JSON, for programs");
  command->footer(
      "Examples:\n"
      "  troupe init config/examples/three.toml\n"
      "  troupe init cluster.toml --node n1\n"
      "  troupe init cluster.toml --node n2 --id 2f1c0d3e-5a7b-4c8d-9e0f-123456789abc\n"
      "  troupe init cluster.toml --node n2 --id 2f1c0d3e-5a7b-4c8d-9e0f-123456789abc --replace\n"
      "  troupe init cluster.toml --node n4 --join\n");
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

void add_openapi(CLI::App& app, OpenApiOptions& openapi) {
  auto* command =
      app.add_subcommand("openapi", "Print the OpenAPI document of the services, for generators");
  command->add_option("--manifest", openapi.manifest, "The manifest, for the cluster's name")
      ->type_name("FILE");
  command->add_option("--out", openapi.out, "Write it to this file instead")->type_name("FILE");
  command->footer(
      "A node that runs serves the same at http://GATEWAY/openapi.json.\n\n"
      "Examples:\n"
      "  troupe openapi | jq '.paths | keys'\n"
      "  troupe openapi --manifest cluster.toml --out openapi.json\n");
}

CLI::App* add_question(CLI::App& app, AskOptions& ask, const std::string& name,
                       const std::string& description, const std::string& jq) {
  auto* command = add_asking(
      app, ask, name, description,
      {"Admin address of any node, which tells of all",
       "Ask every node of this manifest itself instead, and those that came "
       "to its cluster later",
       "How long to wait for each node", "Print JSON, for programs: one object per node and line"});
  command->footer("Examples:\n  troupe " + name + "\n  troupe " + name +
                  " --admin 10.0.0.7:7480 --timeout 500ms\n  troupe " + name +
                  " --manifest cluster.toml --json | jq '" + jq + "'\n");
  return command;
}

void add_status(CLI::App& app, AskOptions& ask) {
  auto* command = add_question(app, ask, "status", "Show nodes, their services and their logs",
                               "{node, state}");
  auto* watch = command->add_flag("--watch", ask.watch, "Ask again and again, until Ctrl-C");
  command->add_option("--every", ask.interval, "With --watch: the time between two askings")
      ->capture_default_str()
      ->needs(watch)
      ->type_name("TIME");
}

void add_recover(CLI::App& app, RecoverOptions& recover) {
  auto* command = app.add_subcommand(
      "recover", "Go on without nodes that are gone for good, when no majority is left");
  command->add_option("--manifest", recover.manifest, "The manifest of the cluster")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--lost", recover.lost, "Nodes that are gone for good, with their data: n2,n3")
      ->required()
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAMES");
  command->add_option("--yes", recover.yes, "Do it without asking; the cluster's name, once more")
      ->type_name("CLUSTER");
  command->add_option("--timeout", recover.timeout, "How long to wait for each node")
      ->capture_default_str()
      ->type_name("TIME");
  command->footer(
      "It shows what it would do and what may be lost, and asks for the cluster's name. Groups "
      "that "
      "have a majority are left alone. Read docs/operations.md first.\n\n"
      "Examples:\n"
      "  troupe recover --manifest cluster.toml --lost n2,n3\n"
      "  troupe recover --manifest cluster.toml --lost n2,n3 --yes shop\n");
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
  const auto rest = app->remaining(true);
  // Of a command that wants one of its own words next, and got another.
  const bool other_word = dynamic_cast<const CLI::RequiredError*>(&error) && !rest.empty() &&
                          !rest.front().starts_with("-") && command != app &&
                          !command->get_subcommands([](const CLI::App*) { return true; }).empty();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) || other_word) {
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
  if (app.got_subcommand("up")) return run_up(io, hooks, options.up);
  if (app.got_subcommand("node")) return run_named_node(io, hooks, options.node);
  if (app.got_subcommand("init")) return run_init(io, hooks, options.init);
  if (app.got_subcommand("check")) return run_check(io, hooks, options.check);
  if (app.got_subcommand("openapi")) return run_openapi(io, hooks, options.openapi);
  if (app.got_subcommand("status")) return run_status(io, options.ask);
  if (app.got_subcommand("tree")) return run_tree(io, options.ask);
  if (app.got_subcommand("certs"))
    return run_certs(io, app.get_subcommand("certs")->get_subcommands().front()->get_name(),
                     options.certs);
  if (app.got_subcommand("shards")) return run_shards(io, options.ask);
  if (app.got_subcommand("recover")) return run_recover(io, options.recover);
  if (app.got_subcommand("backup")) return run_backup(io, hooks, options.backup);
  if (app.got_subcommand("restore")) return run_restore(io, hooks, options.restore);
  const std::string word = app.get_subcommands().front()->get_name();
  if (is_operate(word)) return run_operate(io, word, options.operate);
  if (word == "new") return hooks.new_context(io, options.made);
  return run_simulate(io, hooks, options.simulate);
}

void add_all(CLI::App& app, Options& options, const CliHooks& hooks) {
  app.set_version_flag(
      "--version", [] { return version_text(); }, "Print versions and exit");
  app.failure_message(complaint);
  app.require_subcommand(0, 1);
  add_up(app, options.up);
  add_node(app, options.node);
  add_init(app, options.init);
  add_check(app, options.check);
  if (hooks.openapi) add_openapi(app, options.openapi);
  add_status(app, options.ask);
  add_question(app, options.ask, "tree", "Show the supervision tree, with restarts and failures",
               ".children[].id");
  add_question(app, options.ask, "shards", "Show every shard: role, log position, size",
               ".shards[] | select(.state != \"serving\")");
  add_operate(app, options.operate);
  add_recover(app, options.recover);
  add_backup(app, options.backup);
  add_restore(app, options.restore);
  add_certs(app, options.certs);
  if (hooks.simulate) add_simulate(app, options.simulate);
  if (hooks.new_context) add_new(app, options.made);
  app.footer(std::string{"Examples:\n"
                         "  troupe up config/examples/single.toml\n"
                         "  troupe status\n"
                         "  troupe check cluster.toml\n\n"
                         "'troupe COMMAND --help' says more about each.\n"} +
             exit_codes);
}

}  // namespace

int run_cli(int argc, char** argv, const CliHooks& hooks) {
  CliIo io = CliIo::process();
  if (argc > 0) io.program = argv[0];
  return run_cli(argc, argv, hooks, io);
}

std::string command_reference(const CliHooks& hooks) {
  Options options;
  CLI::App app{about, "troupe"};
  add_all(app, options, hooks);
  return to_markdown(app);
}

int run_cli(int argc, const char* const* argv, const CliHooks& hooks, const CliIo& io) {
  Options options;
  CLI::App app{about, "troupe"};
  add_all(app, options, hooks);
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

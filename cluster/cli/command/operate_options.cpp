// The words of the commands that operate a cluster.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "cluster/cli/command/ask_options.hpp"
#include "cluster/cli/command/operate.hpp"

namespace troupe::cluster {
namespace {

constexpr std::array<std::string_view, 13> operate_words{
    "directory", "drain",   "cordon", "remove", "move",    "replicate", "rebalance",
    "advise",    "control", "split",  "audit",  "formats", "policy"};

CLI::App* add_order(CLI::App& app, OperateOptions& options, const std::string& name,
                    const std::string& description) {
  return add_asking(
      app, options.ask, name, description,
      {"Admin address of any node", "Ask the first node of this manifest that answers instead",
       "How long to wait for each answer", "Print JSON, for programs"});
}

void add_node_name(CLI::App& command, OperateOptions& options) {
  command.add_option("NODE", options.node, "The node's name")->required()->type_name("");
}

void add_why(CLI::App& command, OperateOptions& options) {
  command.add_option("--why", options.why, "A sentence for the audit log")->type_name("TEXT");
}

void add_control(CLI::App& app, OperateOptions& options) {
  auto* control = app.add_subcommand("control", "Show or change which nodes keep the directory");
  control->require_subcommand(1);
  control->footer(
      "One change at a time; it waits until the change is done.\n\n"
      "Examples:\n"
      "  troupe control show\n"
      "  troupe control add n4\n"
      "  troupe control remove n4\n"
      "  troupe control replace n3 --by n4\n");
  const auto no_wait = [&options](CLI::App& command) {
    command.add_flag("--no-wait", options.no_wait, "Order it and do not wait for its end");
    add_why(command, options);
  };
  auto* show = add_order(*control, options, "show", "Show who keeps the directory");
  show->footer("Examples:\n  troupe control show --json | jq '.members[].node'\n");

  auto* add = add_order(*control, options, "add", "One more node keeps it");
  add->add_option("NODE", options.to, "The node's name")->required()->type_name("");
  no_wait(*add);
  add->footer("Examples:\n  troupe control add n4\n");

  auto* remove = add_order(*control, options, "remove", "A node does not keep it any more");
  remove->add_option("NODE", options.from, "The node's name")->required()->type_name("");
  no_wait(*remove);
  remove->footer("Examples:\n  troupe control remove n4\n");

  auto* replace = add_order(*control, options, "replace",
                            "Another node keeps it instead of one, which may be dead");
  replace->add_option("NODE", options.from, "The node that is to cease")->required()->type_name("");
  replace->add_option("--by", options.to, "The node that is to come")
      ->required()
      ->type_name("NODE");
  no_wait(*replace);
  replace->footer("Examples:\n  troupe control replace n3 --by n4\n");
}

void add_policy(CLI::App& app, OperateOptions& options) {
  auto* policy = add_order(app, options, "policy",
                           "Show or change settings of services while the cluster runs");
  policy->add_option("SERVICE", options.service, "Its full name")->type_name("");
  policy->add_option("SETTINGS", options.policies, "What is to hold from now on")
      ->type_name("KEY=VALUE");
  policy->add_option("--unset", options.unset, "This is as the manifest says again")
      ->allow_extra_args(false)
      ->type_name("KEY");
  policy->add_flag("--balancer", options.balancer, "Of the balancer instead of a service");
  add_why(*policy, options);
  policy->footer(
      "Alone it shows what is different from the manifests; with a service, all that holds for it "
      "and where it comes from. Keys are those of the manifest, a duration is 10s, a size "
      "64MiB.\n\n"
      "Examples:\n"
      "  troupe policy\n"
      "  troupe policy banking.v1.Accounts\n"
      "  troupe policy banking.v1.Accounts limits.waiting_commands=20000 stale_age_max=10m\n"
      "  troupe policy banking.v1.Accounts --unset stale_age_max\n"
      "  troupe policy --balancer repair_after=30m\n");
}

}  // namespace

bool is_operate(const std::string& word) {
  return std::ranges::find(operate_words, word) != operate_words.end();
}

void add_operate(CLI::App& app, OperateOptions& options) {
  auto* directory = add_order(app, options, "directory",
                              "Show the nodes of the cluster as its directory has them");
  directory->add_flag("--shards", options.shards, "Show where each shard is to be, too");
  directory->footer(
      "Examples:\n"
      "  troupe directory\n"
      "  troupe directory --json | jq '.table.nodes[] | {name, state}'\n");

  auto* drain = add_order(app, options, "drain", "Move everything away from a node");
  add_node_name(*drain, options);
  drain->add_flag("--cancel", options.cancel, "Let it have replicas and leaders again");
  drain->add_flag("--no-wait", options.no_wait, "Order it and do not wait for its end");
  add_why(*drain, options);
  drain->footer(
      "It waits until nothing is left on the node, which may then be stopped for good. Ended "
      "earlier, it leaves the node draining.\n\n"
      "Examples:\n"
      "  troupe drain n2\n"
      "  troupe drain n2 --cancel\n");

  auto* cordon = add_order(app, options, "cordon", "Let nothing new come to a node");
  add_node_name(*cordon, options);
  cordon->add_flag("--cancel", options.cancel, "Let it come again");
  add_why(*cordon, options);
  cordon->footer("Examples:\n  troupe cordon n2\n  troupe cordon n2 --cancel\n");

  auto* remove = add_order(app, options, "remove", "Make a node no member of the cluster any more");
  add_node_name(*remove, options);
  remove->add_option("--yes", options.yes, "Do it without asking; the node's name, once more")
      ->type_name("NODE");
  add_why(*remove, options);
  remove->footer(
      "The node must be drained, or down with nothing left on it. It cannot be undone: the name is "
      "free for another node.\n\n"
      "Examples:\n  troupe remove n2\n");

  auto* move = add_order(app, options, "move", "Move one replica to another node");
  move->add_option("SHARD", options.shard, "SERVICE/NUMBER, such as banking.v1.Accounts/2")
      ->required()
      ->type_name("");
  move->add_option("--from", options.from, "The node where it is")->required()->type_name("NODE");
  move->add_option("--to", options.to, "The node where it is to be")->required()->type_name("NODE");
  add_why(*move, options);
  move->footer("Examples:\n  troupe move banking.v1.Accounts/2 --from n1 --to n4\n");

  auto* replicate = add_order(app, options, "replicate", "Change how many replicas shards have");
  replicate->add_option("SERVICE", options.service, "Its full name")->required()->type_name("");
  replicate->add_option("--factor", options.factor, "1, 3 or 5")
      ->required()
      ->check(CLI::IsMember({1, 3, 5}).description(""))
      ->type_name("N");
  add_why(*replicate, options);
  replicate->footer("Examples:\n  troupe replicate banking.v1.Accounts --factor 5\n");

  auto* split = add_order(app, options, "split", "Divide a shard into two, while it serves");
  split->add_option("SHARD", options.shard, "SERVICE/NUMBER, such as banking.v1.Accounts/2")
      ->required()
      ->type_name("");
  split
      ->add_option("--at", options.bucket,
                   "The first bucket of the new shard. Default: half of the shard's buckets go")
      ->type_name("BUCKET")
      ->check(CLI::Range(1, 4095));
  split->add_flag("--no-wait", options.no_wait, "Order it and do not wait for its end");
  split->add_option("--yes", options.yes, "Do it without asking; the shard's name, once more")
      ->type_name("SHARD");
  add_why(*split, options);
  split->footer(
      "The new shard begins with replicas on the same nodes; the balancer spreads them later. It "
      "cannot be undone: shards are never put together. It waits for every replica that is not "
      "lost; both shards serve meanwhile.\n\n"
      "Examples:\n"
      "  troupe split banking.v1.Accounts/2\n"
      "  troupe split banking.v1.Accounts/2 --at 3000\n");

  auto* rebalance =
      add_order(app, options, "rebalance", "Show what the balancer is going to move, and why");
  // It is what this does anyway.
  rebalance->add_flag_callback(
      "--plan", [] {}, "Only show it, which is all that this does: moves come by themselves");
  rebalance->footer("Examples:\n  troupe rebalance --plan\n");

  auto* advise =
      add_order(app, options, "advise",
                "Show how many nodes and shards there should be, and what services cost");
  advise->footer(
      "From what the nodes' processors did, since the node that keeps the directory began to.\n\n"
      "Examples:\n"
      "  troupe advise\n"
      "  troupe advise --json | jq '.nodes'\n");
  add_control(app, options);
  add_policy(app, options);
  auto* formats = add_order(app, options, "formats",
                            "Show which formats the cluster uses, and which all nodes can read");
  auto* format = formats
                     ->add_option("--switch-on", options.format,
                                  "Use this one from now on: no node can go back to an older "
                                  "program afterwards")
                     ->type_name("NAME");
  formats->add_option("--yes", options.yes, "Do it without asking; the format's name, once more")
      ->needs(format)
      ->type_name("NAME");
  add_why(*formats, options);
  formats->footer(
      "After an upgrade: when every node runs the new program, and it is certain that none goes "
      "back.\n\n"
      "Examples:\n"
      "  troupe formats\n"
      "  troupe formats --switch-on rows.2\n");

  auto* audit = add_order(app, options, "audit", "Show who did what to the cluster, and when");
  audit->add_option("--limit", options.limit, "At most so many")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  audit->add_option("--before", options.before, "Only what stands before the one of this number")
      ->type_name("NUMBER");
  audit->add_flag("--all", options.everything, "What the cluster did by itself, too");
  auto* note = audit
                   ->add_option("--note", options.note,
                                "Write this down, of what was done in another way; shows nothing")
                   ->type_name("TEXT");
  note->excludes("--all")->excludes("--before");
  audit->footer(
      "The newest 10,000 records are kept, with what the cluster did by itself.\n\n"
      "Examples:\n"
      "  troupe audit\n"
      "  troupe audit --all --json | jq '.records[] | {by, what}'\n"
      "  troupe audit --note \"revoked the certificate of n2\"\n");
}

}  // namespace troupe::cluster

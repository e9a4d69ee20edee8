// `troupe drain`, `cordon`, `remove`, `move`, `replicate`, `rebalance`: orders to the directory.
#include "cluster/cli/command/operate.hpp"

#include <charconv>
#include <istream>
#include <thread>

#include "cluster/cli/command/balance_table.hpp"

namespace troupe::cluster {
namespace {

constexpr const char* directory_path = "/v1/directory";
constexpr auto between_questions = std::chrono::seconds{1};
constexpr auto patience = std::chrono::seconds{30};  // while nobody answers

// Nothing was done; another node may know the way.
bool is_about_the_way(const Error& why) {
  return why.reason == "NODE_UNREACHABLE" || why.reason == "NODE_SILENT" ||
         why.reason == "NOT_A_NODE" || why.reason == "DIRECTORY_UNREACHABLE" ||
         why.reason == "NO_LEADER";
}

int print_done(const CliIo& io, const OperateOptions& options, const DirectoryOutcome& outcome,
               const std::string& what) {
  if (options.ask.json)
    *io.out << to_json(outcome) << "\n";
  else
    *io.out << what << " (version " << outcome.version() << ")\n";
  return exit_done;
}

int order_and_print(const CliIo& io, const OperateOptions& options, const Targets& targets,
                    DirectoryOrder order, const std::string& what) {
  order.set_why(options.why);
  const auto outcome = order_cluster(io, targets, order);
  return outcome ? print_done(io, options, *outcome, what) : exit_failed;
}

std::string left_text(const LeftOnNodeReport& left) {
  return std::to_string(left.members()) + " replicas and " + std::to_string(left.leaders()) +
         " leaders are left, " + std::to_string(left.wished()) +
         " still to be given another place" +
         (left.unknown() == 0 ? "" : ", " + std::to_string(left.unknown()) + " not known");
}

// Until nothing is left on the node.
int wait_until_empty(const CliIo& io, const OperateOptions& options, const Targets& targets) {
  DirectoryOrder order;
  order.mutable_question()->set_left_on(options.node);
  std::string told;
  auto heard = std::chrono::steady_clock::now();
  CliIo quiet = io;
  std::ostream nowhere{nullptr};
  quiet.err = &nowhere;
  for (;;) {
    const bool last_try = std::chrono::steady_clock::now() - heard >= patience;
    const auto outcome = order_cluster(last_try ? io : quiet, targets, order);
    if (!outcome && !last_try && outcome.error().code != Code::unavailable &&
        outcome.error().code != Code::deadline_exceeded) {
      *io.err << "troupe: " << harmless(outcome.error().message) << "\n";
      return exit_failed;
    }
    if (!outcome && last_try) {
      *io.err << "troupe: nobody answers any more; node " << options.node
              << " is draining still. 'troupe drain " << options.node << "' goes on waiting\n";
      return exit_failed;
    }
    if (outcome) {
      heard = std::chrono::steady_clock::now();
      const auto& left = outcome->left();
      if (!left.draining()) {
        *io.err << "troupe: node " << options.node << " is not draining any more\n";
        return exit_failed;
      }
      if (left.wished() + left.members() + left.leaders() + left.unknown() == 0) {
        if (options.ask.json)
          *io.out << to_json(*outcome) << "\n";
        else
          *io.out << "Node " << options.node
                  << " has nothing left and may be stopped. To give it up for good, stop it, then "
                     "'troupe remove "
                  << options.node << "'\n";
        return exit_done;
      }
      if (const std::string text = left_text(left); text != told) {
        *io.err << "troupe: node " << options.node << ": " << text << "\n" << std::flush;
        told = text;
      }
    }
    std::this_thread::sleep_for(between_questions);
  }
}

int run_drain(const CliIo& io, const OperateOptions& options, const Targets& targets) {
  DirectoryOrder order;
  order.mutable_drain()->set_node(options.node);
  order.mutable_drain()->set_cancel(options.cancel);
  if (options.cancel || options.no_wait)
    return order_and_print(io, options, targets, order,
                           "Node " + options.node + (options.cancel ? " is not" : " is") +
                               " draining" + (options.cancel ? " any more" : ""));
  order.set_why(options.why);
  if (!order_cluster(io, targets, order)) return exit_failed;
  *io.err << "troupe: node " << options.node << " is draining; Ctrl-C leaves it so\n" << std::flush;
  return wait_until_empty(io, options, targets);
}

int run_remove(const CliIo& io, const OperateOptions& options, const Targets& targets) {
  std::string typed = options.yes;
  if (typed.empty()) {
    *io.err << "Node " << harmless(options.node)
            << " would be no member of the cluster any more, for ever. Type its name to do it: "
            << std::flush;
    if (io.in) std::getline(*io.in, typed);
  }
  if (typed != options.node) {
    *io.err << "troupe: not confirmed: that is not the node's name (--yes NAME says it in a "
               "script). Nothing was changed\n";
    return options.yes.empty() ? exit_failed : exit_usage;
  }
  DirectoryOrder order;
  order.mutable_remove()->set_node(options.node);
  return order_and_print(io, options, targets, order, "Node " + options.node + " is removed");
}

int run_move(const CliIo& io, const OperateOptions& options, const Targets& targets) {
  const auto slash = options.shard.rfind('/');
  const std::string digits = slash == std::string::npos ? "" : options.shard.substr(slash + 1);
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) {
    *io.err << "troupe: " << config::in_quotes(harmless(options.shard))
            << " is no shard: write it as banking.v1.Accounts/2\n";
    return exit_usage;
  }
  DirectoryOrder order;
  order.mutable_move()->set_service(options.shard.substr(0, slash));
  order.mutable_move()->set_shard(number);
  order.mutable_move()->set_from(options.from);
  order.mutable_move()->set_to(options.to);
  return order_and_print(io, options, targets, order,
                         options.shard + " moves from " + options.from + " to " + options.to +
                             "; 'troupe shards' shows it");
}

int run_rebalance(const CliIo& io, const OperateOptions& options, const Targets& targets) {
  DirectoryOrder order;
  order.mutable_question()->set_plan(true);
  const auto outcome = order_cluster(io, targets, order);
  if (!outcome) return exit_failed;
  if (options.ask.json)
    *io.out << to_json(outcome->plan()) << "\n";
  else
    print_balance(io, outcome->plan());
  return exit_done;
}

}  // namespace

Result<DirectoryOutcome> order_cluster(const CliIo& io, const Targets& targets,
                                       const DirectoryOrder& ordered_first) {
  DirectoryOrder order = ordered_first;
  if (order.by().empty()) order.set_by(whoever_runs(io));
  Error last = unavailable("NODE_UNREACHABLE", "there is no node to ask");
  for (const Target& target : targets.targets) {
    DirectoryOutcome outcome;
    const auto ordered =
        order_node(target.address, directory_path, order, targets.timeout, outcome);
    if (ordered) return outcome;
    last = ordered.error();
    complain(io, target, last);
    if (!is_about_the_way(last)) break;
  }
  return last;
}

int run_operate(const CliIo& io, const std::string& word, const OperateOptions& options) {
  if (word == "directory") return run_directory(io, options);
  const auto targets = targets_of(io, options.ask);
  if (!targets) return exit_usage;
  if (word == "drain") return run_drain(io, options, *targets);
  if (word == "remove") return run_remove(io, options, *targets);
  if (word == "move") return run_move(io, options, *targets);
  if (word == "formats") return run_formats(io, options, *targets);
  if (word == "audit") return run_audit(io, options, *targets);
  if (word == "rebalance") return run_rebalance(io, options, *targets);
  DirectoryOrder order;
  if (word == "cordon") {
    order.mutable_cordon()->set_node(options.node);
    order.mutable_cordon()->set_cancel(options.cancel);
    return order_and_print(io, options, *targets, order,
                           options.cancel ? "Node " + options.node + " takes replicas again"
                                          : "Nothing new comes to node " + options.node);
  }
  order.mutable_replicate()->set_service(options.service);
  order.mutable_replicate()->set_factor(options.factor);
  return order_and_print(io, options, *targets, order,
                         options.service + " is to have " + std::to_string(options.factor) +
                             " replicas of each shard");
}

}  // namespace troupe::cluster

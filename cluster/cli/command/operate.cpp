// `troupe cordon`, `remove`, `move`, `replicate`, `rebalance`: orders to the directory.
#include "cluster/cli/command/operate.hpp"

#include <charconv>
#include <istream>
#include <sstream>
#include <thread>

#include "cluster/cli/command/balance_table.hpp"
#include "config/names.hpp"

namespace troupe::cluster {
namespace {

constexpr const char* directory_path = "/v1/directory";
constexpr auto patience = std::chrono::seconds{30};  // while nobody answers
constexpr auto unanswered_pause = std::chrono::milliseconds{500};
// Of a question that waits for news: so long at most, and no longer than a connection may be idle.
constexpr auto news_max = std::chrono::seconds{10};

// Another node may know the way, or the same one later.
bool is_about_the_way(const Error& why) {
  return why.reason == "NODE_UNREACHABLE" || why.reason == "NODE_SILENT" ||
         why.reason == "NOT_A_NODE" || why.reason == "DIRECTORY_UNREACHABLE" ||
         why.reason == "NO_LEADER" || why.reason == "DIRECTORY_STARTING" ||
         why.reason == "DIRECTORY_EMPTY" || why.code == Code::deadline_exceeded ||
         why.code == Code::unavailable;
}

int order_and_print(const CliIo& io, const OperateOptions& options, const Targets& targets,
                    DirectoryOrder order, const std::string& what) {
  order.set_why(options.why);
  const auto outcome = order_cluster(io, targets, order);
  return outcome ? print_done(io, options, *outcome, what) : exit_failed;
}

int run_remove(const CliIo& io, const OperateOptions& options, const Targets& targets) {
  if (!confirmed(io, options, options.node,
                 "Node " + harmless(options.node) +
                     " would be no member of the cluster any more, for ever"))
    return options.yes.empty() ? exit_failed : exit_usage;
  DirectoryOrder order;
  order.mutable_remove()->set_node(options.node);
  return order_and_print(io, options, targets, order, "Node " + options.node + " is removed");
}

int run_move(const CliIo& io, const OperateOptions& options, const Targets& targets) {
  const auto shard = shard_named(io, options.shard);
  if (!shard || !names_service(io, shard->first)) return exit_usage;
  DirectoryOrder order;
  order.mutable_move()->set_service(shard->first);
  order.mutable_move()->set_shard(shard->second);
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

std::optional<std::pair<std::string, std::uint32_t>> shard_named(const CliIo& io,
                                                                 const std::string& text) {
  const auto slash = text.rfind('/');
  const std::string digits = slash == std::string::npos ? "" : text.substr(slash + 1);
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (!digits.empty() && error == std::errc{} && end == digits.data() + digits.size())
    return std::pair{text.substr(0, slash), number};
  *io.err << "troupe: " << config::in_quotes(harmless(text))
          << " is no shard: write it as banking.v1.Accounts/2\n";
  return std::nullopt;
}

bool names_service(const CliIo& io, const std::string& service) {
  if (config::is_service_name(service)) return true;
  *io.err << "troupe: " << config::in_quotes(harmless(service))
          << " is no service: write its full name, such as banking.v1.Accounts\n";
  return false;
}

bool confirmed(const CliIo& io, const OperateOptions& options, const std::string& name,
               const std::string& what) {
  std::string typed = options.yes;
  if (typed.empty()) {
    *io.err << what << ". Type its name to do it: " << std::flush;
    if (io.in) std::getline(*io.in, typed);
  }
  if (typed == name) return true;
  *io.err << "troupe: not confirmed: that is not its name (--yes NAME says it in a script). "
             "Nothing was changed\n";
  return false;
}

int print_done(const CliIo& io, const OperateOptions& options, const DirectoryOutcome& outcome,
               const std::string& what) {
  if (options.ask.json)
    *io.out << to_json(outcome) << "\n";
  else
    *io.out << what << " (version " << outcome.version() << ")\n";
  return exit_done;
}

Result<void> ask_in_turn(const CliIo& io, const Targets& targets,
                         const std::function<Result<void>(const Target&)>& ask) {
  Error last = unavailable("NODE_UNREACHABLE", "there is no node to ask");
  for (const Target& target : targets.targets) {
    const auto asked = ask(target);
    if (asked) return {};
    last = asked.error();
    complain(io, target, last);
    if (!is_about_the_way(last)) break;
  }
  return last;
}

Result<DirectoryOutcome> order_cluster(const CliIo& io, const Targets& targets,
                                       const DirectoryOrder& ordered) {
  DirectoryOrder order = ordered;
  if (order.by().empty()) order.set_by(whoever_runs(io));
  DirectoryOutcome outcome;
  TROUPE_CHECK(ask_in_turn(io, targets, [&](const Target& target) {
    outcome.Clear();
    return order_node(target.address, directory_path, order, targets.timeout, outcome);
  }));
  return outcome;
}

Patient::Patient(const CliIo& io, const Targets& targets) : io_(io), targets_(targets) {
  targets_.timeout += news_max + std::chrono::seconds{2};
}

Result<DirectoryOutcome> Patient::ask(DirectoryOrder question) {
  question.mutable_question()->set_wait_ms(
      static_cast<std::uint32_t>(std::chrono::milliseconds{news_max}.count()));
  for (;;) {
    std::ostringstream complaints;
    CliIo quiet = io_;
    quiet.err = &complaints;
    auto outcome = order_cluster(quiet, targets_, question);
    const auto now = std::chrono::steady_clock::now();
    if (outcome) {
      heard_ = now;
      return outcome;
    }
    if (!is_about_the_way(outcome.error()) || now - heard_ >= patience) {
      *io_.err << complaints.str();
      return outcome;
    }
    std::this_thread::sleep_for(unanswered_pause);
  }
}

int run_operate(const CliIo& io, const std::string& word, const OperateOptions& options) {
  if (word == "directory") return run_directory(io, options);
  const auto targets = targets_of(io, options.ask);
  if (!targets) return exit_usage;
  if (word == "drain") return run_drain(io, options, *targets);
  if (word == "remove") return run_remove(io, options, *targets);
  if (word == "move") return run_move(io, options, *targets);
  if (word == "split") return run_split(io, options, *targets);
  if (word == "formats") return run_formats(io, options, *targets);
  if (word == "audit") return run_audit(io, options, *targets);
  if (word == "rebalance") return run_rebalance(io, options, *targets);
  if (word == "advise") return run_advise(io, options, *targets);
  if (word == "control") return run_control(io, options, *targets);
  if (word == "policy") return run_policy(io, options, *targets);
  if (word == "replicate" && !names_service(io, options.service)) return exit_usage;
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

// `troupe split`: one shard becomes two.
#include <chrono>

#include "cluster/cli/command/operate.hpp"

namespace troupe::cluster {
namespace {

constexpr auto split_patience = std::chrono::seconds{60};

int print_split(const CliIo& io, const OperateOptions& options, const SplitReport& report) {
  if (options.ask.json) {
    *io.out << to_json(report.fresh()) << "\n";
    return exit_done;
  }
  *io.out << options.shard << " is split: shard " << report.fresh().shard() << " has the buckets "
          << report.first_bucket() << " to " << report.end_bucket() - 1 << "\n";
  return exit_done;
}

// Until the directory has the new shard. `version`: of the table that has the order.
int wait_until_split(const CliIo& io, const OperateOptions& options, const Targets& targets,
                     const std::string& service, std::uint32_t shard, std::uint64_t version) {
  const auto until = std::chrono::steady_clock::now() + split_patience;
  DirectoryOrder order;
  DirectoryQuestion& question = *order.mutable_question();
  question.set_version(version);
  question.mutable_split()->set_service(service);
  question.mutable_split()->set_shard(shard);
  Patient patient{io, targets};
  do {
    const auto outcome = patient.ask(order);
    if (!outcome) break;
    if (!outcome->split().under_way() && outcome->split().has_fresh())
      return print_split(io, options, outcome->split());
    // It is not what was asked for: whoever answered knows no such question, or no such shard.
    if (!outcome->split().under_way()) break;
  } while (std::chrono::steady_clock::now() < until);
  *io.err << "troupe: the split of " << harmless(options.shard)
          << " is not over yet and goes on by itself; it waits while replicas of the shard move or "
             "are missing ('troupe shards'). 'troupe directory --shards' shows its end\n";
  return exit_failed;
}

}  // namespace

int run_split(const CliIo& io, const OperateOptions& options, const Targets& targets) {
  const auto shard = shard_named(io, options.shard);
  if (!shard) return exit_usage;
  if (!confirmed(io, options, options.shard,
                 "Shard " + harmless(options.shard) + " would be two shards, for ever"))
    return options.yes.empty() ? exit_failed : exit_usage;
  DirectoryOrder order;
  order.mutable_split()->set_service(shard->first);
  order.mutable_split()->set_shard(shard->second);
  order.mutable_split()->set_at_bucket(options.bucket);
  order.set_why(options.why);
  const auto outcome = order_cluster(io, targets, order);
  if (!outcome) return exit_failed;
  if (!options.no_wait)
    return wait_until_split(io, options, targets, shard->first, shard->second, outcome->version());
  if (options.ask.json)
    *io.out << to_json(*outcome) << "\n";
  else
    *io.out << options.shard << " is being split; 'troupe directory --shards' shows its end\n";
  return exit_done;
}

}  // namespace troupe::cluster

// `troupe split`: one shard becomes two.
#include <thread>

#include "cluster/cli/command/operate.hpp"
#include "cluster/directory/buckets.hpp"

namespace troupe::cluster {
namespace {

constexpr auto between_questions = std::chrono::milliseconds{500};
constexpr auto split_patience = std::chrono::seconds{60};

// The first node that answers; nullopt: none does.
std::optional<DirectoryTable> look_at_table(const Targets& targets) {
  for (const Target& target : targets.targets) {
    DirectoryView view;
    if (ask_node(target.address, "/v1/directory", targets.timeout, view)) return view.table();
  }
  return std::nullopt;
}

const DirectoryShard* shard_in(const DirectoryTable& table, const std::string& service,
                               std::uint32_t shard) {
  for (const auto& one : table.shards())
    if (one.service() == service && one.shard() == shard) return &one;
  return nullptr;
}

const DirectoryService* service_in(const DirectoryTable& table, const std::string& service) {
  for (const auto& one : table.services())
    if (one.service() == service) return &one;
  return nullptr;
}

int print_split(const CliIo& io, const OperateOptions& options, const DirectoryShard& fresh,
                const DirectoryService& service) {
  if (options.ask.json) {
    *io.out << to_json(fresh) << "\n";
    return exit_done;
  }
  const auto [first, end] = buckets_of(service, fresh.shard());
  *io.out << options.shard << " is split: shard " << fresh.shard() << " has the buckets " << first
          << " to " << end - 1 << "\n";
  return exit_done;
}

// Until the directory has the new shard.
int wait_until_split(const CliIo& io, const OperateOptions& options, const Targets& targets,
                     const std::string& service, std::uint32_t shard, std::uint64_t version) {
  const auto until = std::chrono::steady_clock::now() + split_patience;
  std::optional<std::uint32_t> number;
  while (std::chrono::steady_clock::now() < until) {
    const auto table = look_at_table(targets);
    const bool newer = table && table->version() >= version;
    const DirectoryShard* parent = newer ? shard_in(*table, service, shard) : nullptr;
    if (parent && parent->has_split()) number = parent->split().shard();
    const DirectoryService* all = parent ? service_in(*table, service) : nullptr;
    // It may be over before the first look: then the new shard is the newest one.
    if (parent && all && !parent->has_split()) {
      if (!number) number = static_cast<std::uint32_t>(all->first_bucket_size()) - 1;
      if (const DirectoryShard* fresh = shard_in(*table, service, *number))
        return print_split(io, options, *fresh, *all);
    }
    std::this_thread::sleep_for(between_questions);
  }
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

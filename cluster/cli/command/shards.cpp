// `troupe shards`: every replica of every shard.
#include "cluster/admin.pb.h"
#include "cluster/cli/command/ask.hpp"
#include "cluster/cli/command/human.hpp"
#include "cluster/cli/command/table.hpp"

namespace troupe::cluster {
namespace {

bool votes(const std::string& role) {
  return role != "absent" && role != "catching up";
}

std::string buckets_text(const ShardStatus& shard) {
  if (shard.end_bucket() == 0) return {};
  return std::to_string(shard.first_bucket()) + "-" + std::to_string(shard.end_bucket() - 1);
}

}  // namespace

int run_shards(const CliIo& io, const AskOptions& options) {
  constexpr auto right = Table::Align::right;
  const auto targets = targets_of(io, options);
  if (!targets) return exit_usage;
  const auto answers = ask_all<ShardList>(io, options, *targets, "/v1/shards");
  if (options.json) return exit_status(answers);

  Table table{{{"SERVICE"},
               {"SHARD", right},
               {"BUCKETS", right},
               {"NODE"},
               {"ROLE"},
               {"STATE"},
               {"TERM", right},
               {"COMMIT", right},
               {"APPLIED", right},
               {"ON DISK", right},
               {"LOG", right},
               {"STORED", right},
               {"RESIDENT", right},
               {"SET ASIDE", right},
               {"FILE", right}}};
  for (const auto& [target, answer] : answers) {
    if (!answer) {
      if (target.node.empty()) continue;
      std::vector<Cell> row(table.columns(), Cell{""});
      row[3] = target.node;
      row[5] = {"unreachable", Tint::bad};
      table.add(std::move(row));
      continue;
    }
    for (const auto& shard : answer->shards())
      table.add({{shard.service(), Tint::strong},
                 std::to_string(shard.shard()),
                 buckets_text(shard),
                 shard.node(),
                 {shard.role(), votes(shard.role()) ? Tint::none : Tint::warning},
                 {shard.state(), tint_of_state(shard.state())},
                 std::to_string(shard.term()),
                 human_count(shard.commit_index()),
                 human_count(shard.applied_index()),
                 human_count(shard.checkpointed_index()),
                 human_count(shard.log_entries()),
                 human_count(shard.entities_stored()),
                 human_count(shard.entities_resident()),
                 {human_count(shard.quarantined()),
                  shard.quarantined() == 0 ? Tint::none : Tint::warning},
                 human_bytes(shard.file_bytes())});
  }
  if (!table.empty()) table.print(io);
  return exit_status(answers);
}

}  // namespace troupe::cluster

#include "cluster/shard_end.hpp"

#include <utility>

namespace troupe::cluster {

bool has_past(const runtime::NodeLog& log, runtime::GroupId group) {
  const auto record = log.record(group);
  return record && (record->snapshot_index > 0 || log.last_index(group) > 0);
}

actors::OtherShardFiles all_files(const actors::ShardSpec& spec) {
  actors::OtherShardFiles files = spec.other_files(1);
  files.own.clear();
  return files;
}

std::shared_ptr<void> end_ticket(runtime::Platform& platform, runtime::NodeLog& log,
                                 const HostedShard& shard, std::function<void()> ended) {
  const runtime::GroupId group = shard.spec.group;
  const auto remove = [files = all_files(shard.spec), group, platform = &platform, log = &log,
                       ended = std::move(ended)] {
    if (!has_past(*log, group))
      if (const auto removed = files.remove(platform->disk()); !removed)
        platform->log().warn("shards.files_left", removed.error().describe(), {});
    ended();
  };
  return {nullptr, [queue = std::weak_ptr{shard.queue}, remove, group, log = &log](void*) {
            log->append({.group = group, .done = [queue, remove](const Result<void>&) {
                           if (const auto jobs = queue.lock()) jobs->post(remove);
                         }});
          }};
}

}  // namespace troupe::cluster

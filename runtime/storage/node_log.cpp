#include "runtime/storage/node_log.hpp"

#include "runtime/storage/log_recovery.hpp"
#include "runtime/storage/log_writer.hpp"
#include "runtime/storage/probe.hpp"

namespace troupe::runtime {

Result<std::unique_ptr<NodeLog>> NodeLog::open(Platform& platform, const std::string& folder,
                                               Options options) {
  TROUPE_CHECK(platform.disk().create_folders(folder));
  TROUPE_TRY(recovered, recover_log(platform, folder));
  const auto spares = recovered.spares;
  if (auto* probe = platform.probe()) {
    for (const auto& [id, group] : recovered.groups)
      if (group.exists()) probe->log_recovered(id, group.snapshot(), group.next() - 1);
  }
  auto log = std::make_unique<LogWriter>(platform, folder, options, std::move(recovered));
  TROUPE_CHECK(log->start(spares));
  return log;
}

}  // namespace troupe::runtime

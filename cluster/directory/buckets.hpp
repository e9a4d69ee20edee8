// Which buckets a shard has, by the directory's table. For nodes and for the command line, which
// links nothing of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "cluster/directory/table.pb.h"
#include "runtime/storage/ids.hpp"

namespace troupe::cluster {

// The first one, and the one behind the last; of a shard that the service has not: none.
inline std::pair<std::uint32_t, std::uint32_t> buckets_of(const DirectoryService& service,
                                                          std::uint32_t shard) {
  if (shard >= static_cast<std::uint32_t>(service.first_bucket_size())) return {0, 0};
  const std::uint32_t first = service.first_bucket(static_cast<int>(shard));
  std::uint32_t end = runtime::bucket_count;
  for (const std::uint32_t other : service.first_bucket())
    if (other > first) end = std::min(end, other);
  return {first, end};
}

}  // namespace troupe::cluster

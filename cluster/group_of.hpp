// Which Raft group a shard is.
#pragma once

#include <string>

#include "runtime/storage/checksum.hpp"
#include "runtime/storage/ids.hpp"

namespace troupe::cluster {

// One number per shard of a service, the same on every start: XXH3-64 of "service/shard", never 0,
// which is the directory's.
inline runtime::GroupId group_of(const std::string& service, std::uint32_t shard) {
  const runtime::GroupId group = runtime::checksum(service + "/" + std::to_string(shard));
  return group == 0 ? 1 : group;
}

}  // namespace troupe::cluster

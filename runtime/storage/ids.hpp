// Names and numbers shared by everything that stores.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace troupe::runtime {

// One Raft group: a shard, or the directory (group 0). Never used again for another shard.
using GroupId = std::uint64_t;

// Position in a group's log, from 1. Zero: none.
using LogIndex = std::uint64_t;
using Term = std::uint64_t;

// Part of a shard's key space; see architecture.md, Shard.
using Bucket = std::uint16_t;
inline constexpr Bucket bucket_count = 4096;

// Bytes that are shared between the log, the replication tail and the rows to apply.
using SharedBytes = std::shared_ptr<const std::string>;

}  // namespace troupe::runtime

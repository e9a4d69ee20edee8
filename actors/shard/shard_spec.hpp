// Who a shard is, and where its files are.
#pragma once

#include <cstdint>
#include <string>

#include "actors/service.hpp"
#include "actors/shard/options.hpp"
#include "runtime/platform/disk.hpp"
#include "runtime/result.hpp"
#include "runtime/storage/ids.hpp"

namespace troupe::actors {

// What lies in the folder of a shard's files under its name and is not its file: of former
// generations, and copies that were made for other replicas or never arrived whole.
struct OtherShardFiles {
  std::string folder;
  std::string prefix;
  std::string own;
  Result<void> remove(runtime::Disk& disk) const;
};

// Shared by its restarts.
struct ShardSpec {
  const Service* service = nullptr;
  std::uint32_t shard = 0;
  runtime::GroupId group = 0;
  std::string folder;  // of the shard's files
  ShardOptions options;

  // "banking.v1.Accounts/2"
  std::string name() const;
  std::string file(std::uint64_t generation) const;
  OtherShardFiles other_files(std::uint64_t generation) const;
};

}  // namespace troupe::actors

// What the directory says to an order to split a shard, and to its end. Pure functions; refusals
// have the reasons of docs/errors/directory.md.
#pragma once

#include <optional>

#include "cluster/directory/directory.pb.h"
#include "cluster/directory/table.hpp"
#include "runtime/result.hpp"

namespace troupe::cluster {

// The shard with the split that is ordered, after which no node may come any more that does not
// know what a split leaves in logs and files. Nullopt: it has been ordered before.
Result<std::optional<DirectoryShard>> with_split(const DirectoryTable& table,
                                                 const directory::v1::SplitRequest& request);

// The service with one shard more, the shard that was split, and the new one. Nullopt: it has been
// said before.
Result<std::optional<directory::v1::SplitEnded>> split_ended(
    const DirectoryTable& table, const directory::v1::EndSplitRequest& request);

// What has become of a split of this shard, as far as the table knows.
SplitReport split_report(const DirectoryTable& table, const std::string& service,
                         std::uint32_t shard);

}  // namespace troupe::cluster

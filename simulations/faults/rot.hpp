// Bit rot in a node's files: which byte it hits.
//
// Seven times in eight it is one of the bytes that were written, since a log's WAL is preallocated
// with zeros that nobody reads; else any byte of the file.
//
// In shard files it is, three times in four, a byte of the database itself rather than of its WAL,
// in a page that the WAL does not hold as well: whoever reads the file again meets it. A page that
// the WAL holds is read from there, and written anew by the next checkpoint. Two times of these
// three it is a byte that only a checksum can tell from another: of the value of an event's row, as
// events are never written again, and so are not made good by the next write of their page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "simulations/world/disk_image.hpp"

namespace troupe::simulations {

// Files of a node's data folder, see cluster/data_folder.hpp: databases and WALs.
enum class RotTarget : std::uint8_t { node_log, shard_file };

// Flips one bit. `number` alone chooses among the files (sorted by path) and bytes that there are.
// "/data/log/log-000001.db-wal@4711", or nothing if there is no such byte.
std::optional<std::string> rot(DiskImage& disk, RotTarget target, std::uint64_t number);

}  // namespace troupe::simulations

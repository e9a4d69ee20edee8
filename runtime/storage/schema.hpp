// How our SQLite files begin and how they grow with new versions of Troupe.
//
// A schema is a list of steps; a file's version (PRAGMA user_version) is the number of steps that
// it has been through. A new file is put together in memory and written whole, so that no file is
// ever half made; an older file goes through the steps that it lacks, in one transaction; a newer
// one is refused, because we cannot know what its rows mean.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/platform/disk.hpp"
#include "runtime/result.hpp"
#include "runtime/storage/sqlite.hpp"

namespace troupe::runtime {

struct Schema {
  std::string what;             // for people: "shard file"
  std::int32_t application_id;  // PRAGMA application_id: tells our files from others'
  std::vector<std::string> steps;
  std::uint32_t page_bytes = 4096;
  bool checked_pages = false;  // see page_checks.hpp
  std::int64_t version() const { return static_cast<std::int64_t>(steps.size()); }
};

// What a version found in a file means: nothing wrong, FAILED_PRECONDITION / SCHEMA_TOO_NEW, or
// DATA_LOSS / `corrupt_reason` if the file is not one of ours.
Result<void> check_schema(const Schema& schema, std::int64_t application_id, std::int64_t version,
                          const std::string& path, const std::string& corrupt_reason);

// The bytes of a new file of the newest version in WAL mode. `fill` adds its first rows.
Result<std::string> new_database(const Schema& schema,
                                 const std::function<Result<void>(Database&)>& fill = {});

// Brings an open file to the newest version.
Result<void> migrate(Database& database, const Schema& schema, const std::string& corrupt_reason);

}  // namespace troupe::runtime

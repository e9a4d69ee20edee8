#include "runtime/storage/schema.hpp"

#include "runtime/storage/page_checks.hpp"

namespace troupe::runtime {
namespace {

// Offsets in the header of a database file: https://sqlite.org/fileformat2.html section 1.3.
constexpr std::size_t write_version_offset = 18;
constexpr std::size_t read_version_offset = 19;
constexpr char version_of_wal = 2;

}  // namespace

Result<void> check_schema(const Schema& schema, std::int64_t application_id, std::int64_t version,
                          const std::string& path, const std::string& corrupt_reason) {
  if (application_id != schema.application_id || version < 1)
    return data_loss(corrupt_reason, path + ": this is no " + schema.what +
                                         " of Troupe (its header " + "says application " +
                                         std::to_string(application_id) + ", version " +
                                         std::to_string(version) + ")");
  if (version > schema.version())
    return failed_precondition(
        "SCHEMA_TOO_NEW", path + ": this " + schema.what + " has version " +
                              std::to_string(version) + ", but this program knows versions up to " +
                              std::to_string(schema.version()) +
                              ": start the version of the program that wrote it, or a newer one");
  return {};
}

Result<std::string> new_database(const Schema& schema,
                                 const std::function<Result<void>(Database&)>& fill) {
  TROUPE_TRY(database, Database::open_in_memory());
  int reserved = schema.checked_pages ? page_sum_bytes : 0;
  sqlite3_file_control(database->handle(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
  TROUPE_CHECK(
      database->execute("PRAGMA page_size=" + std::to_string(schema.page_bytes) +
                        "; PRAGMA application_id=" + std::to_string(schema.application_id) +
                        "; PRAGMA user_version=" + std::to_string(schema.version())));
  for (const auto& step : schema.steps) TROUPE_CHECK(database->execute(step));
  if (fill) TROUPE_CHECK(fill(*database));
  sqlite3_int64 size = 0;
  unsigned char* bytes = sqlite3_serialize(database->handle(), "main", &size, 0);
  if (!bytes) return unavailable("OUT_OF_MEMORY", "no memory for a new " + schema.what);
  std::string image{reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
  sqlite3_free(bytes);
  // A database in memory has no WAL; the file that it becomes has.
  image[write_version_offset] = version_of_wal;
  image[read_version_offset] = version_of_wal;
  if (schema.checked_pages) PageChecks::seal(image, schema.page_bytes);
  return image;
}

Result<void> migrate(Database& database, const Schema& schema, const std::string& corrupt_reason) {
  TROUPE_TRY(application, database.query_integer("PRAGMA application_id"));
  TROUPE_TRY(version, database.query_integer("PRAGMA user_version"));
  TROUPE_CHECK(check_schema(schema, application, version, database.path(), corrupt_reason));
  if (version == schema.version()) return {};
  TROUPE_CHECK(database.begin());
  const auto grow = [&]() -> Result<void> {
    for (auto step = version; step < schema.version(); ++step)
      TROUPE_CHECK(database.execute(schema.steps[static_cast<std::size_t>(step)]));
    return database.execute("PRAGMA user_version=" + std::to_string(schema.version()));
  };
  if (auto grown = grow(); !grown) {
    database.rollback();
    return grown;
  }
  return database.commit();
}

}  // namespace troupe::runtime

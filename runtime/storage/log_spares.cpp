#include "runtime/storage/log_spares.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"
#include "runtime/storage/sqlite.hpp"
#include "runtime/storage/vfs_file.hpp"
#include "runtime/storage/wal_scan.hpp"

namespace troupe::runtime {
namespace {

constexpr std::string_view spare_prefix = "log.spare-";
// Zeros are synced in pieces, so that the log's own syncs do not wait for all of them.
constexpr std::uint64_t piece_bytes = 1 << 20;

}  // namespace

std::optional<std::uint64_t> LogSpares::parse_name(std::string_view name) {
  if (!name.starts_with(spare_prefix)) return std::nullopt;
  name.remove_prefix(spare_prefix.size());
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || rest != name.data() + name.size()) return std::nullopt;
  return number;
}

std::string LogSpares::path(std::uint64_t number) const {
  return folder_ + "/" + std::string{spare_prefix} + std::to_string(number);
}

Result<void> LogSpares::found(std::uint64_t number) {
  next_ = std::max(next_, number + 1);
  TROUPE_TRY(blank, is_blank_wal(disk_, path(number)));
  TROUPE_SOMETIMES_IF(blank, "the log was opened with a spare");
  TROUPE_SOMETIMES_IF(!blank, "a spare that was not blank was thrown away");
  if (!blank || numbers_.size() >= kept_max) return disk_.remove(path(number));
  numbers_.insert(number);
  return {};
}

std::string LogSpares::take() {
  const std::lock_guard lock{mutex_};
  if (numbers_.empty()) return {};
  return path(numbers_.extract(numbers_.begin()).value());
}

bool LogSpares::wanted() {
  const std::lock_guard lock{mutex_};
  if (!numbers_.empty() || given_up_) return false;
  return !std::exchange(making_, true);
}

std::uint64_t LogSpares::reserve_number() {
  const std::lock_guard lock{mutex_};
  return next_++;
}

Result<void> LogSpares::make(std::uint64_t bytes) {
  const auto number = reserve_number();
  const auto made = fill(path(number), bytes);
  {
    const std::lock_guard lock{mutex_};
    making_ = false;
  }
  if (made) return add(number);
  TROUPE_CHECK(disk_.remove(path(number)));
  return is_disk_full(made.error()) ? Result<void>{} : made;
}

Result<void> LogSpares::fill(const std::string& spare, std::uint64_t bytes) {
  TROUPE_CHECK(disk_.write(spare, {}));
  TROUPE_TRY(file, VfsFile::open(disk_, spare));
  const std::string zeros(static_cast<std::size_t>(std::min(bytes, piece_bytes)), '\0');
  for (std::uint64_t offset = 0; offset < bytes; offset += zeros.size()) {
    TROUPE_CHECK(file.write(offset, zeros));
    TROUPE_CHECK(file.sync());
  }
  return {};
}

Result<void> LogSpares::keep(const std::string& wal) {
  {
    const std::lock_guard lock{mutex_};
    if (given_up_ || numbers_.size() >= kept_max) return disk_.remove(wal);
  }
  const auto number = reserve_number();
  // Planted: a spare still holds the rows of the segment that it was.
  if (!TROUPE_PLANTED(spare_not_blanked)) TROUPE_CHECK(blank_wal(disk_, wal));
  TROUPE_CHECK(disk_.rename(wal, path(number)));
  return add(number);
}

Result<void> LogSpares::add(std::uint64_t number) {
  {
    const std::lock_guard lock{mutex_};
    // Another may have been added since it was seen that there is room.
    if (!given_up_ && numbers_.size() < kept_max) {
      numbers_.insert(number);
      return {};
    }
  }
  return disk_.remove(path(number));
}

Result<void> LogSpares::give_up() {
  std::set<std::uint64_t> numbers;
  {
    const std::lock_guard lock{mutex_};
    given_up_ = true;
    numbers.swap(numbers_);
  }
  for (const auto number : numbers) TROUPE_CHECK(disk_.remove(path(number)));
  return {};
}

void LogSpares::allow() {
  const std::lock_guard lock{mutex_};
  given_up_ = false;
}

}  // namespace troupe::runtime

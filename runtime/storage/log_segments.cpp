// The writer's dealings with segments and with a full disk.
#include <algorithm>
#include <utility>

#include "runtime/rehearsal/marks.hpp"
#include "runtime/storage/log_writer.hpp"
#include "runtime/storage/probe.hpp"

namespace troupe::runtime {
namespace {

// A segment without a live entry is replaced on a full disk if that frees at least so much.
constexpr std::uint64_t worth_freeing_bytes = 1 << 20;

}  // namespace

Result<void> LogWriter::begin_segment() {
  const auto number = segments_.empty() ? 1 : current().number() + 1;
  const auto give_up = [&](const Error& why) -> Result<void> {
    const auto database = folder_ + "/" + segment_name(number);
    TROUPE_CHECK(platform_.disk().remove(database));
    TROUPE_CHECK(platform_.disk().remove(database + "-wal"));
    return why;
  };
  const auto spare = spares_.take();
  auto created = Segment::create(platform_.disk(), folder_, number, spare);
  if (!created) return give_up(created.error());
  std::shared_ptr<Segment> segment = *std::move(created);
  if (auto written = write_first_rows(*segment); !written) {
    segment->close();
    return give_up(written.error());
  }
  ++transaction_;
  if (auto* const probe = platform_.probe()) probe->log_committed();
  TROUPE_SOMETIMES_IF(number > 1, "a segment of the log was begun");
  TROUPE_SOMETIMES_IF(!spare.empty(), "a spare was used for a segment");
  const std::lock_guard lock{mutex_};
  segments_.push_back(std::move(segment));
  return {};
}

// What the log holds of every group, so that older segments are needed for their entries only.
Result<void> LogWriter::write_first_rows(Segment& segment) {
  std::deque<std::string> payloads(1);
  std::vector<LogRow> rows(1);
  for (const auto& [id, group] : groups_) {
    if (!group.exists()) continue;
    auto stored = group.record ? to_stored(*group.record) : wire::StoredGroup{};
    stored.set_first_index(group.index.first());
    stored.set_last_index(group.index.last());
    const auto& payload = payloads.emplace_back(stored.SerializeAsString());
    rows.push_back({row_key(transaction_ + 1, rows.size()), id, group_row, 0, 0, true, payload});
  }
  if (rows.size() > rows_max)
    return internal("LOG_APPEND_TOO_LARGE", std::to_string(rows.size()) + " groups in one log");
  wire::StoredSegment stored;
  stored.set_number(segment.number());
  stored.set_transaction_before(transaction_);
  stored.set_groups(rows.size() - 1);
  payloads.front() = stored.SerializeAsString();
  rows.front() = {row_key(transaction_ + 1, 0), 0, segment_row, 0, 0, true, payloads.front()};
  return segment.commit(rows);
}

void LogWriter::begin_segment_if_due() {
  if (stopped_ || current().used_bytes() < options_.segment_bytes) return;
  auto begun = begin_segment();
  if (!begun && is_disk_full(begun.error()) && !stats_.disk_full) {
    enter_disk_full(begun.error());
    begun = begin_segment();
  }
  // On a full disk the log goes on in the old one.
  TROUPE_SOMETIMES_IF(!begun, "no segment could be begun");
  if (!begun && !is_disk_full(begun.error())) return stop_node(begun.error());
  if (spares_.wanted())
    cleaner_->post([this] {
      const auto made = spares_.make(options_.segment_bytes);
      if (!made) platform_.fail_stop(made.error());
    });
}

void LogWriter::drop_dead_segments() {
  std::optional<std::uint64_t> oldest;
  for (const auto& [id, group] : groups_)
    if (!group.index.empty())
      oldest = std::min(oldest.value_or(UINT64_MAX), group.index.oldest_segment());
  if (!oldest && stats_.disk_full && current().used_bytes() > worth_freeing_bytes) {
    const auto begun = begin_segment();
    if (!begun && !is_disk_full(begun.error())) return stop_node(begun.error());
  }
  const auto needed = oldest.value_or(current().number());
  while (segments_.front()->number() < needed) {
    TROUPE_SOMETIMES("a segment that nothing needs was dropped");
    std::shared_ptr<Segment> dead = segments_.front();
    {
      const std::lock_guard lock{mutex_};
      segments_.pop_front();
    }
    cleaner_->post([this, dead] { remove_segment(*dead); });
  }
}

// On the cleaner's queue. The database goes first: see Recovery::remove_lone_wal.
void LogWriter::remove_segment(Segment& segment) {
  segment.close();
  auto& disk = platform_.disk();
  const auto wal = segment.path() + "-wal";
  const auto remove = [&]() -> Result<void> {
    TROUPE_CHECK(disk.remove(segment.path()));
    return spares_.keep(wal);
  };
  if (const auto removed = remove(); !removed) {
    // Segments must go oldest first, or the log would look as if one were lost.
    platform_.fail_stop(removed.error());
  }
}

Result<void> LogWriter::prepare_reserve() {
  if (options_.reserve_bytes == 0) return {};
  auto& disk = platform_.disk();
  const auto reserve = path(log_reserve_name);
  TROUPE_TRY(exists, disk.exists(reserve));
  if (exists) {
    TROUPE_TRY(bytes, disk.size(reserve));
    if (bytes == options_.reserve_bytes) return {};
  }
  const auto made = disk.allocate(reserve, options_.reserve_bytes);
  if (!made && is_disk_full(made.error())) {
    enter_disk_full(made.error());
    return {};
  }
  return made;
}

void LogWriter::enter_disk_full(const Error& why) {
  {
    const std::lock_guard lock{mutex_};
    stats_.disk_full = true;
  }
  TROUPE_SOMETIMES("the log met a full disk");
  platform_.log().warn("log.disk_full", "the disk is full: writes are refused until space is back",
                       {{"folder", folder_}, {"error", why.message}});
  auto& disk = platform_.disk();
  auto removed = disk.remove(path(log_reserve_name));
  if (removed) removed = spares_.give_up();
  if (!removed) stop_node(removed.error());
}

void LogWriter::leave_disk_full_if_possible() {
  if (!stats_.disk_full) return;
  if (options_.reserve_bytes > 0) {
    // Room for the reserve and as much again, or the next append would fill the disk once more.
    auto made = platform_.disk().allocate(path(log_reserve_name), 2 * options_.reserve_bytes);
    if (made) made = platform_.disk().allocate(path(log_reserve_name), options_.reserve_bytes);
    if (!made && !is_disk_full(made.error())) stop_node(made.error());
    TROUPE_SOMETIMES_IF(!made, "the log tried again and the disk was still full");
    if (!made) return;
  }
  TROUPE_SOMETIMES("the disk of the log has space again");
  platform_.log().info("log.disk_has_space", "there is space again: writes are accepted",
                       {{"folder", folder_}});
  spares_.allow();
  const std::lock_guard lock{mutex_};
  stats_.disk_full = false;
}

}  // namespace troupe::runtime

#include "runtime/storage/log_writer.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"
#include "runtime/storage/probe.hpp"

namespace troupe::runtime {
namespace {

void tell(const NodeLog::Append& append, const Result<void>& outcome) {
  if (append.done) append.done(outcome);
}

}  // namespace

LogWriter::LogWriter(Platform& platform, std::string folder, Options options,
                     RecoveredLog recovered)
    : platform_(platform),
      folder_(std::move(folder)),
      options_(options),
      groups_(std::move(recovered.groups)),
      segments_(std::move(recovered.segments)),
      spares_(platform.disk(), folder_),
      transaction_(recovered.transaction),
      cleaner_(platform.workers().queue("log-cleaner", Workers::Kind::pooled)),
      writer_(platform.workers().queue("log-writer", Workers::Kind::dedicated)) {}

LogWriter::~LogWriter() = default;  // the queues end first, and finish what was posted

Result<void> LogWriter::start(const std::vector<std::uint64_t>& spares) {
  for (const auto spare : spares) TROUPE_CHECK(spares_.found(spare));
  if (segments_.empty()) TROUPE_CHECK(begin_segment());
  drop_dead_segments();
  return prepare_reserve();
}

void LogWriter::append(Append append) {
  bool wake = false;
  {
    const std::lock_guard lock{mutex_};
    waiting_.push_back(std::move(append));
    wake = !std::exchange(flushing_, true);
    if (wake) ++stats_.wakeups;
  }
  if (wake) writer_->post([this] { flush(); });
}

void LogWriter::flush() {
  for (;;) {
    {
      const std::lock_guard lock{mutex_};
      if (waiting_.empty()) {
        flushing_ = false;
        return;
      }
      batch_.swap(waiting_);
    }
    write_batch();
    batch_.clear();
  }
}

void LogWriter::write_batch() {
  for (std::size_t begin = 0; begin < batch_.size();) {
    const auto end = slice_end(begin);
    write_slice(Slice{batch_}.subspan(begin, end - begin));
    begin = end;
  }
  for (const auto& append : late_) tell(append, failed_.at(append.group));
  late_.clear();
  failed_.clear();
  if (stopped_) return;
  // Nobody waits for these.
  if (std::exchange(cuts_, false)) drop_dead_segments();
  if (!stats_.disk_full) current().preallocate(options_.segment_bytes);
}

// As many appends as one transaction takes, and at least one.
std::size_t LogWriter::slice_end(std::size_t begin) const {
  std::size_t entries = 0;
  std::uint64_t bytes = 0;
  std::size_t end = begin;
  for (; end < batch_.size(); ++end) {
    const auto& append = batch_[end];
    entries += append.entries.size() + (append.record ? 1 : 0);
    for (const auto& entry : append.entries) bytes += entry.payload ? entry.payload->size() : 0;
    const bool full = entries > options_.commit_entries_max || bytes > options_.commit_bytes_max;
    if (full && end > begin) break;
  }
  return end;
}

void LogWriter::write_slice(Slice slice) {
  Result<void> outcome;
  if (stopped_) {
    outcome = *stopped_;
    refusals_.clear();
  } else {
    leave_disk_full_if_possible();
    begin_segment_if_due();
    outcome = stopped_ ? Result<void>{*stopped_} : commit_slice(slice);
  }
  if (outcome) {
    publish(slice);
  } else if (!is_disk_full(outcome.error()) && !stopped_) {
    stop_node(outcome.error());
  }
  finish(slice, outcome);
}

Result<void> LogWriter::commit_slice(Slice slice) {
  const auto failed_before = failed_;
  for (;;) {
    plan_slice(slice);
    auto committed = rows_.empty() ? Result<void>{} : current().commit(rows_);
    if (committed || !is_disk_full(committed.error()) || stats_.disk_full) return committed;
    enter_disk_full(committed.error());
    failed_ = failed_before;  // once more, without the entries
  }
}

void LogWriter::plan_slice(Slice slice) {
  rows_.clear();
  encoded_.clear();
  refusals_.clear();
  plans_.clear();
  for (std::size_t position = 0; position < slice.size(); ++position) {
    const auto& append = slice[position];
    if (auto refusal = plan_append(append)) {
      fail(append, *refusal);
      refusals_.push_back({position, *std::move(refusal)});
    } else {
      add_rows(append);
    }
  }
}

std::optional<Error> LogWriter::plan_append(const Append& append) {
  if (const auto failed = failed_.find(append.group); failed != failed_.end())
    return failed->second;
  if (stats_.disk_full && !append.entries.empty())
    return resource_exhausted("DISK_FULL", folder_ +
                                               ": the disk is full, entries are refused; free some "
                                               "space, writes go on by themselves");
  if (rows_.size() + append.entries.size() + 1 > rows_max)
    return internal("LOG_APPEND_TOO_LARGE",
                    std::to_string(append.entries.size()) + " entries in one append");
  auto planned = plans_.find(append.group);
  if (planned == plans_.end()) {
    const auto known = groups_.find(append.group);
    const Plan plan = known == groups_.end()
                          ? Plan{}
                          : Plan{known->second.snapshot(), known->second.index.last(),
                                 known->second.record ? known->second.record->generation : 0};
    planned = plans_.emplace(append.group, plan).first;
  }
  Plan plan = planned->second;
  if (append.record) {
    if (plan.generation != 0 && append.record->generation > plan.generation) plan.last = 0;
    plan.snapshot = append.record->snapshot_index;
    plan.generation = append.record->generation;
  }
  for (const auto& entry : append.entries) {
    const auto next = std::max(plan.snapshot, plan.last) + 1;
    if (entry.index <= plan.snapshot || entry.index > next) {
      if (behind_.contains(append.group)) {
        TROUPE_SOMETIMES("an append came from a caller who had not heard of a full disk");
        return resource_exhausted("DISK_FULL",
                                  "an earlier append of the group found the disk full");
      }
      return internal("LOG_GAP", "group " + std::to_string(append.group) + " appends entry " +
                                     std::to_string(entry.index) + ", but its log goes from " +
                                     std::to_string(plan.snapshot + 1) + " to " +
                                     std::to_string(next - 1));
    }
    plan.last = entry.index;
  }
  planned->second = plan;
  return std::nullopt;
}

void LogWriter::add_rows(const Append& append) {
  const auto next_key = [&] { return row_key(transaction_ + 1, rows_.size()); };
  if (append.record) {
    const auto& bytes = encoded_.emplace_back(to_stored(*append.record).SerializeAsString());
    rows_.push_back({next_key(), append.group, group_row, 0, 0, true, bytes});
  }
  for (const auto& entry : append.entries) {
    const bool has_payload = entry.payload != nullptr;
    rows_.push_back({next_key(), append.group, entry.type, entry.index, entry.term, has_payload,
                     has_payload ? std::string_view{*entry.payload} : std::string_view{}});
  }
}

void LogWriter::publish(Slice slice) {
  if (rows_.empty()) return;
  ++transaction_;
  TROUPE_SOMETIMES_IF(slice.size() > 1, "appends shared a transaction of the log");
  auto* const probe = platform_.probe();
  const auto segment = current().number();
  if (probe) probe->log_committed();
  std::size_t row = 0;
  auto refusal = refusals_.begin();
  const std::lock_guard lock{mutex_};
  for (std::size_t position = 0; position < slice.size(); ++position) {
    if (refusal != refusals_.end() && refusal->position == position) {
      ++refusal;
      continue;
    }
    auto& append = slice[position];
    LogGroup& group = groups_[append.group];
    if (append.record) {
      const bool cut = append.record->snapshot_index > group.snapshot();
      if (cut && probe) probe->log_cut(append.group, append.record->snapshot_index);
      cuts_ = cuts_ || cut;
      group.set_record(*std::move(append.record));
      ++row;
    }
    for (const auto& entry : append.entries) {
      cuts_ = cuts_ || entry.index <= group.index.last();
      stats_.bytes += rows_[row].payload.size();
      group.index.append(entry.index, segment, rows_[row++].key);
      if (probe) probe->entry_durable(append.group, entry.index, entry.term);
    }
    stats_.entries += append.entries.size();
    if (!append.entries.empty() && !behind_.empty()) behind_.erase(append.group);
  }
  ++stats_.commits;
}

void LogWriter::fail(const Append& append, const Error& why) {
  failed_.emplace(append.group, why);
  if (!append.entries.empty()) behind_.insert(append.group);
}

void LogWriter::finish(Slice slice, const Result<void>& outcome) {
  if (!outcome)
    for (const auto& append : slice) fail(append, outcome.error());
  if (!failed_.empty()) take_waiting_of_failed();
  auto refusal = refusals_.begin();
  for (std::size_t position = 0; position < slice.size(); ++position) {
    const bool refused = refusal != refusals_.end() && refusal->position == position;
    // Planted: who is refused because of a full disk hears that all went well.
    const bool hushed = refused && stats_.disk_full && TROUPE_PLANTED(full_disk_is_success);
    tell(slice[position], refused && !hushed ? Result<void>{refusal->why} : outcome);
    if (refused) ++refusal;
  }
}

// Before any caller hears of a failure: what it appends afterwards it appends knowing.
void LogWriter::take_waiting_of_failed() {
  const std::lock_guard lock{mutex_};
  const auto first =
      std::stable_partition(waiting_.begin(), waiting_.end(),
                            [&](const Append& append) { return !failed_.contains(append.group); });
  for (auto append = first; append != waiting_.end(); ++append)
    if (!append->entries.empty()) behind_.insert(append->group);
  TROUPE_SOMETIMES_IF(first != waiting_.end(), "appends failed behind one that failed");
  late_.insert(late_.end(), std::make_move_iterator(first),
               std::make_move_iterator(waiting_.end()));
  waiting_.erase(first, waiting_.end());
}

void LogWriter::stop_node(const Error& why) {
  stopped_ = why;
  platform_.fail_stop(why);
}

}  // namespace troupe::runtime

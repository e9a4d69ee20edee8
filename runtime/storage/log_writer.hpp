// The node log itself: appends are gathered here and made durable by one writer.
//
// `mutex_` guards what any thread may see. The writer alone changes groups and segments and holds
// the mutex while it does; it may read them without. An append costs its caller one lock, and a
// wake-up of the writer only if that is not at work already.
//
// When the disk is full: the reserve is given up and entries are refused, while appends that carry
// a record alone go on in the space so won, because cutting the log is what frees space. With every
// batch the writer tries to make the reserve again; once it can, all is as before.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "runtime/storage/log_group.hpp"
#include "runtime/storage/log_recovery.hpp"
#include "runtime/storage/log_segment.hpp"
#include "runtime/storage/log_spares.hpp"
#include "runtime/storage/node_log.hpp"

namespace troupe::runtime {

class LogWriter final : public NodeLog {
 public:
  LogWriter(Platform& platform, std::string folder, Options options, RecoveredLog recovered);
  ~LogWriter() override;

  // Takes the spares that were found, makes the first segment of a new log, and the reserve. Before
  // all else.
  Result<void> start(const std::vector<std::uint64_t>& spares);

  void append(Append append) override;
  std::optional<GroupRecord> record(GroupId group) const override;
  LogIndex first_index(GroupId group) const override;
  LogIndex last_index(GroupId group) const override;
  std::vector<GroupId> groups() const override;
  Result<std::vector<LogEntry>> read(GroupId group, LogIndex from, LogIndex to) override;
  std::vector<GroupId> laggards(std::size_t segments) const override;
  Stats stats() const override;

 private:
  // What will be true of a group once the transaction in the making is durable.
  struct Plan {
    LogIndex snapshot = 0;
    LogIndex last = 0;
    std::uint64_t generation = 0;  // 0: no record yet
  };
  struct Refusal {
    std::size_t position = 0;  // in the slice
    Error why;
  };
  using Slice = std::span<Append>;

  void flush();
  void write_batch();
  std::size_t slice_end(std::size_t begin) const;
  void write_slice(Slice slice);
  Result<void> commit_slice(Slice slice);
  void plan_slice(Slice slice);
  std::optional<Error> plan_append(const Append& append);
  void add_rows(const Append& append);
  void publish(Slice slice);
  void fail(const Append& append, const Error& why);
  void finish(Slice slice, const Result<void>& outcome);
  void take_waiting_of_failed();

  Result<void> begin_segment();
  Result<void> write_first_rows(Segment& segment);
  void begin_segment_if_due();
  void drop_dead_segments();
  void remove_segment(Segment& segment);

  Result<void> prepare_reserve();
  void enter_disk_full(const Error& why);
  void leave_disk_full_if_possible();
  void stop_node(const Error& why);

  Segment& current() { return *segments_.back(); }
  std::string path(const char* name) const { return folder_ + "/" + name; }

  Platform& platform_;
  const std::string folder_;
  const Options options_;

  mutable std::mutex mutex_;
  std::vector<Append> waiting_;
  bool flushing_ = false;  // a flush is posted or runs
  std::map<GroupId, LogGroup> groups_;
  std::deque<std::shared_ptr<Segment>> segments_;  // oldest first, the last is written
  Stats stats_;

  LogSpares spares_;

  // The writer's own, kept between transactions so that no memory is asked for.
  std::uint64_t transaction_ = 0;
  std::optional<Error> stopped_;
  std::vector<Append> batch_;
  std::vector<LogRow> rows_;
  std::deque<std::string> encoded_;  // payloads of group rows
  std::vector<Refusal> refusals_;    // of the slice in hand, in order
  std::map<GroupId, Plan> plans_;    // likewise
  bool cuts_ = false;                // it may have made segments superfluous

  // Groups with a failed append in this batch, and appends that waited behind one: they fail, too.
  std::map<GroupId, Error> failed_;
  std::vector<Append> late_;
  // Groups whose callers may not have heard yet that entries failed: what looks like a gap is none.
  std::set<GroupId> behind_;

  std::unique_ptr<WorkQueue> cleaner_;
  std::unique_ptr<WorkQueue> writer_;  // last: its jobs use all the rest
};

}  // namespace troupe::runtime

// Effects on their way into the log: the rows of one Raft entry and who waits for it.
#pragma once

#include <google/protobuf/arena.h>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/request.hpp"
#include "actors/shard/resident.hpp"
#include "runtime/wire/batch.pb.h"

namespace troupe::actors {

// Shard time of a serialised batch; 0 if it says none.
std::int64_t time_of_batch(std::string_view payload);

// Whether a serialised batch may say Batch::at_once, its last field: not every one that ends like
// this does.
inline bool may_want_to_be_applied(std::string_view payload) {
  constexpr std::string_view said{"\x18\x01", 2};
  return payload.ends_with(said);
}

// An answer that may leave once the batch has committed.
struct PendingAnswer {
  RequestPtr request;
  Result<Reply> reply;
};

// Gathers commands until it is proposed. Rows live on an arena that is reset with the batch.
class OpenBatch {
 public:
  explicit OpenBatch(std::int64_t time_ms)
      : message_(google::protobuf::Arena::CreateMessage<wire::Batch>(&arena_)) {
    message_->set_time_ms(time_ms);
  }

  std::int64_t time_ms() const { return message_->time_ms(); }
  bool has_rows() const { return message_->rows_size() > 0 || !touched_.empty(); }
  std::size_t bytes() const { return bytes_; }
  std::size_t commands() const { return commands_; }

  // The caller fills in the row; `bytes` is about what it will hold.
  wire::Row& add_row(const Resident& resident, wire::Row::Kind kind, std::size_t bytes) {
    wire::Row& row = *message_->add_rows();
    row.set_bucket(resident.bucket);
    row.set_entity(resident.key);
    row.set_kind(kind);
    bytes_ += bytes + resident.key.size() + 32;
    return row;
  }
  wire::Row& add_row() { return *message_->add_rows(); }
  void apply_at_once() { message_->set_at_once(true); }

  void count_command() { ++commands_; }

  // Notes that the entity's state row has to be written when the batch is proposed.
  void touch(Resident& resident, std::size_t state_bytes) {
    if (resident.in_open_batch) return;
    resident.in_open_batch = true;
    touched_.push_back(&resident);
    bytes_ += state_bytes;
  }
  const std::vector<Resident*>& touched() const { return touched_; }

  void answer_at_commit(RequestPtr request, Result<Reply> reply) {
    answers_.push_back({std::move(request), std::move(reply)});
  }
  std::vector<PendingAnswer>& answers() { return answers_; }

  std::string serialise() const { return message_->SerializeAsString(); }
  std::size_t rows() const { return static_cast<std::size_t>(message_->rows_size()); }

 private:
  google::protobuf::Arena arena_;
  wire::Batch* message_;
  std::vector<Resident*> touched_;
  std::vector<PendingAnswer> answers_;
  std::size_t bytes_ = 0;
  std::size_t commands_ = 0;
};

// Proposed, not yet committed.
struct InFlightBatch {
  runtime::LogIndex index = 0;
  std::size_t rows = 0;
  std::vector<PendingAnswer> answers;
};

}  // namespace troupe::actors

// Effects into the open batch, batches into the log.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/message.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <utility>

#include "actors/encoding.hpp"
#include "actors/shard/shard.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"

namespace troupe::actors {

using wire::Row;

namespace {

std::string sequence_row(std::uint64_t sequence) {
  std::string bytes(8, '\0');
  for (int byte = 7; byte >= 0; --byte, sequence >>= 8)
    bytes[static_cast<std::size_t>(byte)] = static_cast<char>(sequence & 0xff);
  return bytes;
}

}  // namespace

void Shard::add_to_batch(Resident& resident, RequestPtr request, Entity::Outcome outcome,
                         const ReplyKey& key, const RequestDigest& digest) {
  OpenBatch& batch = open_batch();
  const std::int64_t time_ms = batch.time_ms();
  resident.entity->drop_kept_state();

  if (outcome.erased) {
    TROUPE_SOMETIMES("an entity was deleted");
    batch.add_row(resident, Row::STATE, 0).set_change(Row::DELETE_ENTITY);
    resident.exists = false;
    resident.version = resident.last_event = 0;
    renew_entity(resident, {});
    resident.changed_in_batch = true;
    batch.touch(resident, 0);
  } else if (!outcome.events.empty()) {
    const std::uint64_t keep = resident.entity->history_max();
    for (std::string& event : outcome.events) {
      wire::StoredEvent stored;
      stored.set_time_ms(time_ms);
      const std::size_t bytes = event.size();
      stored.set_event(std::move(event));
      Row& row = batch.add_row(resident, Row::EVENT, bytes);
      row.set_sub(sequence_row(++resident.last_event));
      stored.SerializeToString(row.mutable_value());
      if (keep == 0 || resident.last_event <= keep) continue;
      TROUPE_SOMETIMES("an old event was deleted");
      Row& oldest = batch.add_row(resident, Row::EVENT, 0);
      oldest.set_sub(sequence_row(resident.last_event - keep));
      oldest.set_change(Row::DELETE);
    }
    resident.exists = true;
    resident.version = resident.version == 0 ? first_version() : resident.version + 1;
    resident.changed_in_batch = true;
    batch.touch(resident, resident.entity->state_message().ByteSizeLong());
  } else {
    batch.touch(resident, 0);  // the reply depends on the state that it saw
  }

  wire::StoredReply stored;
  stored.set_digest_high(digest.high);
  stored.set_digest_low(digest.low);
  stored.set_reply(*outcome.reply);
  stored.set_time_ms(time_ms);
  Row& row = batch.add_row(resident, Row::REPLY, outcome.reply->size() + 48);
  // Planted: a reply is stored where nobody finds it.
  row.set_sub(TROUPE_PLANTED(reply_not_stored) ? ReplyKey{}.row() : key.row());
  stored.SerializeToString(row.mutable_value());
  // An id that says its time is refused when the window has passed since then: not before its reply
  // is gone.
  const std::int64_t from_ms =
      request->id.timed ? std::max(time_ms, request->id.time_ms()) : time_ms;
  // Planted: replies are deleted long before their window is over.
  row.set_due_ms(from_ms + to_milliseconds(reply_window_of(request->id)) /
                               (TROUPE_PLANTED(reply_window_short) ? 10'000 : 1));

  if (resident.replies_complete) {
    resident.replies.push_back(key.low);
    constexpr std::size_t replies_kept_max = 32;
    if (resident.replies.size() > replies_kept_max) {
      TROUPE_SOMETIMES("an entity has more replies than are kept in memory");
      resident.replies_complete = false;
      std::vector<std::uint64_t>{}.swap(resident.replies);
    }
  }
  replies_.add(key, digest, *outcome.reply, time_ms);
  batch.count_command();
  batch.answer_at_commit(std::move(request),
                         Reply{.payload = std::move(*outcome.reply), .version = resident.version});

  if (batch_is_full()) {
    TROUPE_SOMETIMES("a batch was full");
    return flush(false);
  }
  if (!flush_posted_) {
    flush_posted_ = true;
    executor_->post([this] {
      flush_posted_ = false;
      flush(false);
    });
  }
}

// Never behind the newest batch, whatever the leader's wall clock says.
std::int64_t time_of_batch(std::string_view payload) {
  // The first field of a batch, which Protobuf writes first.
  google::protobuf::io::CodedInputStream input{
      reinterpret_cast<const std::uint8_t*>(payload.data()), static_cast<int>(payload.size())};
  constexpr auto tag = google::protobuf::internal::WireFormatLite::MakeTag(
      wire::Batch::kTimeMsFieldNumber, google::protobuf::internal::WireFormatLite::WIRETYPE_VARINT);
  std::uint64_t time = 0;
  return input.ReadTag() == tag && input.ReadVarint64(&time) ? static_cast<std::int64_t>(time) : 0;
}

std::int64_t Shard::shard_time() const {
  const std::int64_t wall = surroundings_.platform->clock().wall().time_since_epoch().count();
  TROUPE_SOMETIMES_IF(wall < time_ms_, "the wall clock was behind shard time");
  // Planted: shard time follows the wall clock back.
  return wall < time_ms_ && TROUPE_PLANTED(shard_time_goes_back) ? wall : std::max(time_ms_, wall);
}

// A read may be the first to see a moment: no command that runs after it may see an earlier one.
std::int64_t Shard::read_time() {
  // One without rows was left by a command that had no effect, maybe long ago.
  if (open_ && !open_->has_rows()) open_.reset();
  if (!open_) time_ms_ = shard_time();
  return time_ms_;
}

// What a handler sees as now.
std::int64_t Shard::time_of_run(bool read_only) {
  const std::int64_t time = read_time();
  return read_only ? time : open_batch().time_ms();
}

OpenBatch& Shard::open_batch() {
  if (!open_) {
    time_ms_ = shard_time();
    open_ = std::make_unique<OpenBatch>(time_ms_);
  }
  return *open_;
}

// Not the same again for an entity that was deleted and is made anew: a client that has seen the
// former one must not change this one by chance.
std::uint64_t Shard::first_version() {
  constexpr std::int64_t max = std::int64_t{1} << 50;  // programs keep numbers in doubles
  return static_cast<std::uint64_t>(surroundings_.platform->random().between(1, max));
}

bool Shard::batch_is_full() const {
  return unapplied_bytes_ >= spec_.options.unapplied_bytes_max ||
         (open_ && (open_->bytes() >= spec_.options.batch_bytes_max ||
                    open_->commands() >= spec_.options.batch_commands_max));
}

// Proposes the open batch. While enough batches are in flight it goes on gathering, unless forced.
void Shard::flush(bool forced) {
  if (!open_) return;
  if (!forced && in_flight_.size() >= spec_.options.batches_in_flight_max) {
    TROUPE_SOMETIMES("a batch gathered on because enough were in flight");
    return;
  }
  if (!open_->has_rows()) {
    open_.reset();
    return;
  }
  for (Resident* resident : open_->touched()) {
    resident->in_open_batch = false;
    if (!std::exchange(resident->changed_in_batch, false) || !resident->exists) continue;
    wire::EntityState state;
    state.set_version(resident->version);
    state.set_last_event(resident->last_event);
    state.set_changed_ms(open_->time_ms());
    state.set_state(encode_deterministic(resident->entity->state_message()));
    residents_.set_bytes(*resident, resident->bytes);
    Row& row = open_->add_row(*resident, Row::STATE, 0);
    state.SerializeToString(row.mutable_value());
  }
  auto proposed = consensus_->propose(std::make_shared<const std::string>(open_->serialise()));
  if (!proposed) {
    TROUPE_SOMETIMES("a batch was refused by its group");
    const Error why = proposed.error();
    return refuse_open_work(why);
  }
  for (Resident* resident : open_->touched()) resident->last_batch = *proposed;
  replies_.proposed(*proposed);
  in_flight_.push_back({*proposed, open_->rows(), std::move(open_->answers())});
  // Planted: replies leave when their batch is proposed.
  if (TROUPE_PLANTED(answer_before_commit)) answer(in_flight_.back());
  open_.reset();
}

void Shard::resume_stalled() {
  while (!stalled_.empty() && !batch_is_full()) {
    TROUPE_SOMETIMES("a command that had waited for a full batch went on");
    RequestPtr request = std::move(stalled_.front());
    stalled_.pop_front();
    --waiting_;
    handle(std::move(request));
  }
}

}  // namespace troupe::actors

#include "cluster/replication/raft_codec.hpp"

#include <limits>
#include <utility>

#include "runtime/wire/raft.pb.h"

namespace troupe::cluster {

using runtime::LogEntry;
using wire::RaftFrame;

namespace {

Error malformed(const std::string& what) {
  return invalid_argument("RAFT_MESSAGE_MALFORMED",
                          "a message between replicas was refused: " + what +
                              "; the sender is not a node of this version or a newer one");
}

void put_snapshot(wire::RaftSnapshot& to, std::uint64_t index, std::uint64_t term,
                  std::uint64_t configuration_index, const std::string& configuration) {
  to.set_last_index(index);
  to.set_last_term(term);
  to.set_configuration_index(configuration_index);
  to.set_configuration(configuration);
}

void put_entries(wire::RaftAppend& to, const RaftMessage& message) {
  to.set_prev_index(message.head.append.prev_index);
  to.set_prev_term(message.head.append.prev_term);
  to.set_commit(message.head.append.commit);
  to.mutable_entries()->Reserve(static_cast<int>(message.entries.size()));
  for (const LogEntry& entry : message.entries) {
    wire::RaftEntry& one = *to.add_entries();
    one.set_term(entry.term);
    one.set_type(entry.type);
    one.set_has_payload(entry.payload != nullptr);
    if (entry.payload) one.set_payload(*entry.payload);
  }
}

Result<void> take_entries(wire::RaftAppend& from, RaftMessage& message) {
  auto& head = message.head.append;
  head.prev_index = from.prev_index();
  head.prev_term = from.prev_term();
  head.commit = from.commit();
  const auto count = static_cast<std::uint64_t>(from.entries_size());
  if (head.prev_index > std::numeric_limits<std::uint64_t>::max() - count - 1)
    return malformed("its entries' indexes are too high");
  head.n = static_cast<unsigned>(count);
  message.entries.reserve(count);
  runtime::LogIndex index = head.prev_index;
  for (wire::RaftEntry& one : *from.mutable_entries()) {
    if (one.type() < ENGINE_COMMAND || one.type() > ENGINE_CHANGE)
      return malformed("an entry has the unknown type " + std::to_string(one.type()));
    LogEntry entry{++index, one.term(), static_cast<std::uint8_t>(one.type()), nullptr};
    if (one.has_payload())
      entry.payload = std::make_shared<const std::string>(std::move(*one.mutable_payload()));
    message.entries.push_back(std::move(entry));
  }
  return {};
}

Result<void> take_chunk(wire::RaftChunk& from, RaftMessage& message) {
  RaftChunk& chunk = message.chunk;
  chunk.copy = from.copy();
  chunk.offset = from.offset();
  chunk.file_bytes = from.file_bytes();
  chunk.index = from.content().last_index();
  chunk.term = from.content().last_term();
  chunk.configuration_index = from.content().configuration_index();
  message.configuration = std::move(*from.mutable_content()->mutable_configuration());
  chunk.bytes = std::move(*from.mutable_bytes());
  if (chunk.copy == 0) return malformed("a piece of no copy");
  if (chunk.offset > chunk.file_bytes || chunk.bytes.size() > chunk.file_bytes - chunk.offset ||
      (chunk.file_bytes != 0 && chunk.bytes.empty()))
    return malformed("a piece of a file that does not lie inside it");
  return {};
}

Result<void> take_body(RaftFrame& frame, RaftMessage& message) {
  EngineMessage& head = message.head;
  switch (frame.body_case()) {
    case RaftFrame::kAppend:
      head.type = ENGINE_APPEND_ENTRIES;
      return take_entries(*frame.mutable_append(), message);
    case RaftFrame::kAppendResult:
      head.type = ENGINE_APPEND_ENTRIES_RESULT;
      head.append_result.rejected = frame.append_result().rejected();
      head.append_result.last_index = frame.append_result().last_index();
      message.lacks_room = frame.append_result().lacks_room();
      message.part_done = frame.append_result().part_done();
      return {};
    case RaftFrame::kVote:
      head.type = ENGINE_REQUEST_VOTE;
      head.vote.last_index = frame.vote().last_index();
      head.vote.last_term = frame.vote().last_term();
      head.vote.disrupt_leader = frame.vote().disrupt_leader();
      head.vote.pre_vote = frame.vote().pre_vote();
      return {};
    case RaftFrame::kVoteResult:
      head.type = ENGINE_REQUEST_VOTE_RESULT;
      head.vote_result.granted = frame.vote_result().granted();
      head.vote_result.pre_vote = frame.vote_result().pre_vote();
      return {};
    case RaftFrame::kSnapshot:
      head.type = ENGINE_INSTALL_SNAPSHOT;
      head.snapshot.last_index = frame.snapshot().last_index();
      head.snapshot.last_term = frame.snapshot().last_term();
      head.snapshot.configuration_index = frame.snapshot().configuration_index();
      message.configuration = std::move(*frame.mutable_snapshot()->mutable_configuration());
      return {};
    case RaftFrame::kTimeoutNow:
      head.type = ENGINE_TIMEOUT_NOW;
      head.timeout_now.last_index = frame.timeout_now().last_index();
      head.timeout_now.last_term = frame.timeout_now().last_term();
      return {};
    case RaftFrame::kConfirm:
      head.type = RAFT_CONFIRM;
      message.round = frame.confirm().round();
      return {};
    case RaftFrame::kConfirmed:
      head.type = RAFT_CONFIRMED;
      message.round = frame.confirmed().round();
      return {};
    case RaftFrame::kFetch:
      head.type = RAFT_FETCH;
      message.chunk.copy = frame.fetch().copy();
      message.chunk.offset = frame.fetch().offset();
      return {};
    case RaftFrame::kChunk:
      head.type = RAFT_CHUNK;
      return take_chunk(*frame.mutable_chunk(), message);
    case RaftFrame::kSleep:
      head.type = RAFT_SLEEP;
      message.round = frame.sleep().last_index();
      return {};
    case RaftFrame::kAsleep:
      head.type = RAFT_ASLEEP;
      message.round = frame.asleep().last_index();
      return {};
    case RaftFrame::kJoin:
      head.type = RAFT_JOIN;
      message.round = frame.join().member_at();
      return {};
    case RaftFrame::kRemoved:
      head.type = RAFT_REMOVED;
      message.round = frame.removed().configuration_index();
      return {};
    case RaftFrame::BODY_NOT_SET:
      break;
  }
  return malformed("it has no body that is known here");
}

void put_body(const RaftMessage& message, RaftFrame& frame) {
  const EngineMessage& head = message.head;
  switch (head.type) {
    case ENGINE_APPEND_ENTRIES:
      return put_entries(*frame.mutable_append(), message);
    case ENGINE_APPEND_ENTRIES_RESULT:
      frame.mutable_append_result()->set_rejected(head.append_result.rejected);
      frame.mutable_append_result()->set_last_index(head.append_result.last_index);
      frame.mutable_append_result()->set_lacks_room(message.lacks_room);
      frame.mutable_append_result()->set_part_done(message.part_done);
      return;
    case ENGINE_REQUEST_VOTE:
      frame.mutable_vote()->set_last_index(head.vote.last_index);
      frame.mutable_vote()->set_last_term(head.vote.last_term);
      frame.mutable_vote()->set_disrupt_leader(head.vote.disrupt_leader);
      frame.mutable_vote()->set_pre_vote(head.vote.pre_vote);
      return;
    case ENGINE_REQUEST_VOTE_RESULT:
      frame.mutable_vote_result()->set_granted(head.vote_result.granted);
      frame.mutable_vote_result()->set_pre_vote(head.vote_result.pre_vote);
      return;
    case ENGINE_INSTALL_SNAPSHOT:
      return put_snapshot(*frame.mutable_snapshot(), head.snapshot.last_index,
                          head.snapshot.last_term, head.snapshot.configuration_index,
                          message.configuration);
    case ENGINE_TIMEOUT_NOW:
      frame.mutable_timeout_now()->set_last_index(head.timeout_now.last_index);
      frame.mutable_timeout_now()->set_last_term(head.timeout_now.last_term);
      return;
    case RAFT_CONFIRM:
      return frame.mutable_confirm()->set_round(message.round);
    case RAFT_CONFIRMED:
      return frame.mutable_confirmed()->set_round(message.round);
    case RAFT_FETCH:
      frame.mutable_fetch()->set_copy(message.chunk.copy);
      frame.mutable_fetch()->set_offset(message.chunk.offset);
      return;
    case RAFT_SLEEP:
      return frame.mutable_sleep()->set_last_index(message.round);
    case RAFT_ASLEEP:
      return frame.mutable_asleep()->set_last_index(message.round);
    case RAFT_JOIN:
      return frame.mutable_join()->set_member_at(message.round);
    case RAFT_REMOVED:
      return frame.mutable_removed()->set_configuration_index(message.round);
    case RAFT_CHUNK: {
      const RaftChunk& chunk = message.chunk;
      wire::RaftChunk& to = *frame.mutable_chunk();
      to.set_copy(chunk.copy);
      to.set_offset(chunk.offset);
      to.set_file_bytes(chunk.file_bytes);
      put_snapshot(*to.mutable_content(), chunk.index, chunk.term, chunk.configuration_index,
                   message.configuration);
      to.set_bytes(chunk.bytes);
      return;
    }
    default:
      return;  // decode() refuses it
  }
}

}  // namespace

std::string encode(const RaftMessage& message) {
  RaftFrame frame;
  frame.set_group(message.group);
  frame.set_from(message.from);
  frame.set_to(message.to);
  frame.set_term(message.head.term);
  put_body(message, frame);
  return frame.SerializeAsString();
}

Result<RaftMessage> decode(std::string_view bytes) {
  RaftFrame frame;
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return malformed("its " + std::to_string(bytes.size()) + " bytes are no frame");
  RaftMessage message;
  message.group = frame.group();
  message.from = frame.from();
  message.to = frame.to();
  message.head.term = frame.term();
  // Who asks to be taken in knows nobody yet, and no term.
  const bool newcomer = frame.body_case() == RaftFrame::kJoin;
  if (message.from == 0 || (message.to == 0) != newcomer || message.from == message.to)
    return malformed("its sender or receiver is nobody, or both are one");
  if (message.head.term == 0 && !newcomer) return malformed("it has no term");
  message.head.peer = message.from;
  TROUPE_CHECK(take_body(frame, message));
  return message;
}

}  // namespace troupe::cluster

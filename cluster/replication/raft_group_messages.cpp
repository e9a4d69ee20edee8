// Messages from and to other replicas.
#include <algorithm>

#include "cluster/replication/raft_group.hpp"
#include "runtime/rehearsal/marks.hpp"

namespace troupe::cluster {

using runtime::LogEntry;
using runtime::LogIndex;

void RaftGroup::receive(const RaftMessage& message) {
  if (message.head.type == RAFT_JOIN && state_ == State::running && message.group == group_)
    return take_join(message);
  if (state_ != State::running || message.group != group_ || message.to != record_.replica ||
      message.from == record_.replica || !comes_from_its_node(message)) {
    // Who speaks to a replica that we were once may be one of a group that is no more.
    if (state_ == State::running && message.group == group_ && message.to != record_.replica)
      tell_removed(message);
    TROUPE_SOMETIMES_IF(state_ == State::running && message.group == group_,
                        "a message came for or from another replica than it names");
    return;
  }
  if (own_entry_ != 0) {
    care_.heard[message.from] = now_ms();
    if (message.head.type == ENGINE_APPEND_ENTRIES_RESULT) {
      care_.lacks_room[message.from] = message.lacks_room;
      care_.parts_done[message.from] = message.part_done;
    }
  }
  switch (message.head.type) {
    case RAFT_REMOVED:
      return take_removed(message);
    case RAFT_CONFIRM:
      return answer_confirm(message);
    case RAFT_CONFIRMED:
      return take_confirmed(message);
    case RAFT_SLEEP:
      return take_sleep(message);
    case RAFT_ASLEEP:
      return take_asleep(message);
    default:
      if (!tells_nothing(message)) wake();
  }
  switch (message.head.type) {
    case RAFT_FETCH:
      return serve_file(message);
    case RAFT_CHUNK:
      return take_chunk(message);
    case ENGINE_INSTALL_SNAPSHOT:
      return take_offer(message);
    default:
      return dispatch_to_engine(message);
  }
}

// Heartbeats and their answers may overtake, or be overtaken by, what puts a group to sleep.
bool RaftGroup::tells_nothing(const RaftMessage& message) const {
  const EngineMessage& head = message.head;
  if (head.term != record_.term) return false;
  if (head.type == ENGINE_APPEND_ENTRIES_RESULT) return head.append_result.rejected == 0;
  return head.type == ENGINE_APPEND_ENTRIES && message.entries.empty() &&
         head.append.prev_index == tail_.last() && head.append.commit == handed_;
}

// A replica that our configuration does not have may be a new one.
bool RaftGroup::comes_from_its_node(const RaftMessage& message) {
  if (message.node.empty()) return true;
  if (const char* const known = engine_address(engine_.get(), message.from))
    return message.node == known;
  constexpr std::size_t strangers_max = 16;
  if (strangers_.size() >= strangers_max) strangers_.clear();
  strangers_[message.from] = message.node;  // it may want an answer
  return true;
}

// C-Raft 0.22 goes back behind what a replica has acknowledged when a rejection overtakes, or is
// overtaken by, the acknowledgement; then it takes more than all for under way and sends the
// replica nothing but heartbeats for the rest of its leadership.
bool RaftGroup::is_late_rejection(const RaftMessage& message) {
  const EngineMessage& head = message.head;
  if (head.type != ENGINE_APPEND_ENTRIES_RESULT || own_entry_ == 0 || head.term != record_.term)
    return false;
  LogIndex& acknowledged = acknowledged_[message.from];
  const auto& result = head.append_result;
  if (result.rejected == 0) {
    acknowledged = std::max(acknowledged, std::min(result.last_index, tail_.last()));
    return false;
  }
  return result.rejected <= acknowledged || result.last_index < acknowledged;
}

void RaftGroup::dispatch_to_engine(const RaftMessage& message) {
  if (is_late_rejection(message)) {
    TROUPE_SOMETIMES("a rejection came after what it rejected was acknowledged");
    return;
  }
  EngineMessage head = message.head;
  head.peer = message.from;
  std::vector<EngineEntry> entries;
  LogIndex next = 0;
  if (head.type == ENGINE_INSTALL_SNAPSHOT) {
    head.snapshot.configuration = message.configuration.data();
    head.snapshot.configuration_size = message.configuration.size();
  }
  if (head.type == ENGINE_APPEND_ENTRIES) {
    for (const LogEntry& entry : message.entries)
      entries.push_back({entry.term, entry.type, entry.payload ? entry.payload->data() : nullptr,
                         entry.payload ? entry.payload->size() : 0});
    head.append.entries = entries.data();
    head.append.n = static_cast<unsigned>(entries.size());
    next = head.append.prev_index + 1;
  }
  EngineUpdate update{};
  do {
    const EngineResult result = engine_receive(engine_.get(), now_ms(), &head, &update);
    if (result == ENGINE_INVALID)
      return log().warn("raft.message_refused", engine_error(engine_.get()),
                        {{"group", group_}, {"from", message.from}, {"type", head.type}});
    // It was offered a snapshot that our log has, so it never wants to install one.
    if (result != ENGINE_OK || update.install_index != 0) return fail_engine();
    std::vector<LogEntry> fresh;
    if (update.append_index != 0 && !update.append_barrier) {
      for (LogIndex i = 0; i < update.append_n; ++i) {
        LogEntry entry = message.entries[update.append_index - next + i];
        entry.index = update.append_index + i;
        fresh.push_back(std::move(entry));
      }
    }
    process(update, std::move(fresh));
  } while (update.more && state_ == State::running);
  // A new leader may not know yet what was committed before an entry of its own term is.
  if (head.type == ENGINE_APPEND_ENTRIES && state_ == State::running &&
      message.head.term == record_.term &&
      tail_.term_of(message.head.append.commit) == record_.term)
    note_freshness(message.head.append.commit);
  settle();
}

RaftMessage RaftGroup::message_to(std::uint64_t replica, std::uint8_t type) const {
  RaftMessage message;
  message.group = group_;
  message.from = record_.replica;
  message.to = replica;
  message.head.type = type;
  message.head.term = record_.term;
  return message;
}

void RaftGroup::send_messages(const EngineUpdate& update) {
  if (!shared_->options.exchange) return;
  for (unsigned i = 0; i < update.n_messages; ++i) {
    const EngineMessage& head = update.messages[i];
    if (head.type == ENGINE_INSTALL_SNAPSHOT) {
      offer_file(head.peer, head);
      continue;
    }
    RaftMessage message = message_to(head.peer, head.type);
    message.head = head;
    if (head.type == ENGINE_APPEND_ENTRIES_RESULT) {
      message.lacks_room = lacks_room_;
      message.part_done = part_done_;
    }
    if (head.type != ENGINE_APPEND_ENTRIES || head.append.n == 0) {
      send(std::move(message));
      continue;
    }
    const LogIndex first = head.append.prev_index + 1;
    if (first < tail_.first_in_memory()) {
      send_from_disk(std::move(message));
      continue;
    }
    for (LogIndex index = first; index < first + head.append.n; ++index)
      message.entries.push_back(*tail_.find(index));
    send_entries(std::move(message));
  }
}

// While we lead its term, what the message speaks of cannot change under the read.
void RaftGroup::send_from_disk(RaftMessage message) {
  const LogIndex first = message.head.append.prev_index + 1;
  const LogIndex last = first + message.head.append.n - 1;
  shared_->reads->post([&log = shared_->log, link = link_, first, last,
                        message = std::make_shared<RaftMessage>(std::move(message))] {
    auto entries = log.read(message->group, first, last);
    if (!entries) return;  // cut or not yet written: the engine will ask again
    message->entries = *std::move(entries);
    link->post([message](RaftGroup& group) {
      if (group.own_entry_ != 0 && group.record_.term == message->head.term)
        group.send_entries(std::move(*message));
    });
  });
}

// One message of the engine's as several that are not too large, each beginning behind the last.
void RaftGroup::send_entries(RaftMessage message) {
  std::vector<LogEntry> entries = std::exchange(message.entries, {});
  std::uint64_t bytes = 0;
  for (LogEntry& entry : entries) {
    const std::uint64_t size = entry.payload ? entry.payload->size() : 0;
    if (!message.entries.empty() && bytes + size > shared_->options.message_bytes_max) {
      RaftMessage next = message_to(message.to, ENGINE_APPEND_ENTRIES);
      next.head = message.head;
      next.head.append.prev_index = message.entries.back().index;
      next.head.append.prev_term = message.entries.back().term;
      message.head.append.n = static_cast<unsigned>(message.entries.size());
      next.head.append.n -= message.head.append.n;
      send(std::move(message));
      message = std::move(next);
      bytes = 0;
    }
    bytes += size;
    message.entries.push_back(std::move(entry));
  }
  send(std::move(message));
}

void RaftGroup::send(RaftMessage message) {
  if (!shared_->options.exchange) return;
  if (record_number_ > stored_ || !held_.empty()) {
    held_.emplace_back(record_number_, std::move(message));
    return;
  }
  dispatch(message);
}

void RaftGroup::dispatch(const RaftMessage& message) {
  if (message.to == 0) return shared_->options.exchange->send(message.node, message);
  if (const char* const node = engine_address(engine_.get(), message.to))
    return shared_->options.exchange->send(node, message);
  if (const auto stranger = strangers_.find(message.to); stranger != strangers_.end())
    shared_->options.exchange->send(stranger->second, message);
}

void RaftGroup::release_messages() {
  while (!held_.empty() && held_.front().first <= stored_) {
    dispatch(held_.front().second);
    held_.pop_front();
  }
}

}  // namespace troupe::cluster

// Messages from and to other replicas.
#include "cluster/replication/raft_group.hpp"

namespace troupe::cluster {

using runtime::LogEntry;
using runtime::LogIndex;

void RaftGroup::receive(const RaftMessage& message) {
  if (state_ != State::running || message.group != group_ || message.to != record_.replica) return;
  EngineMessage head = message.head;
  head.peer = message.from;
  std::vector<EngineEntry> entries;
  LogIndex next = 0;
  if (head.type == ENGINE_INSTALL_SNAPSHOT) return;  // shard files do not travel yet
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
    if (result != ENGINE_OK) return fail_engine();
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
  settle();
}

void RaftGroup::send_messages(const EngineUpdate& update) {
  if (!shared_->options.send) return;
  for (unsigned i = 0; i < update.n_messages; ++i) {
    RaftMessage message;
    message.group = group_;
    message.from = record_.replica;
    message.to = update.messages[i].peer;
    message.head = update.messages[i];
    if (message.head.type == ENGINE_INSTALL_SNAPSHOT) continue;  // shard files do not travel yet
    if (message.head.type != ENGINE_APPEND_ENTRIES || message.head.append.n == 0) {
      send(std::move(message));
      continue;
    }
    const LogIndex first = message.head.append.prev_index + 1;
    if (first < tail_.first_in_memory()) {
      send_from_disk(std::move(message));
      continue;
    }
    for (LogIndex index = first; index < first + message.head.append.n; ++index)
      message.entries.push_back(*tail_.find(index));
    send(std::move(message));
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
        group.send(std::move(*message));
    });
  });
}

void RaftGroup::send(RaftMessage message) {
  if (record_number_ > stored_ || !held_.empty()) {
    held_.emplace_back(record_number_, std::move(message));
    return;
  }
  shared_->options.send(std::move(message));
}

void RaftGroup::release_messages() {
  while (!held_.empty() && held_.front().first <= stored_) {
    shared_->options.send(std::move(held_.front().second));
    held_.pop_front();
  }
}

}  // namespace troupe::cluster

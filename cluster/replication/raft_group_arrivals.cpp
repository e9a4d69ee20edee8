// The leader's shard file in place of ours, when our log ends before the leader's begins.
#include <algorithm>

#include "cluster/replication/engine/configuration.h"
#include "cluster/replication/raft_group.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"

namespace troupe::cluster {

using runtime::LogIndex;
using runtime::Term;

// Whether our log has everything up to there: then it also has, and may have acknowledged, what
// follows, and must keep it.
bool RaftGroup::holds(LogIndex index, Term term) const {
  return index <= tail_.snapshot() || index <= handed_ || tail_.term_of(index) == term;
}

void RaftGroup::take_offer(const RaftMessage& message) {
  const auto& offered = message.head.snapshot;
  if (message.head.term != record_.term || own_entry_ != 0) return;
  if (offered.last_index <= tail_.snapshot() ||
      tail_.term_of(offered.last_index) == offered.last_term)
    return dispatch_to_engine(message);
  if (holds(offered.last_index, offered.last_term)) return;  // it contradicts what is committed
  if (arrival_.number != 0 && arrival_.from == message.from) return;
  TROUPE_SOMETIMES_IF(arrival_.number != 0, "another leader offered its file meanwhile");
  TROUPE_SOMETIMES("a replica needs the leader's file");
  log().info("raft.file_needed", "the leader's log begins behind ours; its shard file is fetched",
             {{"group", group_}, {"last", tail_.last()}, {"offered", offered.last_index}});
  arrival_ = {};
  arrival_.number = ++arrivals_;
  arrival_.from = message.from;
  arrival_.generation = record_.generation + 1;
  fetch();
}

void RaftGroup::fetch() {
  RaftMessage message = message_to(arrival_.from, RAFT_FETCH);
  message.chunk.copy = arrival_.copy;
  message.chunk.offset = arrival_.offset;
  send(std::move(message));
  link_->post_after(shared_->options.files.retry,
                    [number = arrival_.number, asked = ++arrival_.asked](RaftGroup& group) {
                      FileArrival& arrival = group.arrival_;
                      if (arrival.number != number || arrival.asked != asked || arrival.busy)
                        return;
                      TROUPE_SOMETIMES("a piece of a file was asked for again");
                      if (++arrival.unanswered <= group.shared_->options.files.retries_max)
                        return group.fetch();
                      group.give_up_arrival();
                    });
}

void RaftGroup::take_chunk(const RaftMessage& message) {
  const RaftChunk& chunk = message.chunk;
  FileArrival& arrival = arrival_;
  if (arrival.number == 0 || message.from != arrival.from || arrival.busy) return;
  if (arrival.copy != 0 && chunk.copy != arrival.copy) return;
  if (chunk.file_bytes == 0) {
    TROUPE_SOMETIMES("a file was begun anew because the copy was gone");
    arrival.copy = arrival.offset = 0;
    return fetch();
  }
  if (chunk.offset != arrival.offset) return;
  if (arrival.copy == 0) {
    ConfigurationServer servers[CONFIGURATION_SERVERS_MAX];
    const std::string& configuration = message.configuration;
    if (chunk.index == 0 || chunk.term == 0 || chunk.term > record_.term ||
        chunk.configuration_index == 0 || chunk.configuration_index > chunk.index ||
        configuration_decode(configuration.data(), configuration.size(), servers) < 0)
      return log().warn("raft.message_refused", "what a shard file is said to hold is not sound",
                        {{"group", group_}, {"from", message.from}});
    arrival.copy = chunk.copy;
    arrival.bytes = chunk.file_bytes;
    arrival.content = {chunk.index, chunk.term, chunk.configuration_index, configuration};
    arrival.file = std::make_shared<OpenFile>();
  }
  arrival.busy = true;
  arrival.unanswered = 0;
  const bool last = chunk.offset + chunk.bytes.size() == arrival.bytes;
  shared_->reads->post([link = link_, number = arrival.number, file = arrival.file, last,
                        path = observer_.file_of(arrival.generation), offset = chunk.offset,
                        bytes = chunk.bytes, &disk = shared_->platform.disk()] {
    auto written = write_piece(disk, path, *file, offset, bytes, last);
    link->post([number, size = bytes.size(), written = std::move(written)](RaftGroup& group) {
      group.chunk_written(number, size, written);
    });
  });
}

Result<void> RaftGroup::write_piece(runtime::Disk& disk, const std::string& path, OpenFile& file,
                                    std::uint64_t offset, std::string_view bytes, bool last) {
  if (offset == 0) {
    file.file.reset();
    for (const char* suffix : {"-wal", "-journal", ""}) TROUPE_CHECK(disk.remove(path + suffix));
    TROUPE_CHECK(disk.write(path, {}));
    TROUPE_TRY(opened, runtime::VfsFile::open(disk, path));
    file.file.emplace(std::move(opened));
  }
  TROUPE_CHECK(file.file->write(offset, bytes));
  if (!last) return {};
  auto synced = file.file->sync();
  file.file.reset();
  return synced;
}

void RaftGroup::chunk_written(std::uint64_t number, std::uint64_t bytes,
                              const Result<void>& written) {
  FileArrival& arrival = arrival_;
  if (arrival.number != number || state_ != State::running) return;
  if (!written) {
    TROUPE_SOMETIMES("a file that came could not be stored");
    log().warn("raft.file_given_up", written.error().describe(), {{"group", group_}});
    return give_up_arrival();
  }
  arrival.offset += bytes;
  if (arrival.offset == arrival.bytes) {
    const auto inspected = [link = link_,
                            number](Result<actors::ConsensusObserver::FileContent> found) {
      link->run([&](RaftGroup& group) { group.file_inspected(number, std::move(found)); });
    };
    return observer_.inspect_file(arrival.generation, inspected);
  }
  const auto pause = std::chrono::nanoseconds(static_cast<std::int64_t>(
      1e9 * static_cast<double>(bytes) /
      static_cast<double>(std::max<std::uint64_t>(shared_->options.files.bytes_per_second, 1))));
  link_->post_after(pause, [number](RaftGroup& group) {
    if (group.arrival_.number != number) return;
    group.arrival_.busy = false;
    group.fetch();
  });
}

void RaftGroup::file_inspected(std::uint64_t number,
                               Result<actors::ConsensusObserver::FileContent> found) {
  if (arrival_.number != number || state_ != State::running) return;
  const FileContentOf& said = arrival_.content;
  const bool same = found && found->index == said.index && found->term == said.term;
  if (same || (found && TROUPE_PLANTED(ship_wrong_file))) return replace_file();
  log().error("raft.file_refused",
              "the shard file that the leader sent is not what it said; it is fetched again",
              {{"group", group_},
               {"said", said.index},
               {"found", found ? found->index : 0},
               {"error", found ? "" : found.error().describe()}});
  give_up_arrival();
}

// The leader goes on offering its file. What came of it only takes space.
void RaftGroup::give_up_arrival() {
  const FileArrival arrival = std::exchange(arrival_, {});
  shared_->reads->post([file = arrival.file, path = observer_.file_of(arrival.generation),
                        &disk = shared_->platform.disk()] {
    if (file) file->file.reset();
    for (const char* suffix : {"-wal", "-journal", ""})
      static_cast<void>(disk.remove(path + suffix));
  });
}

// File, snapshot and the end of the old log become true together, with one record of the node log.
void RaftGroup::replace_file() {
  const FileArrival arrival = std::exchange(arrival_, {});
  if (own_entry_ != 0 || holds(arrival.content.index, arrival.content.term)) {
    TROUPE_SOMETIMES("a file came that was not needed any more");
    return;
  }
  TROUPE_SOMETIMES("a replica took another's file in place of its own");
  log().info("raft.file_replaced", "the leader's shard file takes the place of ours",
             {{"group", group_}, {"index", arrival.content.index}, {"bytes", arrival.bytes}});
  stop_engine();
  state_ = State::replacing;
  replaced_ = record_;
  record_.generation = arrival.generation;
  record_.snapshot_index = arrival.content.index;
  record_.snapshot_term = arrival.content.term;
  record_.configuration_index = arrival.content.configuration_index;
  record_.configuration = arrival.content.configuration;
  record_dirty_ = true;
  write({});
}

}  // namespace troupe::cluster

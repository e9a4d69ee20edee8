// Our shard file, for replicas that lag behind the log's cut.
#include <algorithm>
#include <limits>

#include "cluster/replication/raft_group.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"

namespace troupe::cluster {

using runtime::LogIndex;

void RaftGroup::offer_file(std::uint64_t replica, const EngineMessage& head) {
  RaftMessage message = message_to(replica, ENGINE_INSTALL_SNAPSHOT);
  message.head = head;
  message.configuration = record_.configuration;
  send(std::move(message));
}

void RaftGroup::serve_file(const RaftMessage& message) {
  if (own_entry_ == 0 || message.head.term != record_.term) return;
  const RaftChunk& wanted = message.chunk;
  copy_.used = shared_->platform.clock().now();
  if (wanted.copy == 0 && (copy_.number == 0 || copy_.making)) {
    if (std::find(copy_.waiting.begin(), copy_.waiting.end(), message.from) == copy_.waiting.end())
      copy_.waiting.push_back(message.from);
    return make_copy();
  }
  if (wanted.copy != 0 && wanted.copy != copy_.number) {
    TROUPE_SOMETIMES("a piece of a copy was asked for that is not there any more");
    RaftMessage gone = message_to(message.from, RAFT_CHUNK);
    gone.chunk.copy = wanted.copy;
    return send(std::move(gone));
  }
  send_chunk(message.from, wanted.offset);
}

void RaftGroup::make_copy() {
  if (std::exchange(copy_.making, true)) return;
  copy_.path = observer_.file_of(record_.generation) + ".copy";
  observer_.copy_file(copy_.path, [link = link_, shared = shared_, path = copy_.path](
                                      Result<actors::ConsensusObserver::FileContent> content) {
    if (!content)
      return link->run(
          [&content](RaftGroup& group) { group.copy_made(std::move(content), 0, nullptr); });
    shared->reads->post([link, path, content = *content, disk = &shared->platform.disk()] {
      const auto size = disk->size(path);
      auto opened = runtime::VfsFile::open(*disk, path);
      const auto file = std::make_shared<OpenFile>();
      const bool fine = size && opened;
      if (fine) file->file.emplace(*std::move(opened));
      link->post([content, file, bytes = fine ? *size : 0](RaftGroup& group) {
        group.copy_made(content, bytes, file);
      });
    });
  });
}

void RaftGroup::copy_made(Result<actors::ConsensusObserver::FileContent> content,
                          std::uint64_t bytes, std::shared_ptr<OpenFile> file) {
  copy_.making = false;
  const auto waiting = std::exchange(copy_.waiting, {});
  if (!content && content.error().code == Code::data_loss) {
    TROUPE_SOMETIMES("rot was met as a shard file was copied for another replica");
    return fail(content.error());
  }
  if (!content || bytes == 0 || configurations_.empty())
    return log().warn("raft.copy_failed", "a shard file could not be copied for another replica",
                      {{"group", group_}, {"error", content ? "" : content.error().describe()}});
  copy_.number = shared_->platform.random().between(1, std::numeric_limits<std::int64_t>::max());
  copy_.bytes = bytes;
  copy_.file = std::move(file);
  copy_.content.index = content->index;
  copy_.content.term = content->term;
  // Planted: the copy passes for what is committed, rows of which it may lack.
  if (TROUPE_PLANTED(ship_wrong_file)) {
    copy_.content.index = handed_;
    copy_.content.term = tail_.term_of(handed_);
  }
  const auto later =
      std::find_if(configurations_.begin(), configurations_.end(),
                   [this](const Change& change) { return change.index > copy_.content.index; });
  const Change& configuration = later == configurations_.begin() ? *later : *std::prev(later);
  copy_.content.configuration_index = configuration.index;
  copy_.content.configuration = *configuration.bytes;
  copy_.used = shared_->platform.clock().now();
  log().info("raft.copy", "the shard file was copied for replicas that lag behind the log",
             {{"group", group_}, {"index", content->index}, {"bytes", bytes}});
  expire_copy();
  if (own_entry_ == 0) return;
  for (const std::uint64_t replica : waiting) send_chunk(replica, 0);
}

void RaftGroup::send_chunk(std::uint64_t replica, std::uint64_t offset) {
  if (offset >= copy_.bytes) return;
  RaftMessage message = message_to(replica, RAFT_CHUNK);
  message.configuration = copy_.content.configuration;
  RaftChunk& chunk = message.chunk;
  chunk.copy = copy_.number;
  chunk.offset = offset;
  chunk.file_bytes = copy_.bytes;
  chunk.index = copy_.content.index;
  chunk.term = copy_.content.term;
  chunk.configuration_index = copy_.content.configuration_index;
  const auto size = std::min(shared_->options.files.chunk_bytes, copy_.bytes - offset);
  shared_->reads->post([link = link_, file = copy_.file, size,
                        message = std::make_shared<RaftMessage>(std::move(message))] {
    std::string& bytes = message->chunk.bytes;
    bytes.resize(size);
    const auto read = file->file->read(message->chunk.offset, bytes.data(), bytes.size());
    if (!read || *read != size) return;  // it will be asked for again
    link->post([message](RaftGroup& group) {
      if (group.own_entry_ != 0 && group.record_.term == message->head.term)
        group.send(std::move(*message));
    });
  });
}

void RaftGroup::expire_copy() {
  const Duration keep = shared_->options.files.keep_copy;
  link_->post_after(keep, [keep, number = copy_.number](RaftGroup& group) {
    if (group.copy_.number != number) return;
    if (group.shared_->platform.clock().now() - group.copy_.used < keep) return group.expire_copy();
    TROUPE_SOMETIMES("a copy of a shard file was removed after use");
    group.shared_->reads->post(
        [file = group.copy_.file, path = group.copy_.path, &disk = group.shared_->platform.disk()] {
          file->file.reset();
          static_cast<void>(disk.remove(path));  // the shard's next start tries again
        });
    group.copy_ = {};
    group.maybe_take_snapshot();
  });
}

// Whoever fetches the copy needs the entries behind it next.
LogIndex RaftGroup::kept_for_copy(LogIndex cut) const {
  if (copy_.making) return std::min(cut, tail_.snapshot());
  return copy_.number != 0 ? std::min(cut, copy_.content.index) : cut;
}

}  // namespace troupe::cluster

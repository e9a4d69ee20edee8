// A replica that lags behind what the leader's log has cut off gets the leader's shard file. What
// RaftGroup remembers of it; the code is in raft_group_files.cpp (leader) and
// raft_group_arrivals.cpp (follower).
//
//   leader                              follower
//   snapshot (index, term)        ->
//                                 <-    fetch (copy 0, offset 0)
//   copies its file, over its
//   only connection
//   chunk (copy, what it holds)   ->
//                                 <-    fetch (copy, offset) ...
//                                       syncs the file, opens it, compares it with what was said;
//                                       one transaction of the node log: generation, snapshot, the
//                                       old log goes; the shard starts again with the new file
//
// The copy's own applied index rules: what the follower's log begins behind is what the file holds,
// which is at or behind what the leader offered. The engine of the follower hears nothing until it
// is started again behind the snapshot, so that an arrival can be given up at any time. The one who
// needs the file asks for one piece at a time: so it is paced, taken up where it stopped, and begun
// anew when the leader changes. The leader keeps what is behind the copy in its log while the copy
// is asked for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/storage/ids.hpp"
#include "runtime/storage/vfs_file.hpp"
#include "runtime/time.hpp"

namespace troupe::cluster {

struct RaftFileOptions {
  std::uint64_t chunk_bytes = 48u << 10;         // one message, with its head, of what carries it
  std::uint64_t bytes_per_second = 64ull << 20;  // of one arrival
  Duration retry = std::chrono::milliseconds{300};
  unsigned retries_max = 30;  // without an answer; then it waits for another offer
  // A copy that nobody asks for is removed, and the log behind it cut.
  Duration keep_copy = std::chrono::seconds{10};
};

// Touched on the group's queue for reads only.
struct OpenFile {
  std::optional<runtime::VfsFile> file;
};

struct FileContentOf {
  runtime::LogIndex index = 0;
  runtime::Term term = 0;
  runtime::LogIndex configuration_index = 0;
  std::string configuration;
};

struct FileCopy {
  std::uint64_t number = 0;  // 0: there is none
  bool making = false;
  std::string path;
  FileContentOf content;
  std::uint64_t bytes = 0;
  std::shared_ptr<OpenFile> file;
  std::vector<std::uint64_t> waiting;  // replicas, for the first piece
  MonotonicTime used{};
};

struct FileArrival {
  std::uint64_t number = 0;  // counts arrivals; 0: none is under way
  std::uint64_t from = 0;
  std::uint64_t generation = 0;
  std::uint64_t copy = 0;  // 0: the leader has not answered yet
  FileContentOf content;
  std::uint64_t bytes = 0;
  std::uint64_t offset = 0;
  std::uint64_t asked = 0;
  unsigned unanswered = 0;
  bool busy = false;  // a piece is being written, or the whole being looked at
  std::shared_ptr<OpenFile> file;
};

}  // namespace troupe::cluster

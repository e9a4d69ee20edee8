// What a node knows of the directory: a copy of its table, kept up to date by one long call to
// whoever keeps it, which is heartbeat, load report and subscription in one.
//
// The copy only grows newer. Without a keeper (no majority of the control nodes, no link) the node
// goes on with what it has, and with what its data folder had at its start; a node that never knew
// anything begins with the manifest. An idle node makes a call every ten seconds or so.
//
// Threads: run_on() at each start of its actor; table() and view() from any thread; all else runs
// inside the actor, `changed` too. It outlives its actors.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actors/shard/consensus.hpp"
#include "cluster/directory/table.hpp"
#include "runtime/platform/platform.hpp"

namespace troupe::cluster {

struct CacheOptions {
  Duration call_time = std::chrono::seconds{10};
  Duration question_time = std::chrono::seconds{3};
  // Between calls that brought nothing new.
  Duration pause_first = std::chrono::milliseconds{100};
  Duration pause_longest = std::chrono::seconds{1};
};

struct CacheSpec {
  runtime::Platform* platform = nullptr;
  DirectoryNode self;              // what the node says of itself
  std::vector<std::string> seeds;  // whom to ask as long as nothing is known, in turn; at least one
  DirectoryTable known;            // of an earlier life; version 0: nothing
  std::function<void(DirectoryCall&)> report = {};  // adds what the node has to report
  // Calls a node, this one too; `answer` comes once, from any thread.
  std::function<void(const std::string& node, std::string bytes, MonotonicTime deadline,
                     std::function<void(Result<std::string>)> answer)>
      reach;
  // The copy is newer than before; `newer` is what changed.
  std::function<void(const DirectoryTable& newer)> changed = {};
  // Leadership of a shard that this node leads is to go elsewhere.
  std::function<void(const LeadershipOrder&)> transfer = {};
  // Where the copy is kept for the next life; empty: nowhere.
  std::string file = {};
  CacheOptions options = {};
};

class DirectoryCache {
 public:
  explicit DirectoryCache(CacheSpec spec);

  void run_on(std::shared_ptr<actors::Executor> executor);

  // Asks whoever keeps the directory, as far as is known; any thread.
  void ask_keeper(const DirectoryQuestion& question,
                  std::function<void(Result<DirectoryAnswer>)> answer);

  std::shared_ptr<const DirectoryTable> table() const;
  DirectoryView view() const;
  // Who keeps the directory; empty: not known.
  std::string keeper() const;

  // What a file of an earlier life holds; an empty table if it is not there or of another cluster.
  // Before actors start: it blocks.
  static DirectoryTable load(runtime::Disk& disk, const std::string& file,
                             const std::string& cluster_id);

 private:
  void post(std::function<void()> job);
  void post_after(Duration delay, std::function<void()> job);
  void ask();
  std::vector<std::string> whom() const;
  void heard(const std::string& node, MonotonicTime asked_at, Result<std::string> bytes);
  bool take(const DirectoryTable& newer);  // false: it is nothing new
  void again(bool at_once);
  void complain(const std::string& node, const Error& why);

  const CacheSpec spec_;
  const std::unique_ptr<runtime::WorkQueue> writes_;
  runtime::Counter& calls_;
  runtime::Counter& bytes_out_;
  runtime::Counter& bytes_in_;

  mutable std::mutex mutex_;
  std::shared_ptr<actors::Executor> executor_;   // guarded by mutex_
  std::shared_ptr<const DirectoryTable> table_;  // guarded by mutex_
  std::string keeper_;                           // guarded by mutex_; empty: not known
  bool reached_ = false;                         // guarded by mutex_

  // Inside the actor.
  std::uint64_t life_ = 0;
  std::string hint_;      // whom to ask next
  unsigned hints_ = 0;    // that were followed and did not lead to the keeper
  std::size_t turn_ = 0;  // of those that may be asked
  Duration pause_{};
  std::string complained_;  // the reason of the last complaint
};

}  // namespace troupe::cluster

// Finds handlers that do not end. One that runs holds its shard and a thread of the node, so that
// calls behind it wait; nothing can stop it but the end of the process.
//
// Reads what shards tell of themselves (actors/shard/vitals.hpp): it costs them no message, and
// works while they hang. Any thread; what it refers to outlives it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "cluster/hosted.hpp"
#include "runtime/platform/platform.hpp"

namespace troupe::cluster {

class HandlerWatch {
 public:
  // Handlers that have run for longer are told of.
  static constexpr Duration usual_max = std::chrono::seconds{5};

  HandlerWatch(runtime::Platform& platform, const Hosted& hosted)
      : platform_(platform), hosted_(hosted) {}

  // A sentence for each that runs now.
  std::vector<std::string> problems() const;
  // Logs each once, and when it has ended after all. To be called every second or so.
  void look();

 private:
  struct Running {
    std::string shard;
    std::string method;
    std::int64_t since_ns = 0;
    Duration for_time{};
  };
  std::vector<Running> running() const;

  runtime::Platform& platform_;
  const Hosted& hosted_;
  std::mutex mutex_;
  std::map<std::string, Running> said_;  // by shard; guarded by mutex_
};

}  // namespace troupe::cluster

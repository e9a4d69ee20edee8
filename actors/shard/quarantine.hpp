// Restart policy of entities: a handler that throws restarts its entity; a key that keeps throwing
// is refused for a while, twice as long each time. Belongs to the shard's actor.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "actors/shard/options.hpp"

namespace troupe::actors {

class Quarantine {
 public:
  explicit Quarantine(const ShardOptions& options) : options_(options) {}

  // A handler of the entity threw. Returns for how long the key is refused from now on; nullopt:
  // it may go on at once.
  std::optional<Duration> failed(const std::string& key, MonotonicTime now);

  // How long the key is still refused; nullopt: it is not.
  std::optional<Duration> refused(std::string_view key, MonotonicTime now) const;

  // Forgets keys that have been quiet for a period. Returns how many are refused now.
  std::size_t sweep(MonotonicTime now);

  bool empty() const { return keys_.empty(); }

 private:
  struct Record {
    std::deque<MonotonicTime> failures;  // within the period
    unsigned quarantines = 0;            // in a row
    MonotonicTime until{};
  };
  const ShardOptions& options_;
  std::map<std::string, Record, std::less<>> keys_;
};

}  // namespace troupe::actors

#include "actors/shard/quarantine.hpp"

#include <algorithm>

#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"

namespace troupe::actors {

std::optional<Duration> Quarantine::failed(const std::string& key, MonotonicTime now) {
  Record& record = keys_[key];
  record.failures.push_back(now);
  while (now - record.failures.front() > options_.quarantine_period) record.failures.pop_front();
  // After a quarantine one more failure is enough to be refused again.
  const unsigned allowed = record.quarantines == 0 ? options_.quarantine_failures : 1;
  if (record.failures.size() < allowed) return std::nullopt;
  Duration refused = options_.quarantine_first;
  for (unsigned n = 0; n < record.quarantines && refused < options_.quarantine_max; ++n)
    refused *= 2;
  refused = std::min(refused, options_.quarantine_max);
  ++record.quarantines;
  TROUPE_SOMETIMES_IF(record.quarantines > 1, "an entity was quarantined again");
  // Planted: a quarantine does not end.
  record.until =
      now + (TROUPE_PLANTED(quarantine_never_ends) ? refused + std::chrono::hours{1'000} : refused);
  record.failures.clear();
  return refused;
}

std::optional<Duration> Quarantine::refused(std::string_view key, MonotonicTime now) const {
  if (keys_.empty()) return std::nullopt;
  const auto found = keys_.find(key);
  if (found == keys_.end() || found->second.until <= now) return std::nullopt;
  return found->second.until - now;
}

std::size_t Quarantine::sweep(MonotonicTime now) {
  std::size_t refused_now = 0;
  for (auto it = keys_.begin(); it != keys_.end();) {
    const Record& record = it->second;
    const MonotonicTime last =
        record.failures.empty() ? record.until : std::max(record.until, record.failures.back());
    if (now > last + options_.quarantine_period) {
      it = keys_.erase(it);
      continue;
    }
    if (record.until > now) ++refused_now;
    ++it;
  }
  return refused_now;
}

}  // namespace troupe::actors

#include "actors/shard/resident.hpp"

namespace troupe::actors {

Resident* Residents::find(std::string_view key) {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second.get();
}

Resident& Residents::add(std::string key, runtime::Bucket bucket, MonotonicTime now) {
  auto made = std::make_unique<Resident>();
  made->key = std::move(key);
  made->bucket = bucket;
  made->last_used = now;
  Resident& resident = *made;
  by_key_.emplace(std::string_view{resident.key}, std::move(made));
  link_newest(resident);
  return resident;
}

void Residents::touch(Resident& resident, MonotonicTime now) {
  resident.last_used = now;
  if (newest_ == &resident) return;
  unlink(resident);
  link_newest(resident);
}

void Residents::set_bytes(Resident& resident, std::uint64_t bytes) {
  bytes_ += bytes - resident.bytes;
  resident.bytes = bytes;
}

void Residents::remove(Resident& resident) {
  bytes_ -= resident.bytes;
  unlink(resident);
  by_key_.erase(std::string_view{resident.key});
}

void Residents::unlink(Resident& resident) {
  (resident.older ? resident.older->newer : oldest_) = resident.newer;
  (resident.newer ? resident.newer->older : newest_) = resident.older;
  resident.older = resident.newer = nullptr;
}

void Residents::link_newest(Resident& resident) {
  resident.older = newest_;
  resident.newer = nullptr;
  (newest_ ? newest_->newer : oldest_) = &resident;
  newest_ = &resident;
}

}  // namespace troupe::actors

#include "actors/shard/reply_memory.hpp"

#include <xxhash.h>

#include <utility>

#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"

namespace troupe::actors {
namespace {

// How long one generation of recent ids gathers, in milliseconds. What it is longer than the
// clocks' tolerance, a caller's clock may be behind before a fresh id costs a look at the file.
constexpr std::int64_t generation_ms = 15'000;
static_assert(generation_ms > ReplyMemory::clock_tolerance_ms);

// Twice as fast as they come, so that what waits to be dropped does not grow.
constexpr std::size_t tidied_per_command = 2;

void put_big_endian(std::uint64_t value, char* out) {
  for (int byte = 7; byte >= 0; --byte) {
    out[byte] = static_cast<char>(value & 0xff);
    value >>= 8;
  }
}

}  // namespace

ReplyKey ReplyKey::of(std::string_view entity, std::string_view caller, std::string_view method,
                      const MessageId& id) {
  // Length-prefixed by hashing the parts apart, so that ("ab", "c") and ("a", "bc") differ.
  const std::uint64_t parts[] = {XXH3_64bits(entity.data(), entity.size()),
                                 XXH3_64bits(caller.data(), caller.size()),
                                 XXH3_64bits(method.data(), method.size()), id.high, id.low};
  const XXH128_hash_t hash = XXH3_128bits(parts, sizeof parts);
  if (!id.timed) return {hash.high64, hash.low64};
  // An id's time leads, so that replies of commands that ran together lie together in the file.
  constexpr std::uint64_t time_bits = ~std::uint64_t{0xffff};
  return {(id.high & time_bits) | (hash.high64 & ~time_bits), hash.low64};
}

std::string ReplyKey::row() const {
  std::string bytes(16, '\0');
  put_big_endian(high, bytes.data());
  put_big_endian(low, bytes.data() + 8);
  return bytes;
}

std::uint64_t ReplyKey::low_of_row(std::string_view row) {
  std::uint64_t value = 0;
  for (std::size_t byte = 8; byte < 16 && byte < row.size(); ++byte)
    value = value << 8 | static_cast<unsigned char>(row[byte]);
  return value;
}

RequestDigest RequestDigest::of(std::string_view payload) {
  // Planted: all requests look alike.
  if (TROUPE_PLANTED(digest_not_compared)) return {};
  const XXH128_hash_t hash = XXH3_128bits(payload.data(), payload.size());
  return {hash.high64, hash.low64};
}

void ReplyMemory::reset(std::int64_t now_ms) {
  *this = ReplyMemory{};
  generation_start_ms_ = now_ms;
  // Planted: after a start, what ran before it counts as known.
  horizon_ms_ = TROUPE_PLANTED(restart_forgets_recent_ids) ? 0 : now_ms;
}

const ReplyMemory::Kept* ReplyMemory::find(const ReplyKey& key) const {
  const auto found = kept_.find(key);
  return found == kept_.end() ? nullptr : &found->second;
}

bool ReplyMemory::surely_new(const ReplyKey& key, const MessageId& id) const {
  return id.timed && id.time_ms() > horizon_ms_ + clock_tolerance_ms &&
         !recent_[0].contains(key.low) && !recent_[1].contains(key.low);
}

void ReplyMemory::add(const ReplyKey& key, RequestDigest digest, std::string reply,
                      std::int64_t now_ms) {
  if (now_ms - generation_start_ms_ >= generation_ms) {
    TROUPE_SOMETIMES("a generation of recent ids was left behind");
    std::swap(recent_[0], recent_[1]);
    recent_[0].clear();
    horizon_ms_ = generation_start_ms_;
    generation_start_ms_ = now_ms;
  }
  recent_[0].insert(key.low);
  tidy(tidied_per_command);
  kept_[key] = Kept{digest, std::move(reply), 0};
  open_.push_back(key);
}

void ReplyMemory::proposed(runtime::LogIndex batch) {
  if (open_.empty()) return;
  for (const ReplyKey& key : open_) kept_[key].batch = batch;
  batches_.push_back({batch, std::exchange(open_, {})});
}

void ReplyMemory::applied(runtime::LogIndex up_to) {
  while (!batches_.empty() && batches_.front().batch <= up_to) {
    stale_.push_back(std::move(batches_.front().keys));
    batches_.pop_front();
  }
}

void ReplyMemory::tidy(std::size_t replies_max) {
  for (std::size_t done = 0; done < replies_max && !stale_.empty(); ++done) {
    std::vector<ReplyKey>& keys = stale_.front();
    kept_.erase(keys.back());
    keys.pop_back();
    if (keys.empty()) stale_.pop_front();
  }
}

void ReplyMemory::drop_open() {
  forget(open_);
  open_.clear();
}

void ReplyMemory::drop_from(runtime::LogIndex first) {
  while (!batches_.empty() && batches_.back().batch >= first) {
    forget(batches_.back().keys);
    batches_.pop_back();
  }
}

void ReplyMemory::forget(const std::vector<ReplyKey>& keys) {
  for (const ReplyKey& key : keys) kept_.erase(key);
}

}  // namespace troupe::actors

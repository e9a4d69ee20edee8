// What a run of batches does to rows, once changes that later ones undo are left out.
//
// The outcome is a function of the batches alone: per entity, in order of (bucket, entity), whether
// its rows are deleted first, and then the last change of every row, in order of (kind, sub).
#pragma once

#include <google/protobuf/arena.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/result.hpp"
#include "runtime/storage/ids.hpp"
#include "runtime/wire/batch.pb.h"

namespace troupe::runtime {

class ShardChanges {
 public:
  // Adds the rows of one batch, behind those that were added before. Keeps no reference to the
  // bytes. INTERNAL / BAD_BATCH if they are no batch.
  Result<void> add(std::string_view payload);
  std::int64_t time_ms() const { return time_ms_; }  // of the newest batch
  // The newest value of the shard's range, if it changes; null: it does not.
  const wire::Row* range() const { return range_; }
  // Rows of this bucket and of those behind it go first; bucket_count: none do.
  std::uint32_t deleted_from() const { return deleted_from_; }

  struct Entity {
    Bucket bucket = 0;
    std::string_view key;
    bool delete_first = false;              // state, events and timers
    std::vector<const wire::Row*> changes;  // PUT or DELETE
  };
  // Calls `take(const Entity&)` in order; stops at its first error.
  template <class Take>
  Result<void> for_each_entity(const Take& take) {
    sort();
    Entity entity;
    for (std::size_t begin = 0; begin < changes_.size();) {
      begin = gather(begin, entity);
      TROUPE_CHECK(take(entity));
    }
    return {};
  }

 private:
  struct Change {
    const wire::Row* row = nullptr;
    std::uint32_t order = 0;
  };
  void sort();
  // The entity whose changes begin there; returns where the next one's begin.
  std::size_t gather(std::size_t begin, Entity& entity) const;

  google::protobuf::Arena arena_;
  std::vector<Change> changes_;
  std::uint32_t order_ = 0;
  const wire::Row* range_ = nullptr;
  std::uint32_t deleted_from_ = bucket_count;
  std::int64_t time_ms_ = 0;
};

}  // namespace troupe::runtime

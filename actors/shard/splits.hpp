// What a shard needs of its node to be split by a range of buckets (shard_split.cpp). Implemented
// by cluster/node_splits.hpp.
//
//   shard that leads               its node
//   is it ordered?              ->  the directory's wish
//   an entry says so: the upper
//   buckets are served here no
//   more
//   every replica that holds it
//   makes the new shard's file
//   may_found, founded          ->  the node log's record of the new group, its shard begins
//   serves?                     ->  its group has committed something: a majority has its part
//   every founder has its part,
//   or is lost: an entry says
//   that it is over: the rows go
//   over                        ->  the directory is told
//
// Threads: any.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/shard/shard_spec.hpp"
#include "runtime/platform/workers.hpp"
#include "runtime/wire/batch.pb.h"

namespace troupe::actors {

struct SplitOrder {
  std::uint32_t shard = 0;  // number of the new one
  std::uint32_t first = 0;  // bucket of the shard that is split
  std::uint32_t at = 0;     // from here on they are the new shard's
  std::uint32_t end = 0;
};

class ShardSplits {
 public:
  virtual ~ShardSplits() = default;

  // None, too, if the node knows a shard of the new one's number.
  virtual std::optional<SplitOrder> ordered(const ShardSpec& parent) = 0;

  virtual ShardSpec spec_of(const ShardSpec& parent, const wire::ShardSplit& split) = 0;

  // Whether the file of the new shard is to be made here. Not if the node knows its group: it was
  // made before, or came from elsewhere. True: founded() follows, or the question again.
  virtual bool may_found(const ShardSpec& parent, const wire::ShardSplit& split) = 0;
  // The file is there, synced. What is left to do is done in the order of `queue`, the shard's.
  virtual void founded(const ShardSpec& parent, const wire::ShardSplit& split,
                       std::weak_ptr<runtime::WorkQueue> queue) = 0;
  // It is not made, nor asked for again; if it has been all the same, this changes nothing.
  virtual void not_founded(const ShardSpec& parent, const wire::ShardSplit& split) = 0;

  // There is such a shard. True: its replica here has begun, or need not.
  virtual bool know(const ShardSpec& parent, const wire::ShardSplit& split) = 0;

  // Whether the new group, of this split and no other, has committed something, as its replica here
  // knows.
  virtual bool serves(const ShardSpec& parent, const wire::ShardSplit& split) = 0;

  // Whether the directory knows that this split is over, and telling it so.
  virtual bool is_over(const ShardSpec& parent, const wire::ShardSplit& split) = 0;
  virtual void over(const ShardSpec& parent, const wire::ShardSplit& split) = 0;
};

}  // namespace troupe::actors

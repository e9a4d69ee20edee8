// Shard time as it is stored, in milliseconds since 1970, and as replies say it.
#pragma once

#include <google/protobuf/util/time_util.h>

#include <cstdint>

#include "runtime/time.hpp"

namespace commerce {

inline std::int64_t to_ms(troupe::WallTime time) {
  return time.time_since_epoch().count();
}

inline google::protobuf::Timestamp to_timestamp(std::int64_t ms) {
  return google::protobuf::util::TimeUtil::MillisecondsToTimestamp(ms);
}

}  // namespace commerce

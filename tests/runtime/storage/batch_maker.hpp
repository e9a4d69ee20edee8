// Batches of rows as a shard would propose them, put together change by change.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/storage/ids.hpp"
#include "runtime/wire/batch.pb.h"

namespace troupe::tests {

inline std::string event_sub(std::uint64_t sequence) {
  std::string sub(8, '\0');
  for (std::size_t i = 8; i-- > 0; sequence >>= 8) sub[i] = static_cast<char>(sequence & 0xff);
  return sub;
}

class BatchMaker {
 public:
  explicit BatchMaker(std::int64_t time_ms = 1) { batch_.set_time_ms(time_ms); }

  BatchMaker& state(const std::string& entity, std::uint64_t version, std::uint32_t bucket = 1) {
    wire::EntityState state;
    state.set_version(version);
    state.set_state("state of " + entity);
    return put(bucket, entity, wire::Row::STATE, "", state.SerializeAsString());
  }
  BatchMaker& event(const std::string& entity, std::uint64_t sequence, std::uint32_t bucket = 1) {
    wire::StoredEvent event;
    event.set_time_ms(static_cast<std::int64_t>(sequence) * 10);
    event.set_event("event " + std::to_string(sequence));
    return put(bucket, entity, wire::Row::EVENT, event_sub(sequence), event.SerializeAsString());
  }
  BatchMaker& reply(const std::string& entity, const std::string& sub, std::int64_t due_ms,
                    std::uint32_t bucket = 1) {
    wire::StoredReply reply;
    reply.set_reply("reply " + sub);
    return put(bucket, entity, wire::Row::REPLY, sub, reply.SerializeAsString(), due_ms);
  }
  BatchMaker& put(std::uint32_t bucket, const std::string& entity, wire::Row::Kind kind,
                  const std::string& sub, const std::string& value, std::int64_t due_ms = 0) {
    auto& row = add(bucket, entity, kind, sub, wire::Row::PUT);
    row.set_value(value);
    row.set_due_ms(due_ms);
    return *this;
  }
  BatchMaker& remove(const std::string& entity, wire::Row::Kind kind, const std::string& sub,
                     std::uint32_t bucket = 1) {
    add(bucket, entity, kind, sub, wire::Row::DELETE);
    return *this;
  }
  BatchMaker& remove_entity(const std::string& entity, std::uint32_t bucket = 1) {
    add(bucket, entity, wire::Row::STATE, "", wire::Row::DELETE_ENTITY);
    return *this;
  }
  runtime::SharedBytes bytes() const {
    return std::make_shared<const std::string>(batch_.SerializeAsString());
  }

 private:
  wire::Row& add(std::uint32_t bucket, const std::string& entity, wire::Row::Kind kind,
                 const std::string& sub, wire::Row::Change change) {
    auto& row = *batch_.add_rows();
    row.set_bucket(bucket);
    row.set_entity(entity);
    row.set_kind(kind);
    row.set_sub(sub);
    row.set_change(change);
    return row;
  }
  wire::Batch batch_;
};

}  // namespace troupe::tests

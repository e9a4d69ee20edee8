// A shard file in a temporary folder, and short words for batches.
#pragma once

#include "runtime/storage/shard_file.hpp"
#include "tests/runtime/storage/rig.hpp"

namespace troupe::tests {

inline std::string event_sub(std::uint64_t sequence) {
  std::string sub(8, '\0');
  for (std::size_t i = 8; i-- > 0; sequence >>= 8) sub[i] = static_cast<char>(sequence & 0xff);
  return sub;
}

// One batch, put together change by change.
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

class ShardRig {
 public:
  std::string path() const { return folder_ / "shard.db"; }
  std::string wal() const { return path() + "-wal"; }
  std::string identity = "test.v1.Things/0";
  runtime::ShardFile::Options options;

  FaultDisk& disk() { return disk_; }
  DiskFaults& faults() { return disk_.faults(); }
  const TemporaryFolder& folder() const { return folder_; }
  runtime::ShardFile& file() { return *file_; }

  Result<void> try_open(bool create) {
    auto opened = runtime::ShardFile::open(disk_, path(), identity, create, options);
    if (!opened) return std::move(opened).error();
    file_ = *std::move(opened);
    return {};
  }
  void open(bool create = true) {
    const auto opened = try_open(create);
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().describe()));
  }
  void close() { file_.reset(); }
  void reopen() {
    close();
    open(false);
  }
  Error refusal() {
    close();
    const auto opened = try_open(false);
    REQUIRE_FALSE(opened);
    return opened.error();
  }

  // Applies batches as the next entries, in one transaction.
  Result<void> try_apply(const std::vector<BatchMaker>& batches) {
    std::vector<runtime::ShardFile::Entry> entries;
    auto index = file_->applied().index;
    for (const auto& batch : batches) entries.push_back({++index, 1, batch.bytes()});
    return file_->apply(entries);
  }
  void apply(const std::vector<BatchMaker>& batches) {
    const auto applied = try_apply(batches);
    REQUIRE_MESSAGE(applied, (applied ? "" : applied.error().describe()));
  }
  // The version of an entity's state; 0: it does not exist.
  std::uint64_t version(const std::string& entity, runtime::Bucket bucket = 1) {
    const auto loaded = file_->load(bucket, entity, 100);
    REQUIRE(loaded);
    return loaded->state ? loaded->state->version() : 0;
  }
  void check_sound() {
    const auto findings = file_->verify();
    REQUIRE(findings);
    CHECK(*findings == std::vector<std::string>{});
  }

 private:
  TemporaryFolder folder_;
  FaultDisk disk_;
  std::unique_ptr<runtime::ShardFile> file_;
};

}  // namespace troupe::tests

// A shard file in a temporary folder.
#pragma once

#include "runtime/storage/shard_file.hpp"
#include "tests/runtime/storage/batch_maker.hpp"
#include "tests/runtime/storage/rig.hpp"

namespace troupe::tests {

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

inline void check_file_is_corrupt(const Error& error, const std::string& path) {
  CHECK(error.code == Code::data_loss);
  CHECK(error.reason == "SHARD_FILE_CORRUPT");
  CAPTURE(error.message);
  CHECK(error.message.find(path) != std::string::npos);
}

inline void fill(ShardRig& rig, int entities) {
  BatchMaker batch;
  for (int i = 0; i < entities; ++i)
    batch.state("entity " + std::to_string(i), 1, static_cast<std::uint32_t>(i) % 4096)
        .event("entity " + std::to_string(i), 1, static_cast<std::uint32_t>(i) % 4096);
  rig.apply({batch});
}

}  // namespace troupe::tests

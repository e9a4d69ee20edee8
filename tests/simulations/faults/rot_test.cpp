#include "simulations/faults/rot.hpp"

#include <doctest/doctest.h>

#include <set>

namespace troupe::simulations {
namespace {

DiskImage sample() {
  DiskImage disk;
  disk.create_folders("/data/log");
  disk.create_folders("/data/shards");
  const auto add = [&](const std::string& path, const std::string& bytes) {
    disk.write(*disk.create(path), 0, bytes);
  };
  add("/data/node.txt", "node");
  add("/data/log/log-000001.db", std::string(100, 'd'));
  add("/data/log/log-000001.db-wal", std::string(100, 'w') + std::string(9900, '\0'));
  add("/data/log/log.spare", std::string(100, 's'));
  add("/data/log/log-000002.db", "");
  add("/data/shards/s-0.g1.db", std::string(50, 'x'));
  return disk;
}

TEST_CASE("rot hits one bit of a log's or shard's file, mostly where something was written") {
  std::set<std::string> files;
  int blank = 0;
  constexpr std::uint64_t numbers = 400;
  for (std::uint64_t number = 0; number < numbers; ++number) {
    auto disk = sample();
    const auto where = rot(disk, RotTarget::node_log, number);
    REQUIRE(where);
    auto again = sample();
    CHECK(rot(again, RotTarget::node_log, number) == where);
    const auto path = where->substr(0, where->find('@'));
    const auto offset = std::stoull(where->substr(where->find('@') + 1));
    files.insert(path);
    blank += offset >= 100;
    const auto fresh = sample();
    int changed = 0;
    for (const auto& name : fresh.files()) {
      const auto& before = fresh.find(name)->bytes;
      const auto& after = disk.find(name)->bytes;
      for (std::size_t i = 0; i < before.size(); ++i) {
        if (before[i] == after[i]) continue;
        ++changed;
        CHECK(name == path);
        CHECK(i == offset);
      }
    }
    CHECK(changed == 1);
  }
  CHECK(files == std::set<std::string>{"/data/log/log-000001.db", "/data/log/log-000001.db-wal"});
  CHECK(blank > 5);
  CHECK(blank < 60);
}

TEST_CASE("a disk without such a file does not rot") {
  auto disk = sample();
  CHECK(rot(disk, RotTarget::shard_file, 7)->starts_with("/data/shards/s-0.g1.db@"));
  disk.remove("/data/shards/s-0.g1.db");
  CHECK_FALSE(rot(disk, RotTarget::shard_file, 7));
  DiskImage empty;
  CHECK_FALSE(rot(empty, RotTarget::node_log, 7));
}

}  // namespace
}  // namespace troupe::simulations

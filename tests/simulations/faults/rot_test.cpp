#include "simulations/faults/rot.hpp"

#include <doctest/doctest.h>

#include <map>
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

TEST_CASE("rot of a shard file mostly hits pages that its WAL does not hide") {
  constexpr std::uint64_t page = DiskImage::page_bytes;
  const std::string salt = "saltSALT";
  const auto number = [](std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
    return bytes;
  };
  const auto frame = [&](std::uint32_t holds, const std::string& its_salt) {
    return number(holds) + number(0) + its_salt + std::string(8, 'c') + std::string(page, 'p');
  };
  // Page 2 is in the WAL, page 3 was in an earlier round of it.
  const auto wal = std::string(8, 'm') + number(page) + number(0) + salt + std::string(8, 'c') +
                   frame(2, salt) + frame(3, "anything");
  std::map<std::uint64_t, int> hits;
  int in_wal = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    DiskImage disk;
    disk.create_folders("/data/shards");
    disk.write(*disk.create("/data/shards/s-0.g1.db"), 0, std::string(3 * page, 'x'));
    disk.write(*disk.create("/data/shards/s-0.g1.db-wal"), 0, wal);
    const auto where = rot(disk, RotTarget::shard_file, seed);
    REQUIRE(where);
    if (where->starts_with("/data/shards/s-0.g1.db@"))
      ++hits[std::stoull(where->substr(where->find('@') + 1)) / page];
    else
      ++in_wal;
  }
  CHECK(hits[0] > 100);
  CHECK(hits[2] > 100);
  CHECK(hits[1] < 40);
  CHECK(in_wal > 20);
}

TEST_CASE("rot of a shard file mostly hits events, where it has some") {
  constexpr std::uint64_t page_bytes = DiskImage::page_bytes;
  // A leaf with two rows of seven columns, of which one is an event's with the value "EEEE".
  const auto row = [](char kind_type, const std::string& value) {
    const std::string header{8, 1, 16, kind_type, 12, static_cast<char>(12 + 2 * value.size()),
                             1, 1};
    const std::string kind = kind_type == 1 ? "\2" : "";
    const auto record = header + 'b' + "kk" + kind + value + "ds";
    return static_cast<char>(record.size()) + record;
  };
  const auto event = row(9, "EEEE");
  const auto reply = row(1, "RRRR");
  std::string page(page_bytes, '\0');
  const auto put = [&](std::size_t at, const std::string& bytes) {
    page.replace(at, bytes.size(), bytes);
  };
  put(0, std::string{10, 0, 0, 0, 2, 0, 0, 0, 15, 0, 14, 0});  // cells at 3840 and 3584
  put(3840, event);
  put(3584, reply);
  const auto begin = 3840 + event.find("EEEE");
  int hits = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    DiskImage disk;
    disk.create_folders("/data/shards");
    disk.write(*disk.create("/data/shards/s-0.g1.db"), 0, std::string(page_bytes, 's') + page);
    const auto where = rot(disk, RotTarget::shard_file, seed);
    REQUIRE(where);
    const auto offset = std::stoull(where->substr(where->find('@') + 1)) - page_bytes;
    hits += offset >= begin && offset < begin + 4;
  }
  CHECK(hits > 150);
  CHECK(hits < 250);
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

#include "simulations/world/disk.hpp"

#include <doctest/doctest.h>

#include <set>

#include "tests/simulations/world/support.hpp"

namespace troupe::simulations {
namespace {

constexpr auto page = DiskImage::page_bytes;
constexpr auto sector = DiskImage::sector_bytes;

RandomStream crash_stream(std::uint64_t seed) {
  return {seed, Domain::crash, 1, 1};
}

DiskImage::FilePtr synced_file(DiskImage& image, const std::string& path, std::string bytes) {
  auto file = image.create(path);
  image.write(*file, 0, bytes);
  DiskImage::sync(*file);
  image.sync_folder(DiskImage::folder_of(path));
  return file;
}

TEST_CASE("paths are made absolute and normal") {
  CHECK(DiskImage::normal("/a//b/./c/../d") == "/a/b/d");
  CHECK(DiskImage::normal("a/b/") == "/a/b");
  CHECK(DiskImage::normal("/") == "/");
}

TEST_CASE("synced bytes survive every crash") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    DiskImage image;
    synced_file(image, "/f", std::string(3 * page, 'x'));
    image.crash(crash_stream(seed));
    REQUIRE(image.find("/f"));
    CHECK(image.find("/f")->bytes == std::string(3 * page, 'x'));
  }
}

TEST_CASE("un-synced pages are lost, kept or torn at sectors, within the written range") {
  std::set<std::string> outcomes;
  bool torn = false;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    DiskImage image;
    const auto file = synced_file(image, "/f", std::string(4 * page, 'o'));
    // From the middle of a sector of page 1 to the middle of a sector of page 2.
    const auto begin = page + 100;
    const auto end = 2 * page + 700;
    image.write(*file, begin, std::string(end - begin, 'n'));
    image.crash(crash_stream(seed));
    const auto& bytes = image.find("/f")->bytes;
    REQUIRE(bytes.size() == 4 * page);
    CHECK(bytes.substr(0, begin) == std::string(begin, 'o'));
    CHECK(bytes.substr(end) == std::string(4 * page - end, 'o'));
    for (auto at = begin; at < end; ++at) {
      // Within a sector all written bytes share one fate.
      if (at % sector != 0 && at > begin) CHECK(bytes[at] == bytes[at - 1]);
      if (at % page == 1024) torn |= bytes[at] != bytes[at - 1];
    }
    outcomes.insert(bytes);
  }
  CHECK(outcomes.size() > 20);
  CHECK(outcomes.contains(std::string(4 * page, 'o')));
  CHECK(torn);
}

TEST_CASE("a file that grew is cut back to what was kept of it") {
  std::set<std::uint64_t> sizes;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    DiskImage image;
    const auto file = synced_file(image, "/f", std::string(100, 'o'));
    image.write(*file, 100, std::string(2 * page, 'n'));
    image.crash(crash_stream(seed));
    const auto& bytes = image.find("/f")->bytes;
    sizes.insert(bytes.size());
    CHECK(bytes.size() >= 100);
    CHECK(bytes.size() <= 100 + 2 * page);
    CHECK(bytes.substr(0, 100) == std::string(100, 'o'));
    // What was neither old nor new reads as zeros.
    CHECK(bytes.find_first_not_of(std::string("n\0", 2), 100) == std::string::npos);
  }
  CHECK(sizes.contains(100));
  CHECK(sizes.contains(100 + 2 * page));
  CHECK(sizes.size() > 3);
}

TEST_CASE("an un-synced truncation may be lost, and brings the old bytes back") {
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    DiskImage image;
    const auto file = synced_file(image, "/f", std::string(page + 10, 'o'));
    image.truncate(*file, 10);
    CHECK(file->bytes.size() == 10);
    image.crash(crash_stream(seed));
    outcomes.insert(image.find("/f")->bytes);
  }
  CHECK(outcomes == std::set<std::string>{std::string(10, 'o'), std::string(page + 10, 'o')});
}

TEST_CASE("names are durable once their folder is synced, whatever the file's content is") {
  int created = 0;
  int removed = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    DiskImage image;
    image.create_folders("/d");
    synced_file(image, "/d/old", "old");
    const auto fresh = image.create("/d/new");
    image.write(*fresh, 0, "new");
    DiskImage::sync(*fresh);
    image.remove("/d/old");
    image.crash(crash_stream(seed));
    created += image.find("/d/new") != nullptr;
    removed += image.find("/d/old") == nullptr;
    if (image.find("/d/new")) CHECK(image.find("/d/new")->bytes == "new");
    if (image.find("/d/old")) CHECK(image.find("/d/old")->bytes == "old");
  }
  CHECK(created > 20);
  CHECK(created < 80);
  CHECK(removed > 20);
  CHECK(removed < 80);
}

TEST_CASE("a crash is a function of the seed") {
  const auto after = [](std::uint64_t seed) {
    DiskImage image;
    const auto file = synced_file(image, "/f", std::string(9 * page, 'o'));
    image.write(*file, 0, std::string(8 * page, 'n'));
    image.crash(crash_stream(seed));
    return image.find("/f")->bytes;
  };
  CHECK(after(4) == after(4));
  std::set<std::string> all;
  for (std::uint64_t seed = 0; seed < 40; ++seed) all.insert(after(seed));
  CHECK(all.size() > 10);
}

TEST_CASE("a Disk's own methods are durable on return") {
  for (std::uint64_t seed = 1; seed < 30; ++seed) {
    World world{{.seed = seed}};
    auto& machine = world.add("node-1", bare_process());
    REQUIRE(world.start(machine));
    {
      auto& disk = machine.platform()->disk();
      REQUIRE(disk.create_folders("/data/log"));
      REQUIRE(disk.write("/data/log/a", "one"));
      REQUIRE(disk.write("/data/log/a", "two"));
      REQUIRE(disk.write("/data/log/b", "three"));
      REQUIRE(disk.rename("/data/log/b", "/data/c"));
      REQUIRE(disk.write("/data/log/gone", "four"));
      REQUIRE(disk.remove("/data/log/gone"));
      REQUIRE(disk.remove("/data/log/never"));
      REQUIRE(disk.allocate("/data/reserve", 10'000));
    }
    world.crash(machine);
    REQUIRE(world.start(machine));
    auto& disk = machine.platform()->disk();
    CHECK(disk.list("/data").value() == std::vector<std::string>{"c", "log", "reserve"});
    CHECK(disk.list("/data/log").value() == std::vector<std::string>{"a"});
    CHECK(disk.read("/data/log/a").value() == "two");
    CHECK(disk.read("/data/c").value() == "three");
    CHECK(disk.size("/data/reserve").value() == 10'000);
  }
}

TEST_CASE("what is missing, in use or does not fit is refused with its path") {
  World world{{.seed = 1}};
  auto& machine = world.add("node-1", bare_process());
  REQUIRE(world.start(machine));
  auto& disk = machine.platform()->disk();
  CHECK(disk.read("/none").error().code == Code::not_found);
  CHECK(disk.list("/none").error().code == Code::not_found);
  CHECK(disk.write("/none/file", "x").error().code == Code::not_found);
  CHECK(disk.read("/none").error().message.find("/none") != std::string::npos);
  CHECK_FALSE(disk.exists("/none").value());

  REQUIRE(disk.create_folders("/data"));
  {
    auto lock = disk.lock("/data");
    REQUIRE(lock);
    CHECK(disk.lock("/data").error().reason == "FOLDER_IN_USE");
  }
  CHECK(disk.lock("/data"));

  machine.hardware.disk.quota_bytes = 2 * page;
  REQUIRE(disk.write("/data/a", std::string(page, 'a')));
  CHECK(disk.write("/data/b", std::string(2 * page, 'b')).error().reason == "DISK_FULL");
  CHECK_FALSE(disk.exists("/data/b").value());
  REQUIRE(disk.remove("/data/a"));
  CHECK(disk.write("/data/b", std::string(2 * page, 'b')));
}

TEST_CASE("errors are drawn as often as the faults say, and the power is cut where they say") {
  World world{{.seed = 5}};
  auto& machine = world.add("node-1", bare_process());
  REQUIRE(world.start(machine));
  {
    auto& disk = machine.platform()->disk();
    machine.hardware.disk_faults.write_errors = 500'000;
    int failed = 0;
    for (int i = 0; i < 100; ++i) failed += !disk.write("/f", std::to_string(i));
    CHECK(failed > 30);
    CHECK(failed < 70);
    CHECK(disk.write("/f", std::string{"x"}).has_value() == (disk.read("/f").value() == "x"));
    machine.hardware.disk_faults = {};
    REQUIRE(disk.write("/f", "before"));
    machine.hardware.disk_faults.power_cut_after = 1;
    CHECK(disk.write("/f", "last"));
    CHECK(disk.write("/f", "after").error().reason == "DISK_IO");
    CHECK_FALSE(disk.read("/f"));
    CHECK_FALSE(machine.up());
  }
  world.run_for(0ms);
  CHECK(machine.platform() == nullptr);
  CHECK(machine.crashed()->reason == "POWER_CUT");
  REQUIRE(world.start(machine));
  CHECK(machine.platform()->disk().read("/f").value() == "last");
}

}  // namespace
}  // namespace troupe::simulations

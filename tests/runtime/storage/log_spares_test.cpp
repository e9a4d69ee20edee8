#include "runtime/storage/log_spares.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "runtime/platform/os/os_disk.hpp"
#include "runtime/storage/wal_scan.hpp"
#include "tests/runtime/storage/fault_disk.hpp"
#include "tests/runtime/storage/rig.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::tests;

namespace {

struct Spares {
  TemporaryFolder folder;
  std::unique_ptr<Disk> disk = make_os_disk();
  LogSpares spares{*disk, folder.path()};

  std::string wal(const std::string& name) {
    REQUIRE(disk->write(folder / name, std::string(8192, 'w')));
    return folder / name;
  }
};

}  // namespace

TEST_SUITE("spare files of the node log") {
  TEST_CASE("a file is wanted until one is made, of zeros and of the size that was asked for") {
    Spares rig;
    CHECK(rig.spares.take().empty());
    CHECK(rig.spares.wanted());
    CHECK_FALSE(rig.spares.wanted());  // it is being made
    REQUIRE(rig.spares.make(3 << 20));
    CHECK_FALSE(rig.spares.wanted());  // it is there
    const auto path = rig.spares.take();
    CHECK(*rig.disk->size(path) == 3 << 20);
    CHECK(rig.disk->read(path)->find_first_not_of('\0') == std::string::npos);
    CHECK(rig.spares.take().empty());
    CHECK(rig.spares.wanted());
  }

  TEST_CASE("a few WALs are kept, blanked, and the others removed") {
    Spares rig;
    for (std::size_t n = 0; n < LogSpares::kept_max + 2; ++n) {
      const auto wal = rig.wal("wal-" + std::to_string(n));
      REQUIRE(rig.spares.keep(wal));
      CHECK_FALSE(*rig.disk->exists(wal));
    }
    for (std::size_t n = 0; n < LogSpares::kept_max; ++n) {
      const auto path = rig.spares.take();
      REQUIRE_FALSE(path.empty());
      CHECK(*is_blank_wal(*rig.disk, path));
    }
    CHECK(rig.spares.take().empty());
  }

  TEST_CASE("a start takes what is blank and removes the rest") {
    Spares rig;
    REQUIRE(rig.disk->write(rig.folder / "log.spare-7", std::string(4096, '\0')));
    REQUIRE(rig.disk->write(rig.folder / "log.spare-9", std::string(4096, 'x')));
    REQUIRE(rig.spares.found(7));
    REQUIRE(rig.spares.found(9));
    CHECK_FALSE(*rig.disk->exists(rig.folder / "log.spare-9"));
    CHECK(rig.spares.take() == rig.folder / "log.spare-7");
    REQUIRE(rig.spares.keep(rig.wal("wal")));
    CHECK(rig.spares.take() == rig.folder / "log.spare-10");  // no name twice
  }

  TEST_CASE("a full disk gets its space back, and none is kept until there is space") {
    Spares rig;
    REQUIRE(rig.spares.keep(rig.wal("wal-1")));
    REQUIRE(rig.spares.give_up());
    CHECK(std::filesystem::is_empty(rig.folder.path()));
    CHECK(rig.spares.take().empty());
    CHECK_FALSE(rig.spares.wanted());
    REQUIRE(rig.spares.keep(rig.wal("wal-2")));
    CHECK(std::filesystem::is_empty(rig.folder.path()));
    rig.spares.allow();
    CHECK(rig.spares.wanted());
  }

  TEST_CASE("names of spares are told from others") {
    CHECK(LogSpares::parse_name("log.spare-12") == 12);
    CHECK_FALSE(LogSpares::parse_name("log.spare-"));
    CHECK_FALSE(LogSpares::parse_name("log.spare-1x"));
    CHECK_FALSE(LogSpares::parse_name("log.spare"));
    CHECK_FALSE(LogSpares::parse_name("log-000001.db"));
  }
}

#include "runtime/platform/os/os_disk.hpp"

#include <doctest/doctest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <thread>

#include "runtime/platform/os/files/posix.hpp"
#include "tests/runtime/platform/temporary_folder.hpp"

using namespace troupe;
using namespace troupe::runtime;
using troupe::tests::TemporaryFolder;

namespace {

void put(const std::string& path, const std::string& text) {
  std::ofstream{path} << text;
}

std::string what_stands_in(const std::string& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

template <class T>
Error error_of(Result<T> result) {
  REQUIRE_FALSE(result);
  return std::move(result).error();
}

}  // namespace

TEST_CASE("folders are created with their parents, and creating them again is no error") {
  TemporaryFolder folder;
  auto disk = make_os_disk();
  CHECK(disk->create_folders(folder / "a/b/c"));
  CHECK(disk->create_folders(folder / "a/b/c"));
  CHECK(disk->create_folders(folder / "a/b/d/"));
  CHECK(*disk->list(folder / "a/b") == std::vector<std::string>{"c", "d"});
}

TEST_CASE("a file in the place of a folder is named") {
  TemporaryFolder folder;
  auto disk = make_os_disk();
  put(folder / "file", "x");
  CHECK(error_of(disk->create_folders(folder / "file")).message.find(folder / "file") !=
        std::string::npos);
  CHECK_FALSE(disk->create_folders(folder / "file/below"));
}

TEST_CASE("what is not there is NOT_FOUND, and the message names it") {
  TemporaryFolder folder;
  auto disk = make_os_disk();
  const auto path = folder / "missing";
  for (const auto& error :
       {error_of(disk->read(path)), error_of(disk->size(path)), error_of(disk->list(path)),
        error_of(disk->rename(path, path + "2")), error_of(disk->write(path + "/below", "x"))}) {
    CHECK(error.code == Code::not_found);
    CHECK(error.message.find(path) != std::string::npos);
  }
  CHECK_FALSE(*disk->exists(path));
  CHECK(disk->remove(path));
  CHECK(disk->remove(path + "/below"));
}

TEST_CASE("write replaces a whole file and leaves nothing else behind") {
  TemporaryFolder folder;
  auto disk = make_os_disk();
  const auto path = folder / "meta";
  CHECK(disk->write(path, std::string(100'000, 'a')));
  CHECK(disk->write(path, std::string_view{"b\0c", 3}));
  CHECK(*disk->read(path) == std::string{"b\0c", 3});
  CHECK(*disk->size(path) == 3);
  CHECK(*disk->list(folder.path()) == std::vector<std::string>{"meta"});
  CHECK(disk->write(path, ""));
  CHECK(disk->read(path)->empty());
}

TEST_CASE("what a dead process left unfinished is invisible, and the next write takes it away") {
  TemporaryFolder folder;
  auto disk = make_os_disk();
  const auto path = folder / "meta";
  put(path, "old");
  put(path + ".unfinished", "half of the new on");
  CHECK(*disk->read(path) == "old");
  CHECK(*disk->list(folder.path()) == std::vector<std::string>{"meta"});
  CHECK(disk->write(path, "new"));
  CHECK(*disk->read(path) == "new");
  CHECK(::access((path + ".unfinished").c_str(), F_OK) != 0);
}

TEST_CASE("writers of one path do not mix their bytes") {
  TemporaryFolder folder;
  auto disk = make_os_disk();
  const auto path = folder / "meta";
  std::vector<std::thread> writers;
  std::atomic<int> failed = 0;
  for (char letter : {'a', 'b', 'c', 'd'})
    writers.emplace_back([&, letter] {
      for (int i = 0; i < 10; ++i)
        if (!disk->write(path, std::string(10'000, letter))) ++failed;
    });
  for (auto& writer : writers) writer.join();
  CHECK(failed == 0);
  const auto bytes = *disk->read(path);
  CHECK(bytes == std::string(10'000, bytes.at(0)));
}

TEST_CASE("a file without a size, as in /proc, is read to its end") {
  const auto text = *make_os_disk()->read("/proc/self/status");
  CHECK(text.find("Pid:") != std::string::npos);
}

TEST_CASE("allocate makes a file of exactly that size with blocks behind it") {
  TemporaryFolder folder;
  auto disk = make_os_disk();
  const auto path = folder / "reserve";
  const auto blocks = [&] {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
  };
  CHECK(disk->allocate(path, 1 << 20));
  CHECK(*disk->size(path) == 1 << 20);
  CHECK(blocks() >= 1 << 20);
  CHECK(disk->allocate(path, 4096));
  CHECK(*disk->size(path) == 4096);
  CHECK(disk->allocate(path, 0));
  CHECK(*disk->size(path) == 0);
}

TEST_CASE("remove takes files and empty folders, and refuses a full folder") {
  TemporaryFolder folder;
  auto disk = make_os_disk();
  CHECK(disk->create_folders(folder / "a/b"));
  put(folder / "file", "x");
  CHECK(error_of(disk->remove(folder / "a")).reason == "DISK_IO");
  CHECK(disk->remove(folder / "a/b"));
  CHECK(disk->remove(folder / "a"));
  CHECK(disk->remove(folder / "file"));
  CHECK(disk->list(folder.path())->empty());
}

TEST_CASE("rename replaces its target, also across folders") {
  TemporaryFolder folder;
  auto disk = make_os_disk();
  CHECK(disk->create_folders(folder / "there"));
  put(folder / "a", "new");
  put(folder / "there/b", "old");
  CHECK(disk->rename(folder / "a", folder / "there/b"));
  CHECK(*disk->read(folder / "there/b") == "new");
  CHECK_FALSE(*disk->exists(folder / "a"));
}

TEST_CASE("a full disk is DISK_FULL, spoils nothing, and works again once space is back") {
  TemporaryFolder folder;
  const auto mounted = folder / "small";
  REQUIRE(::mkdir(mounted.c_str(), 0700) == 0);
  if (::mount("tmpfs", mounted.c_str(), "tmpfs", 0, "size=1m") != 0) {
    MESSAGE("skipped: mounting a tmpfs needs root");
    return;
  }
  {
    auto disk = make_os_disk();
    CHECK(disk->write(mounted + "/small", "old"));
    auto too_big = error_of(disk->allocate(mounted + "/reserve", 2 << 20));
    CHECK(too_big.code == Code::resource_exhausted);
    CHECK(too_big.reason == "DISK_FULL");
    CHECK_FALSE(*disk->exists(mounted + "/reserve"));

    CHECK(disk->allocate(mounted + "/reserve", 512 << 10));
    CHECK_FALSE(disk->allocate(mounted + "/reserve", 2 << 20));
    CHECK(*disk->size(mounted + "/reserve") == 512 << 10);

    const std::string bytes(600 << 10, 'x');
    CHECK(error_of(disk->write(mounted + "/small", bytes)).reason == "DISK_FULL");
    CHECK(*disk->read(mounted + "/small") == "old");
    CHECK(disk->remove(mounted + "/reserve"));
    CHECK(disk->write(mounted + "/small", bytes));
    CHECK(*disk->size(mounted + "/small") == bytes.size());
  }
  CHECK(::umount(mounted.c_str()) == 0);
}

TEST_CASE("parents of paths") {
  CHECK(parent_folder("/a/b") == "/a");
  CHECK(parent_folder("/a/b//") == "/a");
  CHECK(parent_folder("/a//b") == "/a");
  CHECK(parent_folder("/b") == "/");
  CHECK(parent_folder("/") == "/");
  CHECK(parent_folder("b") == ".");
  CHECK(parent_folder("a/b") == "a");
}

TEST_CASE("a folder is locked by one owner in the process, and free after it") {
  TemporaryFolder folder;
  auto disk = make_os_disk();
  auto lock = disk->lock(folder.path());
  REQUIRE(lock);
  CHECK(disk->list(folder.path())->empty());
  const auto error = error_of(disk->lock(folder.path()));
  CHECK(error.code == Code::failed_precondition);
  CHECK(error.reason == "FOLDER_IN_USE");
  lock->reset();
  CHECK(disk->lock(folder.path()));
}

TEST_CASE("the second process is told folder and pid, and a killed holder's lock is free") {
  TemporaryFolder folder;
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto lock = make_os_disk()->lock(folder.path());
    const char said = lock ? 'y' : 'n';
    (void)!::write(ready[1], &said, 1);
    for (;;) ::pause();
  }
  char said = 0;
  REQUIRE(::read(ready[0], &said, 1) == 1);
  CHECK(said == 'y');
  auto disk = make_os_disk();
  const auto error = error_of(disk->lock(folder.path()));
  CHECK(error.reason == "FOLDER_IN_USE");
  CHECK(error.message.find(folder.path()) != std::string::npos);
  CHECK(error.message.find("process " + std::to_string(child) + ";") != std::string::npos);

  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(disk->lock(folder.path()));
  CHECK(what_stands_in(folder / ".lock") == std::to_string(::getpid()) + "\n");
  ::close(ready[0]);
  ::close(ready[1]);
}

#include "runtime/telemetry/console_log.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <thread>
#include <vector>

using namespace troupe;
using namespace troupe::runtime;

namespace {

class StillClock final : public Clock {
 public:
  MonotonicTime now() const override { return {}; }
  WallTime wall() const override { return WallTime{std::chrono::milliseconds{1'714'564'800'123}}; }
};

// A stream in memory and what was written to it.
struct Captured {
  Captured() : stream(::open_memstream(&bytes, &size)) {}
  ~Captured() {
    std::fclose(stream);
    std::free(bytes);
  }
  std::string text() {
    std::fflush(stream);
    return {bytes, size};
  }
  char* bytes = nullptr;
  std::size_t size = 0;
  std::FILE* stream;
};

}  // namespace

TEST_CASE("a record is on the stream when write() returns") {
  StillClock clock;
  Captured out;
  auto log = make_console_log({"node-1", LogForm::text, LogLevel::info}, clock, out.stream);
  log->info("node.ready", "the node is ready", {{"shards", 4}});
  CHECK(std::string{out.bytes, out.size} ==
        "2024-05-01T12:00:00.123Z INFO  node-1 node.ready: the node is ready shards=4\n");
}

TEST_CASE("braces and percent signs of others' texts are left alone") {
  StillClock clock;
  Captured out;
  auto log = make_console_log({"%v", LogForm::text, LogLevel::info}, clock, out.stream);
  log->info("a.b", "{} {0} %v %s {", {{"x", "%n"}});
  CHECK(out.text().ends_with("%v a.b: {} {0} %v %s { x=%n\n"));
}

TEST_CASE("records below the level are not written, errors always are") {
  StillClock clock;
  Captured out;
  auto log = make_console_log({"n", LogForm::text, LogLevel::warn}, clock, out.stream);
  CHECK_FALSE(log->enabled(LogLevel::info));
  CHECK(log->enabled(LogLevel::warn));
  log->debug("d", "debug");
  log->info("i", "info");
  log->write(LogLevel::info, "i", "written directly");
  CHECK(out.text().empty());
  log->warn("w", "warn");
  log->error("e", "error");
  CHECK(out.text().find("warn") < out.text().find("error"));
}

TEST_CASE("lines of many threads do not mix") {
  StillClock clock;
  Captured out;
  auto log = make_console_log({"n", LogForm::json, LogLevel::info}, clock, out.stream);
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t)
    writers.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) log->info("e", std::string(200, static_cast<char>('a' + t)));
    });
  for (auto& writer : writers) writer.join();
  std::istringstream lines{out.text()};
  std::string line;
  int count = 0;
  for (; std::getline(lines, line); ++count) {
    const auto letter = line.at(line.size() - 3);
    const auto expected = R"("message":")" + std::string(200, letter) + "\"}";
    REQUIRE(line.ends_with(expected));
  }
  CHECK(count == 2'000);
}

TEST_CASE("a stream that takes nothing harms nobody") {
  StillClock clock;
  std::FILE* full = std::fopen("/dev/full", "w");
  REQUIRE(full != nullptr);
  auto log = make_console_log({"n", LogForm::json, LogLevel::info}, clock, full);
  log->info("e", "lost");
  log->error("e", "lost, too");
  log.reset();
  std::fclose(full);
}

// What a long run shows on standard error, and how numbers of a run are written.
#include "simulations/cli/progress.hpp"

#include <regex>

#include "simulations/cli/words.hpp"
#include "support.hpp"

namespace troupe::simulations {
namespace {

CampaignProgress progress(std::uint64_t done, Duration elapsed) {
  return {.done = done,
          .all = 1000,
          .failures = 1,
          .simulated = static_cast<int>(done) * 20s,
          .elapsed = elapsed,
          .left = 192s};
}

cluster::CliIo io_to(std::ostream& err, bool rewritable) {
  cluster::CliIo io;
  io.err = &err;
  io.rewritable = rewritable;
  return io;
}

}  // namespace

TEST_CASE("progress says how far it is, what failed, how fast it goes and how long it takes") {
  CHECK(progress_text(progress(412, 40s)) ==
        "412 of 1,000 runs, 1 failure, 206 simulated seconds per second, 3m 12s left");
  CampaignProgress unbounded = progress(1, 10s);
  unbounded.all.reset();
  unbounded.left.reset();
  unbounded.failures = 0;
  CHECK(progress_text(unbounded) == "1 run, 0 failures, 2 simulated seconds per second");
}

TEST_CASE("on a terminal the line is written over, a few times a second, and cleared") {
  std::ostringstream err;
  const auto io = io_to(err, true);
  {
    ProgressLine line{io};
    line.show(progress(1, 500ms));
    CHECK(err.str().empty());  // may be over before it can be read
    line.show(progress(2, 1s));
    line.show(progress(3, 1100ms));
    line.show(progress(4, 1200ms));
  }
  const std::string text = err.str();
  CHECK(text.starts_with("\r\x1b[K2 of 1,000 runs"));
  CHECK(!contains(text, "3 of 1,000"));
  CHECK(contains(text, "\r\x1b[K4 of 1,000 runs"));
  CHECK(text.ends_with("\r\x1b[K"));
  CHECK(!contains(text, "\n"));
}

TEST_CASE("elsewhere there is a line every ten seconds") {
  std::ostringstream err;
  const auto io = io_to(err, false);
  ProgressLine line{io};
  for (int second = 0; second <= 25; ++second)
    line.show(progress(static_cast<std::uint64_t>(second), second * 1s));
  line.clear();
  const std::string text = err.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  CHECK(text.starts_with("10 of 1,000 runs"));
  CHECK(!contains(text, "\x1b"));
}

TEST_CASE("the progress of shrinking begins its own time") {
  std::ostringstream err;
  const auto io = io_to(err, false);
  ProgressLine line{io};
  line.show(progress(1, 3600s));
  line.show(ShrinkProgress{12, 5, 11s});
  CHECK(contains(err.str(), "shrinking: 12 runs, 5 faults left\n"));
}

TEST_CASE("times are written as short as they are exact enough") {
  CHECK(human_time(0s) == "0s");
  CHECK(human_time(52ms) == "0.052s");
  CHECK(human_time(6500ms) == "6.5s");
  CHECK(human_time(20s) == "20s");
  CHECK(human_time(3min + 12s) == "3m 12s");
}

TEST_CASE("docs/simulation.md has every option of the command") {
  std::ifstream file{TROUPE_SOURCE_FOLDER "/docs/simulation.md"};
  const std::string page{std::istreambuf_iterator<char>{file}, {}};
  const std::string help = Simulate{}.run({"--help"}).out;
  const std::regex option{"\n  (?:-h,)?(--[a-z-]+)"};
  std::size_t found = 0;
  for (std::sregex_iterator at{help.begin(), help.end(), option}, end; at != end; ++at, ++found)
    if ((*at)[1] != "--help") CHECK_MESSAGE(contains(page, "`" + (*at)[1].str()), (*at)[1].str());
  CHECK(found > 12);
}

}  // namespace troupe::simulations

#include "runtime/platform/os/os_platform.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>

#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <cstdio>

using namespace troupe;
using namespace troupe::runtime;

namespace {

struct Ended {
  int status = 0;
  std::string errors;  // what it wrote to standard error
};

// Runs `body` in a process of its own whose standard error is `writing`; what it wrote is read from
// `reading` until it has ended.
Ended in_a_child(const std::function<void()>& body, int reading, int writing) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(writing, STDERR_FILENO);
    ::close(writing);
    ::close(reading);
    body();
    std::_Exit(0);
  }
  ::close(writing);
  Ended ended;
  char buffer[4096];
  for (ssize_t count = 0; (count = ::read(reading, buffer, sizeof(buffer))) > 0;)
    ended.errors.append(buffer, static_cast<std::size_t>(count));
  ::close(reading);
  ::waitpid(child, &ended.status, 0);
  return ended;
}

Ended in_a_child(const std::function<void()>& body) {
  int errors[2];
  REQUIRE(::pipe(errors) == 0);
  return in_a_child(body, errors[0], errors[1]);
}

Ended on_a_terminal(const std::function<void()>& body) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(master >= 0);
  REQUIRE(::grantpt(master) == 0);
  REQUIRE(::unlockpt(master) == 0);
  const int terminal = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
  REQUIRE(terminal >= 0);
  return in_a_child(body, master, terminal);
}

}  // namespace

TEST_CASE("fail_stop says why and ends the process without running a destructor") {
  struct Loud {
    ~Loud() {
      if (::getpid() != test) std::fputs("destroyed\n", stderr);
    }
    const pid_t test = ::getpid();
  };
  static Loud at_exit;
  const auto ended = in_a_child([] {
    auto platform = make_os_platform({.node = "node-1"});
    platform->fail_stop(data_loss("LOG_ROTTEN", "segment 7 is rotten"));
  });
  REQUIRE(WIFEXITED(ended.status));
  CHECK(WEXITSTATUS(ended.status) == fail_stop_status);
  CHECK(ended.errors.find("\"level\":\"error\"") != std::string::npos);
  CHECK(ended.errors.find("\"node\":\"node-1\"") != std::string::npos);
  CHECK(ended.errors.find("\"reason\":\"LOG_ROTTEN\"") != std::string::npos);
  CHECK(ended.errors.find("segment 7 is rotten") != std::string::npos);
  CHECK(ended.errors.find("destroyed") == std::string::npos);
}

TEST_CASE("a worker's job that throws stops the process") {
  const auto ended = in_a_child([] {
    auto platform = make_os_platform({.node = "node-1", .log_format = LogFormat::text});
    auto queue = platform->workers().queue("rows", Workers::Kind::dedicated);
    queue->post([] { throw std::runtime_error{"boom"}; });
    queue.reset();
  });
  REQUIRE(WIFEXITED(ended.status));
  CHECK(WEXITSTATUS(ended.status) == fail_stop_status);
  CHECK(ended.errors.find("ERROR node-1 node.fail_stop: ") != std::string::npos);
  CHECK(ended.errors.find("WORKER_JOB_FAILED") != std::string::npos);
  CHECK(ended.errors.find("boom") != std::string::npos);
}

TEST_CASE("logs are JSON when nobody looks, and text when asked for") {
  const auto automatic = in_a_child([] { make_os_platform({})->log().info("a.b", "c"); });
  CHECK(automatic.errors.starts_with("{\"time\":\""));
  const auto text =
      in_a_child([] { make_os_platform({.log_format = LogFormat::text})->log().info("a.b", "c"); });
  CHECK(text.errors.ends_with(" INFO  a.b: c\n"));
  CHECK(text.errors.find('\x1b') == std::string::npos);
}

TEST_CASE("logs on a terminal are text, with colours unless they are unwelcome") {
  const auto say = [] { make_os_platform({})->log().info("a.b", "c"); };
  ::setenv("TERM", "xterm", 1);
  ::unsetenv("NO_COLOR");
  CHECK(on_a_terminal(say).errors.ends_with("\x1b[32mINFO \x1b[0m a.b: c\r\n"));
  ::setenv("NO_COLOR", "", 1);
  CHECK(on_a_terminal(say).errors.find('\x1b') != std::string::npos);
  ::setenv("NO_COLOR", "1", 1);
  CHECK(on_a_terminal(say).errors.ends_with(" INFO  a.b: c\r\n"));
  ::unsetenv("NO_COLOR");
  ::setenv("TERM", "dumb", 1);
  CHECK(on_a_terminal(say).errors.ends_with(" INFO  a.b: c\r\n"));
}

TEST_CASE("fail_stop ends the process even if nobody takes its log") {
  int errors[2];
  REQUIRE(::pipe(errors) == 0);
  REQUIRE(::fcntl(errors[1], F_SETFL, O_NONBLOCK) == 0);
  const std::string filler(4096, 'x');
  while (::write(errors[1], filler.data(), filler.size()) > 0) continue;
  REQUIRE(::fcntl(errors[1], F_SETFL, 0) == 0);
  std::fflush(stdout);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(errors[1], STDERR_FILENO);
    make_os_platform({})->fail_stop(data_loss("LOG_ROTTEN", "segment 7 is rotten"));
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == fail_stop_status);
  ::close(errors[0]);
  ::close(errors[1]);
}

TEST_CASE("CAF gets the scheduler that was asked for and keeps quiet") {
  auto platform =
      make_os_platform({.scheduler = SchedulerPolicy::stealing, .scheduler_threads = 3});
  caf::actor_system_config config;
  platform->configure(config);
  CHECK(caf::get_or(config, "scheduler.policy", caf::atom("")) == caf::atom("stealing"));
  CHECK(caf::get_or(config, "scheduler.max-threads", std::size_t{0}) == 3);
  CHECK(caf::get_or(config, "logger.verbosity", caf::atom("")) == caf::atom("quiet"));

  auto another = make_os_platform({});
  caf::actor_system_config defaults;
  another->configure(defaults);
  CHECK(caf::get_or(defaults, "scheduler.policy", caf::atom("")) == caf::atom("sharing"));
  CHECK(caf::get_or(defaults, "scheduler.max-threads", std::size_t{0}) ==
        std::max<std::size_t>(2, static_cast<std::size_t>(::sysconf(_SC_NPROCESSORS_ONLN))) - 1);
}

TEST_CASE("the process is prepared: all descriptors it may have, and no SIGPIPE") {
  auto platform = make_os_platform({});
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(limit.rlim_cur == limit.rlim_max);
  struct sigaction action {};
  REQUIRE(::sigaction(SIGPIPE, nullptr, &action) == 0);
  CHECK((action.sa_handler == SIG_IGN));
}

TEST_CASE("all parts of a platform are there") {
  auto platform = make_os_platform({.node = "node-1"});
  const auto now = platform->clock().now();
  CHECK(now <= platform->clock().now());
  CHECK(platform->random().next() != platform->random().next());
  CHECK(*platform->disk().exists("/"));
  platform->metrics().counter("troupe_tests_total", "tests").add();
  CHECK(platform->metrics().text().find("troupe_tests_total 1") != std::string::npos);
  CHECK(platform->log().enabled(LogLevel::error));
  CHECK(platform->network().listen({"127.0.0.1", 0}, [](auto) { return nullptr; }));
}

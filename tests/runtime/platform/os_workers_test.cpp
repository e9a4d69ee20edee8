#include "runtime/platform/os/os_workers.hpp"

#include <doctest/doctest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include "tests/runtime/platform/event.hpp"

using namespace troupe;
using namespace troupe::runtime;
using troupe::tests::Event;

namespace {

std::unique_ptr<Workers> make(std::size_t pool_threads = 2) {
  return make_os_workers({pool_threads, 5, [](const Error& error) {
                            std::fprintf(stderr, "%s\n", error.describe().c_str());
                            std::abort();
                          }});
}

// Runs `body` in a process of its own and returns what waitpid() says of it.
int status_of_child(const std::function<void()>& body) {
  std::fflush(stdout);  // or the child would print it again
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    (void)!std::freopen("/dev/null", "w", stderr);
    ::signal(SIGABRT, SIG_DFL);  // doctest's handler would report a failure of ours
    body();
    std::_Exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

bool aborted(int status) {
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

}  // namespace

TEST_CASE("jobs of a queue run one at a time and in order") {
  for (const auto kind : {Workers::Kind::dedicated, Workers::Kind::pooled}) {
    auto workers = make(3);
    std::vector<int> order;  // not guarded: the queue is what serialises
    {
      auto queue = workers->queue("ordered", kind);
      for (int i = 0; i < 10'000; ++i) queue->post([&order, i] { order.push_back(i); });
    }
    REQUIRE(order.size() == 10'000);
    for (int i = 0; i < 10'000; ++i) REQUIRE(order[i] == i);
  }
}

TEST_CASE("posts from many threads keep the order of each") {
  for (const auto kind : {Workers::Kind::dedicated, Workers::Kind::pooled}) {
    auto workers = make();
    constexpr int threads = 8;
    constexpr int jobs = 2'000;
    std::vector<std::vector<int>> seen(threads);
    {
      auto queue = workers->queue("shared", kind);
      std::vector<std::thread> posters;
      for (int t = 0; t < threads; ++t)
        posters.emplace_back([&, t] {
          for (int i = 0; i < jobs; ++i) queue->post([&seen, t, i] { seen[t].push_back(i); });
        });
      for (auto& poster : posters) poster.join();
    }
    for (const auto& numbers : seen) {
      REQUIRE(numbers.size() == jobs);
      for (int i = 0; i < jobs; ++i) REQUIRE(numbers[i] == i);
    }
  }
}

TEST_CASE("destruction finishes what was posted, also by a job that then ran") {
  for (const auto kind : {Workers::Kind::dedicated, Workers::Kind::pooled}) {
    auto workers = make(1);
    std::atomic<int> ran = 0;
    Event<> gate;
    {
      auto queue = workers->queue("draining", kind);
      queue->post([&gate] { gate.wait(); });
      for (int i = 0; i < 100; ++i)
        queue->post([&ran, &queue = *queue] { queue.post([&ran] { ++ran; }); });
      gate.set();
    }
    CHECK(ran == 100);
  }
}

TEST_CASE("pooled queues run beside each other on different threads") {
  auto workers = make(2);
  Event<> from_left, from_right;
  auto left = workers->queue("left", Workers::Kind::pooled);
  auto right = workers->queue("right", Workers::Kind::pooled);
  // Each job waits for the other: one thread alone would never end.
  left->post([&] {
    from_left.set();
    from_right.wait();
  });
  right->post([&] {
    from_right.set();
    from_left.wait();
  });
}

TEST_CASE("a busy pooled queue does not starve the others of a single thread") {
  auto workers = make(1);
  std::atomic<bool> other_ran = false;
  auto busy = workers->queue("busy", Workers::Kind::pooled);
  auto other = workers->queue("other", Workers::Kind::pooled);
  // Posts itself again until the other queue had its turn.
  std::function<void()> again = [&] {
    if (!other_ran) busy->post(again);
  };
  busy->post(again);
  other->post([&] { other_ran = true; });
  other.reset();
  CHECK(other_ran);
  busy.reset();
}

TEST_CASE("a job's captures are released before the next job runs") {
  auto workers = make();
  Event<bool> released;
  Event<> gate;
  auto queue = workers->queue("releasing", Workers::Kind::dedicated);
  auto held = std::make_shared<int>(1);
  std::weak_ptr<int> seen = held;
  queue->post([&gate] { gate.wait(); });  // so that the two others are taken in one go
  queue->post([held] {});
  held.reset();
  queue->post([&] { released.set(seen.expired()); });
  gate.set();
  CHECK(released.wait());
}

TEST_CASE("threads have names, and those of the pool a lower priority") {
  auto workers = make();
  const auto look = [](WorkQueue& queue) {
    Event<std::pair<std::string, int>> found;
    queue.post([&] {
      char name[16] = {};
      ::pthread_getname_np(::pthread_self(), name, sizeof(name));
      found.set({name, ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()))});
    });
    return found.wait();
  };
  const int own = ::getpriority(PRIO_PROCESS, 0);
  const auto dedicated = look(*workers->queue("a name longer than fits", Workers::Kind::dedicated));
  CHECK(dedicated.first == "a name longer t");
  CHECK(dedicated.second == own);
  const auto pooled = look(*workers->queue("rows", Workers::Kind::pooled));
  CHECK(pooled.first.starts_with("pool-"));
  CHECK(pooled.second == std::min(own + 5, 19));
}

TEST_CASE("a worker that has slept wakes for the next job") {
  for (const auto kind : {Workers::Kind::dedicated, Workers::Kind::pooled}) {
    auto workers = make();
    auto queue = workers->queue("waking", kind);
    for (int i = 0; i < 2'000; ++i) {
      Event<> done;
      queue->post([&] { done.set(); });
      done.wait();
    }
  }
}

TEST_CASE("a job that throws is reported with the queue's name") {
  const int status = status_of_child([] {
    auto workers = make_os_workers({1, 0, [](const Error& error) {
                                      const bool told =
                                          error.reason == "WORKER_JOB_FAILED" &&
                                          error.message.find("'rows'") != std::string::npos &&
                                          error.message.find("boom") != std::string::npos;
                                      std::_Exit(told ? 42 : 1);
                                    }});
    auto queue = workers->queue("rows", Workers::Kind::pooled);
    queue->post([] { throw std::runtime_error{"boom"}; });
    queue.reset();
  });
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 42);
}

TEST_CASE("misuse ends the process instead of hanging it") {
  for (const auto kind : {Workers::Kind::dedicated, Workers::Kind::pooled}) {
    CHECK(aborted(status_of_child([kind] {
      auto workers = make();
      auto queue = workers->queue("own", kind);
      Event<> never;
      queue->post([&] { queue.reset(); });
      never.wait();
    })));
  }
  CHECK(aborted(status_of_child([] {
    auto workers = make();
    auto queue = workers->queue("late", Workers::Kind::pooled);
    workers.reset();
  })));
}

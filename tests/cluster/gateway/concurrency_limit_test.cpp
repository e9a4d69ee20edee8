// The limit before a modelled service: calls come evenly, are worked off one after the other, and
// time is only counted.
#include "cluster/gateway/concurrency_limit.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <vector>

namespace troupe::cluster {
namespace {

using namespace std::chrono_literals;

struct Outcome {
  double goodput = 0;  // answers a second
  double refused = 0;  // of those that came
  Duration p99{};
  Duration worst{};
};

class Model {
 public:
  explicit Model(const config::Admission& settings) : limit{settings} {}

  // Calls come at `rate` a second for `time`; the service takes `each` per call, after `delay`
  // that it spends on all of them at once.
  Outcome run(double rate, Duration time, Duration each, Duration delay = 0ns) {
    Outcome outcome;
    const auto gap = Duration{static_cast<std::int64_t>(1e9 / rate)};
    std::vector<Duration> took;
    std::int64_t came = 0, refused = 0;
    const MonotonicTime begin = now_;
    for (MonotonicTime next = now_; next < begin + time; next += gap) {
      work(next, each, delay, took);
      ++came;
      ConcurrencyLimit::Begun begun;
      if (limit.begin(next, begun)) {
        waiting_.push_back(begun);
      } else {
        ++refused;
      }
      now_ = next;
    }
    now_ = begin + time;
    work(now_, each, delay, took);
    REQUIRE_FALSE(took.empty());
    std::ranges::sort(took);
    outcome.goodput =
        static_cast<double>(took.size()) / std::chrono::duration<double>(time).count();
    outcome.refused = static_cast<double>(refused) / static_cast<double>(came);
    outcome.p99 = took[took.size() * 99 / 100];
    outcome.worst = took.back();
    return outcome;
  }

  // Nothing is answered for so long.
  void stall(Duration time) { free_at_ = std::max(free_at_, now_) + time; }

  ConcurrencyLimit limit;

 private:
  void work(MonotonicTime until, Duration each, Duration delay, std::vector<Duration>& took) {
    while (!waiting_.empty()) {
      const auto begun = waiting_.front();
      const MonotonicTime done = std::max(free_at_, begun.at) + each;
      if (done + delay > until) return;
      free_at_ = done;
      waiting_.pop_front();
      took.push_back(done + delay - begun.at);
      limit.end(begun, done + delay, ConcurrencyLimit::End::answered);
    }
  }

  MonotonicTime now_{1h};
  MonotonicTime free_at_{};
  std::deque<ConcurrencyLimit::Begun> waiting_;
};

}  // namespace

TEST_CASE("what a service can do is not refused") {
  Model model{{}};
  const Outcome calm = model.run(9'000, 10s, 100us);
  CHECK(calm.refused == 0);
  // A thousand calls that are all answered within the time are as fine as ten.
  const Outcome together = model.run(40'000, 10s, 20us, 40ms);
  CHECK(together.refused == 0);
  CHECK(model.limit.limit() == config::Admission{}.in_flight_max);
}

TEST_CASE("at ten times what a service can do it goes on doing that, in time") {
  Model model{{}};
  const Outcome first = model.run(20'000, 2s, 500us);
  CHECK(first.goodput > 1'980);
  CHECK(first.worst < 1200ms);  // what came before the limit fell
  model.run(20'000, 1s, 500us);
  const Outcome then = model.run(20'000, 120s, 500us);
  CHECK(then.goodput > 1'980);
  CHECK(then.refused == doctest::Approx(0.9).epsilon(0.01));
  CHECK(then.p99 < 70ms);
  CHECK(then.worst < 100ms);
}

TEST_CASE("the limit follows a service that becomes slower, and faster") {
  Model model{{}};
  model.run(40'000, 3s, 250us);
  model.run(40'000, 2s, 1ms);
  const Outcome slow = model.run(40'000, 3s, 1ms);
  CHECK(slow.goodput > 990);
  CHECK(slow.p99 < 80ms);
  model.run(40'000, 3s, 125us);
  const Outcome fast = model.run(40'000, 3s, 125us);
  CHECK(fast.goodput > 7'900);
  CHECK(fast.p99 < 70ms);
}

TEST_CASE("after an overload everything is let in again") {
  Model model{{}};
  model.run(50'000, 3s, 200us);
  CHECK(model.limit.limit() < 400);
  model.run(4'500, 5s, 200us);
  CHECK(model.run(4'500, 5s, 200us).refused == 0);
  CHECK(model.limit.limit() == config::Admission{}.in_flight_max);
}

TEST_CASE("after a pause of the service its backlog is worked off, and all are let in again") {
  Model model{{}};
  for (int i = 0; i < 5; ++i) {
    CHECK(model.run(5'000, 2s, 100us).refused == 0);
    model.stall(400ms);
    const Outcome after = model.run(5'000, 1s, 100us);
    CHECK(after.refused < 0.15);
    CHECK(after.goodput > 4'300);
  }
}

TEST_CASE("a pause that few calls meet refuses none") {
  Model model{{}};
  for (int i = 0; i < 5; ++i) {
    CHECK(model.run(1'000, 2s, 100us).refused == 0);
    model.stall(400ms);
  }
  CHECK(model.run(1'000, 2s, 100us).refused == 0);
}

TEST_CASE("a slow call among fast ones changes nothing") {
  ConcurrencyLimit limit{{}};
  MonotonicTime now{1h};
  for (int i = 0; i < 10'000; ++i) {
    ConcurrencyLimit::Begun begun;
    REQUIRE(limit.begin(now, begun));
    now += 1ms;
    if (i % 3 == 0) begun.at -= 9s;
    limit.end(begun, now, ConcurrencyLimit::End::answered);
  }
  CHECK(limit.limit() == config::Admission{}.in_flight_max);
}

TEST_CASE("a service that is slow by itself is not taken for one that has too much to do") {
  Model model{{}};
  // A fifth of a second each, any number at once.
  CHECK(model.run(100, 20s, 1us, 200ms).refused == 0);
  CHECK(model.run(1'000, 20s, 1us, 200ms).refused == 0);
  CHECK(model.limit.limit() > 1'000);
}

TEST_CASE("the floor is let in however long it takes, and the ceiling never passed") {
  Model model{{true, 10ms, 5, 50}};
  model.run(1'000, 20s, 100ms);
  CHECK(model.limit.limit() == 5);
  CHECK(model.run(1'000, 20s, 100ms).goodput > 9.9);
  Model wide{{false, 10ms, 5, 50}};
  wide.run(1'000, 5s, 100ms);
  CHECK(wide.limit.limit() == 50);
  CHECK(wide.limit.in_flight() >= 49);
}

TEST_CASE("refusals further in count as answers that took too long") {
  ConcurrencyLimit limit{{true, 50ms, 4, 1'000}};
  MonotonicTime now{1h};
  for (int i = 0; i < 1'000; ++i) {
    ConcurrencyLimit::Begun begun;
    REQUIRE(limit.begin(now, begun));
    now += 1ms;
    limit.end(begun, now, ConcurrencyLimit::End::refused);
  }
  CHECK(limit.limit() == 4);
}

TEST_CASE("new settings of a limit hold at once") {
  Model model{{}};
  model.run(10'000, 2s, 1ms);
  model.limit.configure({true, 50ms, 2, 7});
  CHECK(model.limit.limit() == 7);
  model.limit.configure({false, 50ms, 2, 9});
  CHECK(model.limit.limit() == 9);
}

}  // namespace troupe::cluster

#include "cluster/gateway/http/refusal_pace.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <queue>
#include <vector>

namespace troupe::cluster {
namespace {

using namespace std::chrono_literals;

// Clients that send again as soon as they have an answer, which takes a millisecond, and as soon as
// they are read. How many refusals they get a second.
double refusals_a_second(RefusalPace& pace, MonotonicTime& now, int clients, Duration time) {
  std::priority_queue<MonotonicTime, std::vector<MonotonicTime>, std::greater<>> next;
  for (int i = 0; i < clients; ++i) next.push(now + i * 1us);
  const MonotonicTime end = now + time;
  int refusals = 0;
  for (; next.top() < end; ++refusals) {
    now = next.top();
    next.pop();
    next.push(now + 1ms + pace.refused(now));
  }
  return refusals / std::chrono::duration<double>(time).count();
}

}  // namespace

TEST_CASE("few refusals hold nobody back, many are kept near their bound") {
  RefusalPace pace{10'000};
  MonotonicTime now{1h};
  CHECK(refusals_a_second(pace, now, 9, 2s) == doctest::Approx(9'000).epsilon(0.01));
  CHECK(pace.refused(now) == 0s);
  refusals_a_second(pace, now, 1'000, 2s);
  const double rate = refusals_a_second(pace, now, 1'000, 10s);
  CHECK(rate > 5'000);
  CHECK(rate < 15'000);
  // Nobody waits longer than the second after which it was told to come back.
  refusals_a_second(pace, now, 50'000, 3s);
  CHECK(pace.refused(now) == 1s);
  // And nobody at all soon after.
  refusals_a_second(pace, now, 1, 5s);
  CHECK(pace.refused(now) == 0s);
}

}  // namespace troupe::cluster

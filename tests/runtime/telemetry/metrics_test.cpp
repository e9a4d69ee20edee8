#include "runtime/telemetry/metrics.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <thread>

using namespace troupe::runtime;

TEST_CASE("a metric is found again by name and labels") {
  auto metrics = Metrics::make();
  auto& a = metrics->counter("troupe_commands_total", "commands", {{"service", "a"}});
  auto& b = metrics->counter("troupe_commands_total", "commands", {{"service", "b"}});
  a.add();
  a.add(2.5);
  CHECK(&a == &metrics->counter("troupe_commands_total", "commands", {{"service", "a"}}));
  CHECK(&a != &b);
  CHECK(a.value() == 3.5);
  CHECK(b.value() == 0);
  auto& gauge = metrics->gauge("troupe_shards", "shards");
  gauge.set(4);
  gauge.set(3);
  CHECK(metrics->gauge("troupe_shards", "shards").value() == 3);
  gauge.add(-2);
  CHECK(gauge.value() == 1);
}

TEST_CASE("the text is the exposition format in one order") {
  auto metrics = Metrics::make();
  metrics->gauge("troupe_z", "last").set(0.5);
  metrics->counter("troupe_commands_total", "Commands \\ that\nran", {{"s", "b"}}).add(2);
  metrics->counter("troupe_commands_total", "", {{"s", "a\"\\\n"}}).add();
  auto& histogram = metrics->histogram("troupe_seconds", "time", {{"s", "a"}}, {0.1, 1});
  for (const double value : {0.05, 0.1, 0.5, 3.0}) histogram.observe(value);
  CHECK(metrics->text() ==
        R"(# HELP troupe_commands_total Commands \\ that\nran
# TYPE troupe_commands_total counter
troupe_commands_total{s="a\"\\\n"} 1
troupe_commands_total{s="b"} 2
# HELP troupe_seconds time
# TYPE troupe_seconds histogram
troupe_seconds_count{s="a"} 4
troupe_seconds_sum{s="a"} 3.65
troupe_seconds_bucket{s="a",le="0.1"} 2
troupe_seconds_bucket{s="a",le="1"} 3
troupe_seconds_bucket{s="a",le="+Inf"} 4
# HELP troupe_z last
# TYPE troupe_z gauge
troupe_z 0.5
)");
}

TEST_CASE("a counter and a gauge of one name, wrong names and bounds are bugs that are named") {
  auto metrics = Metrics::make();
  metrics->counter("troupe_a", "a");
  CHECK_THROWS_AS(metrics->gauge("troupe_a", "a"), std::invalid_argument);
  CHECK_THROWS_AS(metrics->counter("troupe-b", "b"), std::invalid_argument);
  CHECK_THROWS_AS(metrics->counter("troupe_b", "b", {{"__x", "y"}}), std::invalid_argument);
  CHECK_THROWS_AS(metrics->histogram("troupe_c", "c", {}, {2, 1}), std::invalid_argument);
  CHECK_THROWS_AS(metrics->histogram("troupe_c", "c", {}, {1, 1}), std::invalid_argument);
}

TEST_CASE("threads may add, ask and serve at the same time, and nothing is lost") {
  auto metrics = Metrics::make();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5'000; ++i) {
        metrics->counter("troupe_c_total", "c").add();
        metrics->histogram("troupe_h", "h", {{"t", std::to_string(t)}}, {1}).observe(i % 2 * 2);
        if (i % 1'000 == 0) CHECK(metrics->text().find("troupe_c_total") != std::string::npos);
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(metrics->counter("troupe_c_total", "c").value() == 20'000);
  CHECK(metrics->text().find("troupe_h_bucket{t=\"3\",le=\"1\"} 2500\n") != std::string::npos);
}

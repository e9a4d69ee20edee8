// What the advisor makes of a day, and of single reports.
#include "cluster/directory/advice.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <vector>

#include "simulations/world/random.hpp"

namespace troupe::cluster::tests {
namespace {

using namespace std::chrono_literals;
using simulations::Domain;
using simulations::RandomStream;

LoadReport report_of(double cores, std::uint32_t nodes, std::uint32_t zones = 0) {
  LoadReport report;
  report.nodes = nodes;
  report.zones = zones;
  report.cores_per_node = 4;
  report.services["a.v1.A"] = {cores, 1000, 1 << 20, 4, 3};
  return report;
}

Advice advice_for(const LoadReport& report, AdviceOptions options = {}) {
  options.margin = 0;
  Advisor advisor{options};
  advisor.observe(report);
  return advisor.advice();
}

// Busy cores over a day: low at night, noise, and bursts of ten minutes.
class Day {
 public:
  explicit Day(std::uint64_t seed) : random_(seed, Domain::scenario, 0, 0) {
    low_ = static_cast<double>(random_.between(2, 6));
    high_ = low_ * static_cast<double>(random_.between(3, 8));
    for (int i = 0; i < 3; ++i) bursts_.push_back(static_cast<int>(random_.between(0, 1439)));
  }
  double cores(int minute) {
    const double turn = 2 * 3.14159265358979 * minute / 1440;
    const double curve = low_ + (high_ - low_) * (1 - std::cos(turn)) / 2;
    const double noise = static_cast<double>(random_.between(950, 1050)) / 1000;
    const bool burst = std::ranges::any_of(
        bursts_, [&](int begin) { return minute >= begin && minute < begin + 10; });
    return curve * noise * (burst ? 1.3 : 1);
  }
  double mean() const { return (low_ + high_) / 2; }

 private:
  RandomStream random_;
  double low_ = 0;
  double high_ = 0;
  std::vector<int> bursts_;
};

}  // namespace

TEST_CASE("nodes are enough as things are, after the loss of a node, and of a zone") {
  const auto nodes = [](double cores, std::uint32_t zones) {
    return advice_for(report_of(cores, 12, zones)).nodes;
  };
  CHECK(nodes(0.1, 0) == 3);   // replicas
  CHECK(nodes(24, 0) == 10);   // 24 / (0.6 * 4)
  CHECK(nodes(10.8, 0) == 5);  // 10.8 / 2.4 = 4.5; 10.8 / 3.6 + 1 = 4
  CHECK(nodes(7.2, 0) == 3);   // both
  CHECK(nodes(36, 3) == 15);   // 36 / 3.6 * 3 / 2 = 15, 36 / 2.4 = 15
  CHECK(nodes(36, 2) == 20);   // half is left
  CHECK(advice_for(report_of(36, 12, 2)).reason == "utilisation after the loss of a zone");
  CHECK(advice_for(report_of(36, 12), {.failures = 0}).nodes == 15);
  CHECK(advice_for(report_of(0.1, 1), {.failures = 0}).nodes == 3);  // of its factor
  CHECK(advice_for(report_of(0.1, 1), {.failures = 2}).nodes == 5);
}

TEST_CASE("shards are doubled until each node can lead one, and never fewer than there are") {
  LoadReport report = report_of(24, 12);
  CHECK(advice_for(report).services.at("a.v1.A").shards == 64);  // 40 cores
  report.services["a.v1.A"].shards = 512;
  CHECK(advice_for(report).services.at("a.v1.A").shards == 512);
  report = report_of(0.1, 3);
  CHECK(advice_for(report).services.at("a.v1.A").shards == 4);
  CHECK(advice_for(report).services.at("a.v1.A").replicas == 3);
  report.services["a.v1.A"].factor = 5;
  CHECK(advice_for(report).services.at("a.v1.A").replicas == 5);
}

TEST_CASE("an advice rises at the next report and falls after the time that it is held") {
  Advisor advisor{{}};
  LoadReport report = report_of(10, 5);
  advisor.observe(report);
  const std::uint32_t before = advisor.advice().nodes;
  report.at += 1min;
  report.services["a.v1.A"].cores = 40;
  advisor.observe(report);
  const std::uint32_t peak = advisor.advice().nodes;
  CHECK(peak >= 17);
  report.services["a.v1.A"].cores = 10;
  for (int minute = 0; minute < 30; ++minute) {
    report.at += 1min;
    advisor.observe(report);
    CHECK(advisor.advice().nodes == peak);
  }
  report.at += 1min;
  advisor.observe(report);
  CHECK(advisor.advice().nodes == before);
}

TEST_CASE("costs are shared out by what was used") {
  Advisor advisor{{}};
  LoadReport report = report_of(3, 4);
  report.services["a.v1.B"] = {1, 10, 2 << 20, 4, 3};
  for (int minute = 0; minute <= 60; ++minute) {
    advisor.observe(report);
    report.at += 1min;
  }
  const auto& costs = advisor.advice().costs;
  CHECK(costs.at("a.v1.A").node_hours == doctest::Approx(3));
  CHECK(costs.at("a.v1.B").node_hours == doctest::Approx(1));
  CHECK(costs.at("a.v1.A").core_hours == doctest::Approx(3));
  CHECK(costs.at("a.v1.B").cpu_share == doctest::Approx(0.25));
  CHECK(costs.at("a.v1.B").bytes == 2 << 20);
  report.services.erase("a.v1.A");
  advisor.observe(report);
  CHECK(advisor.advice().costs.size() == 1);
  CHECK(advisor.advice().services.size() == 1);
}

TEST_CASE("over a day nodes that follow the advice are enough, not many more, and change rarely") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Day day{seed};
    Advisor advisor{{}};
    LoadReport report = report_of(day.cores(0), 3);
    int changes = 0;
    int unsafe = 0;  // minutes in which the loss of a node would be felt
    int over = 0;    // minutes above the utilisation that is aimed at
    double nodes_sum = 0;
    std::uint32_t advised = 0;
    std::deque<std::uint32_t> ordered;  // a new node takes three minutes
    for (int minute = 0; minute < 1440; ++minute) {
      const double cores = day.cores(minute);
      report.services["a.v1.A"].cores = cores;
      report.at += 1min;
      advisor.observe(report);
      const std::uint32_t nodes = advisor.advice().nodes;
      if (minute > 0) changes += nodes != advised;
      advised = nodes;
      ordered.push_back(nodes);
      if (ordered.size() > 3) ordered.pop_front();
      // What is too much goes at once.
      report.nodes = minute < 3 ? nodes : std::min(ordered.front(), nodes);
      nodes_sum += report.nodes;
      const double capacity = report.nodes * report.cores_per_node;
      over += cores > capacity * 0.6;
      CHECK(cores <= capacity * 0.9);
      unsafe += cores > capacity - report.cores_per_node;
    }
    CHECK(over <= 30);
    CHECK(unsafe <= 12);  // three bursts, until nodes are there
    CHECK(changes <= 30);
    CHECK(nodes_sum / 1440 <= 1.6 * day.mean() / (0.6 * report.cores_per_node) + 1);
  }
}

}  // namespace troupe::cluster::tests

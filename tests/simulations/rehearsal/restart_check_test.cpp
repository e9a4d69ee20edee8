#include "simulations/rehearsal/restart_check.hpp"

#include <doctest/doctest.h>

#include "actors/supervision.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

// One node with one service of two shards, whose supervisor restarts once in 5 seconds.
config::Manifest one_restart() {
  config::Manifest manifest;
  manifest.service_defaults.shards = 2;
  manifest.service_defaults.restart.intensity = 1;
  manifest.nodes.emplace_back().services.emplace({std::string{"a.v1.S"}});
  return manifest;
}

// What the service's supervisor, its context's and the root let pass, and both shards once more.
std::uint64_t allowed() {
  const actors::SupervisorSpec above;
  return std::uint64_t{above.intensity + 1} * (above.intensity + 1) * 2 + 2;
}

TEST_CASE("shards that fail more often than supervisors allow, while no node ends, are told") {
  RestartCheck check{one_restart()};
  CHECK_FALSE(check.look(0s, 1, 0));
  CHECK_FALSE(check.look(1s, 1, allowed()));
  const auto wrong = check.look(1100ms, 1, allowed() + 1);
  REQUIRE(wrong);
  CHECK(wrong->find("shards failed " + std::to_string(allowed() + 1) + " times") !=
        std::string::npos);
}

TEST_CASE("failures before a node ended, or longer ago than supervisors look, do not count") {
  RestartCheck ended{one_restart()};
  CHECK_FALSE(ended.look(0s, 1, 0));
  CHECK_FALSE(ended.look(1s, 1, allowed()));
  CHECK_FALSE(ended.look(2s, 2, allowed() + 5));
  CHECK_FALSE(ended.look(3s, 2, 2 * allowed() + 5));
  CHECK(ended.look(4s, 2, 2 * allowed() + 6));

  RestartCheck slow{one_restart()};
  for (int i = 0; i < 10; ++i)
    CHECK_FALSE(slow.look(i * 5s, 1, static_cast<std::uint64_t>(i) * allowed()));
}

}  // namespace
}  // namespace troupe::simulations

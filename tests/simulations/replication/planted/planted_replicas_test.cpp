// Every planted bug in the use of consensus is found by what the replicas' tests check.
#include <doctest/doctest.h>

#include "runtime/rehearsal/planted.hpp"
#include "simulations/planted/planted.hpp"
#include "tests/simulations/replication/stage.hpp"

using namespace troupe;
using namespace troupe::simulations;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("planted bugs of replication");

namespace {

void unplant() {
  for (auto* bug = runtime::PlantedBug::newest(); bug != nullptr; bug = bug->next())
    bug->switch_off();
}

// Some of them need a disk that is lost, and a node that comes back without its past.
void lose_a_disk(Stage& stage) {
  const int victim = static_cast<int>(stage.any(stage.machines.size()));
  stage.world.crash(*stage.machines[victim]);
  stage.world.lose_disk(*stage.machines[victim]);
  stage.checks.forgive(stage.machines[victim]->name());
  stage.set.may_create = false;
}

// The first seed that finds it; 0: none of them.
std::uint64_t hunt(const std::string& bug, std::uint64_t seeds, std::string& found) {
  REQUIRE(plant(bug));
  std::uint64_t finder = 0;
  for (std::uint64_t seed = 1; seed <= seeds && finder == 0; ++seed) {
    Stage stage(seed, 3);
    stage.add_clients(5, 3);
    stage.storm(seed);
    if (bug == "raft_id_reused") {
      lose_a_disk(stage);
      stage.storm(seed);
    }
    found = stage.verdict();
    if (!found.empty()) finder = seed;
  }
  unplant();
  return finder;
}

}  // namespace

// Two are not found by what they do: read_without_confirming and vote_forgotten
// (docs/simulation.md).
TEST_CASE("planted bugs of replication are found") {
  for (const std::string bug : {"answer_before_commit", "durable_before_sync", "log_cut_at_commit",
                                "serve_before_own_entry", "ship_wrong_file",
                                "truncated_append_durable", "raft_id_reused"}) {
    CAPTURE(bug);
    std::string found;
    const std::uint64_t seed = hunt(bug, 1000, found);
    MESSAGE(bug, ": seed ", seed, ": ", found);
    CHECK(seed != 0);
  }
}

TEST_SUITE_END();

// Every planted bug in the use of consensus is found by what the replicas' tests check, and by
// nothing else: the same seed passes without it.
//
// TROUPE_TEST_BUG, TROUPE_TEST_FIRST_SEED and TROUPE_TEST_LAST_SEED choose one bug and other seeds;
// tests/simulations/planted_table.py makes a table of what is printed.
#include <doctest/doctest.h>

#include <cstdlib>

#include "runtime/rehearsal/planted.hpp"
#include "simulations/planted/planted.hpp"
#include "tests/seeds.hpp"
#include "tests/simulations/replication/storm.hpp"

using namespace troupe;
using namespace troupe::simulations;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("planted bugs of replication");

namespace {

void unplant() {
  for (auto* bug = runtime::PlantedBug::newest(); bug != nullptr; bug = bug->next())
    bug->switch_off();
}

// What is wrong with this seed; empty: nothing.
std::string try_out(const std::string& bug, std::uint64_t seed) {
  const bool disk_is_lost = bug == "raft_id_reused";
  const bool moves = bug == "old_voter_forgotten" || bug == "replica_leaves_early";
  Stage stage(seed, 3, moves ? 2 : 0);
  stage.add_clients(5, 3);
  if (moves) {
    Storm(stage).move_about();
    return stage.verdict();
  }
  Storm(stage).blow(seed);
  if (disk_is_lost) {
    // Only what has a majority elsewhere may be lost.
    if (!stage.settle()) return stage.failure;
    stage.lose_disk(static_cast<int>(stage.any(3)));
    Storm(stage).blow(seed);
  }
  return stage.verdict();
}

}  // namespace

TEST_CASE("planted bugs of replication are found") {
  for (const std::string bug : {"answer_before_commit", "durable_before_sync", "log_cut_at_commit",
                                "old_voter_forgotten", "raft_id_reused", "read_without_confirming",
                                "replica_leaves_early", "serve_before_own_entry", "ship_wrong_file",
                                "truncated_append_durable", "vote_forgotten"}) {
    const char* const chosen = std::getenv("TROUPE_TEST_BUG");
    if (chosen != nullptr && bug != chosen) continue;
    CAPTURE(bug);
    const std::uint64_t first = tests::seed_from("TROUPE_TEST_FIRST_SEED", 1);
    const std::uint64_t last = tests::seed_from("TROUPE_TEST_LAST_SEED", 1000);
    std::string found;
    std::uint64_t seed = first;
    REQUIRE(plant(bug));
    for (; seed <= last; ++seed) {
      found = try_out(bug, seed);
      if (!found.empty()) break;
    }
    unplant();
    MESSAGE(bug, ": seed ", seed, ": ", found);
    CHECK(found != "");
    if (!found.empty()) CHECK(try_out(bug, seed) == "");
  }
}

TEST_SUITE_END();

// The node that runs in production, object code and all, in a world.
#include <doctest/doctest.h>

#include <set>
#include <sstream>

#include "tests/seeds.hpp"
#include "tests/simulations/node/simulated_node.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

bool ready(Machine& machine) {
  return machine.up() && dynamic_cast<BankNode&>(*machine.process()).ready();
}

// A node under a client that repeats every command under its key until it gets an answer.
class Rehearsal {
 public:
  explicit Rehearsal(std::uint64_t seed, const Schedule& schedule = {})
      : world{{.seed = seed, .schedule = schedule}},
        machine(world.add("n1", BankNode::start())),
        random_(world.random()) {}

  World world;
  Machine& machine;
  int crashes = 0;
  bool power_cuts = true;

  // Until it is ready, through as many power cuts as it takes.
  void bring_up() {
    for (int tries = 0; !ready(machine); ++tries) {
      REQUIRE(tries < 200);
      world.run_for(1ms);  // lets a crash happen that is on its way
      world.crash(machine);
      explain_crash();
      auto& power = machine.hardware.disk_faults.power_cut_after;
      power.reset();
      if (power_cuts && random_.between(0, 2) != 0)
        power = random_.between(0, 1) != 0 ? random_.between(0, 60) : random_.between(0, 1500);
      const auto started = world.start(machine);
      if (!started) {
        REQUIRE(started.error().reason == "POWER_CUT");
        ++crashes;
        continue;
      }
      world.run_until([&] { return !machine.up() || ready(machine); }, 10s);
      REQUIRE((ready(machine) || !machine.up()));
    }
  }

  void command(const std::string& path, const std::string& key, const std::string& body) {
    for (int tries = 0;; ++tries) {
      REQUIRE(tries < 200);
      bring_up();
      const auto answer = post(world, path, key, body);
      if (answer.status == 200) return;
      CAPTURE(answer.body);
      REQUIRE((answer.status == 0 || answer.status == 503));
    }
  }

  void maybe_crash() {
    if (random_.between(0, 9) != 0 || !machine.up()) return;
    world.run_for(std::chrono::microseconds{random_.between(0, 5000)});
    world.crash(machine);
    ++crashes;
  }

 private:
  // The only thing that may bring the node down by itself.
  void explain_crash() {
    if (!machine.crashed()) return;
    std::ostringstream log;
    log << world.log();
    CAPTURE(log.str());
    REQUIRE(machine.crashed()->reason == "POWER_CUT");
    ++crashes;
  }

  RandomStream random_;
};

struct Outcome {
  std::uint64_t hash = 0;
  int crashes = 0;
  std::uint64_t checkpoints = 0;
  std::uint64_t cuts = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome torture(std::uint64_t seed, const Schedule& schedule = {}) {
  Rehearsal rehearsal{seed, schedule};
  const std::string accounts[] = {"/v1/accounts/ann", "/v1/accounts/bob"};
  for (const auto& account : accounts) rehearsal.command(account + ":open", "open", open_body);
  constexpr int deposits = 40;
  for (int i = 0; i < deposits; ++i) {
    rehearsal.command(accounts[i % 2] + ":deposit", "deposit-" + std::to_string(i), one_cent);
    rehearsal.maybe_crash();
  }
  rehearsal.power_cuts = false;
  rehearsal.world.crash(rehearsal.machine);
  rehearsal.bring_up();
  for (const auto& account : accounts) {
    const auto answer = get(rehearsal.world, account);
    CAPTURE(answer.body);
    REQUIRE(answer.status == 200);
    CHECK(answer.body.find("\"minorUnits\":\"20\"") != std::string::npos);
  }
  const auto& heard = rehearsal.world.checks().counts();
  CHECK(heard.leaderships > 0);
  CHECK(heard.committed > deposits);
  CHECK(heard.replies > deposits);
  CHECK(heard.recovered > 0);
  CHECK(heard.applied > 0);
  return {rehearsal.world.trace_hash(), rehearsal.crashes, heard.checkpoints, heard.cuts};
}

TEST_CASE("every acknowledged deposit is there once, whatever crashes, the same way on every run") {
  std::set<std::uint64_t> hashes;
  std::uint64_t all_hashes = 0;
  int crashes = 0;
  std::uint64_t checkpoints = 0;
  std::uint64_t cuts = 0;
  constexpr auto seeds = tests::seeds(60);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    const auto outcome = torture(seed);
    REQUIRE(outcome == torture(seed));
    hashes.insert(outcome.hash);
    all_hashes = all_hashes * 31 + outcome.hash;
    crashes += outcome.crashes;
    checkpoints += outcome.checkpoints;
    cuts += outcome.cuts;
  }
  MESSAGE("the same number in every build: ", all_hashes);
  CHECK(hashes.size() == seeds);
  CHECK(crashes > 3 * static_cast<int>(seeds));
  CHECK(checkpoints > seeds / 2);
  CHECK(cuts > seeds / 2);
}

TEST_CASE("a node whose disk is lost does not start again as if it had never run") {
  Rehearsal rehearsal{1};
  rehearsal.power_cuts = false;
  rehearsal.command("/v1/accounts/ann:open", "open", open_body);
  rehearsal.world.crash(rehearsal.machine);
  rehearsal.world.lose_disk(rehearsal.machine);
  const auto started = rehearsal.world.start(rehearsal.machine);
  REQUIRE_FALSE(started);
  CHECK(started.error().reason == "FOLDER_EMPTY");
}

TEST_CASE("so it is under every schedule of the actors, each of which is another run") {
  for (std::uint64_t seed = 1; seed <= tests::seeds(10); ++seed) {
    CAPTURE(seed);
    std::set<std::uint64_t> hashes;
    for (const auto strategy :
         {Strategy::fifo, Strategy::random, Strategy::priority, Strategy::starve}) {
      CAPTURE(name_of(strategy));
      const Schedule schedule{.strategy = strategy, .epoch_jobs = 20, .change_points = 3};
      const auto outcome = torture(seed, schedule);
      REQUIRE(outcome == torture(seed, schedule));
      hashes.insert(outcome.hash);
    }
    CHECK(hashes.size() == 4);
  }
}

TEST_CASE("a node stops in order, answers what it had accepted, and starts where it was") {
  Rehearsal rehearsal{1};
  rehearsal.power_cuts = false;
  rehearsal.command("/v1/accounts/ann:open", "open", open_body);
  rehearsal.command("/v1/accounts/ann:deposit", "deposit", one_cent);
  CHECK(rehearsal.world.stop(rehearsal.machine, 1min));
  CHECK_FALSE(rehearsal.machine.crashed());
  rehearsal.bring_up();
  rehearsal.command("/v1/accounts/ann:deposit", "deposit", one_cent);  // again: takes no effect
  const auto answer = get(rehearsal.world, "/v1/accounts/ann");
  CHECK(answer.body.find("\"minorUnits\":\"1\"") != std::string::npos);
  CHECK(get(rehearsal.world, "/v1/accounts/nobody").status == 404);
}

TEST_CASE("a full disk refuses deposits, serves reads, and takes them again when there is space") {
  Rehearsal rehearsal{1};
  rehearsal.power_cuts = false;
  rehearsal.command("/v1/accounts/ann:open", "open", open_body);
  auto& disk = rehearsal.machine.hardware.disk;
  disk.quota_bytes = disk.used_bytes();
  int accepted = 0;
  Answer refusal;
  for (int i = 0; i < 5000 && refusal.status == 0; ++i) {
    const auto answer =
        post(rehearsal.world, "/v1/accounts/ann:deposit", "deposit-" + std::to_string(i), one_cent);
    if (answer.status == 200) {
      ++accepted;
    } else {
      refusal = answer;
    }
  }
  CAPTURE(refusal.body);
  CHECK(refusal.body.find("DISK_FULL") != std::string::npos);
  CHECK(rehearsal.machine.up());
  const auto balance = [&](int cents) {
    const auto answer = get(rehearsal.world, "/v1/accounts/ann");
    CAPTURE(answer.body);
    CHECK(answer.body.find("\"minorUnits\":\"" + std::to_string(cents) + '"') != std::string::npos);
  };
  balance(accepted);
  disk.quota_bytes = UINT64_MAX;
  rehearsal.command("/v1/accounts/ann:deposit", "after", one_cent);
  balance(accepted + 1);
  rehearsal.world.crash(rehearsal.machine);
  rehearsal.bring_up();
  balance(accepted + 1);
}

}  // namespace
}  // namespace troupe::simulations

// Many seeds in worker processes, whatever becomes of those.
#include "simulations/campaign/campaign.hpp"

#include <csignal>

#include "simulations/campaign/answer.hpp"
#include "simulations/campaign/summary.hpp"
#include "toys.hpp"

namespace troupe::simulations {
namespace {

struct Collected {
  Campaign campaign;  // what the results point into
  std::vector<SeedResult> results;
  std::vector<CampaignProgress> progress;
  CampaignEnd end = CampaignEnd::all_done;
};

Collected collect(Campaign campaign) {
  Collected collected;
  collected.campaign = std::move(campaign);
  const Interruption interruption;
  collected.end = run_campaign(
      collected.campaign,
      {[&](SeedResult result) { collected.results.push_back(std::move(result)); },
       [&](const CampaignProgress& progress) { collected.progress.push_back(progress); }},
      interruption);
  return collected;
}

Campaign campaign_of(std::vector<std::string> names, std::uint64_t first, std::uint64_t seeds,
                     unsigned jobs = 2) {
  Campaign campaign;
  for (const auto& name : names) campaign.variations.push_back(varied(name));
  campaign.first = first;
  campaign.seeds = seeds;
  campaign.crew = toy_crew(jobs);
  return campaign;
}

// Everything that a campaign gives, as text.
std::string told(const Collected& collected) {
  std::string text;
  for (const auto& result : collected.results)
    text += result.variation->name + " " + to_bytes(result.outcome, true) + result.printed + "\n";
  return text;
}

}  // namespace

TEST_CASE("an outcome arrives from a worker as the run left it") {
  RunOptions options;
  options.seed = 17;
  Outcome outcome = run_toy(toy("ledger"), options);
  outcome.failure->what = "bytes \xff\x01";
  outcome.plan[0].node = "n\xfe";
  outcome.plan[0].at = -1ns;
  const auto answered = from_bytes(to_bytes(outcome, true));
  REQUIRE(answered);
  CHECK(answered->complete);
  const Outcome& there = answered->outcome;
  CHECK(there.seed == 17);
  CHECK(there.hash == outcome.hash);
  CHECK(there.events == outcome.events);
  CHECK(there.simulated == outcome.simulated);
  CHECK(there.draw == outcome.draw);
  CHECK(there.plan == outcome.plan);
  CHECK(there.injected == outcome.injected);
  CHECK(there.marks == outcome.marks);
  CHECK(there.commands == 10);
  CHECK(there.acknowledged == 7);
  CHECK(there.refused == 2);
  CHECK(there.unknown == 1);
  REQUIRE(there.failure);
  CHECK(there.failure->check == "model");
  CHECK(there.failure->what == outcome.failure->what);
  CHECK(there.failure->at == 6500ms);
  CHECK(there.log == outcome.log);
  CHECK(!from_bytes("nonsense"));
}

TEST_CASE("every seed of every simulation runs once, and they take turns") {
  const Collected collected = collect(campaign_of({"ledger", "calm"}, 15, 4));
  CHECK(collected.end == CampaignEnd::all_done);
  std::string order;
  for (const auto& result : collected.results)
    order +=
        result.variation->name + std::to_string(result.seed()) + (result.failed() ? "! " : " ");
  CHECK(order == "ledger15 calm15 ledger16 calm16 ledger17! calm17 ledger18 calm18 ");
  REQUIRE(!collected.progress.empty());
  const CampaignProgress& last = collected.progress.back();
  CHECK(last.done == 8);
  CHECK(last.all == 8);
  CHECK(last.failures == 1);
  CHECK(last.simulated == 160s);
}

TEST_CASE("a variation may have its own number of seeds and its own first one") {
  Campaign campaign = campaign_of({"calm", "stock"}, 100, 3);
  campaign.variations[1].seeds = 1;
  campaign.variations[1].first = 7;
  std::string order;
  const Collected collected = collect(campaign);
  for (const auto& result : collected.results)
    order += result.variation->name + std::to_string(result.seed()) + " ";
  CHECK(order == "calm100 stock7 calm101 calm102 ");
}

TEST_CASE("a campaign until a failure ends with the first seed that fails, whatever the jobs") {
  for (const unsigned jobs : {1u, 2u, 5u}) {
    Campaign campaign = campaign_of({"ledger"}, 15, 30, jobs);
    campaign.until_failure = true;
    const Collected collected = collect(campaign);
    CHECK(collected.end == CampaignEnd::all_done);
    REQUIRE(collected.results.size() == 3);
    CHECK(collected.results.back().seed() == 17);
    CHECK(collected.results.back().failed());
  }
  Campaign sound = campaign_of({"calm"}, 1, 5);
  sound.until_failure = true;
  CHECK(collect(sound).results.size() == 5);
}

TEST_CASE("results and their order do not depend on the number of jobs") {
  const auto names = {"ledger", "aborts", "fragile"};
  const std::string one = told(collect(campaign_of({names.begin(), names.end()}, 1, 12, 1)));
  CHECK(one == told(collect(campaign_of({names.begin(), names.end()}, 1, 12, 3))));
  CHECK(one.size() > 1000);
}

TEST_CASE("a process that dies makes its seed a failure with its last words, and others go on") {
  const Collected collected = collect(campaign_of({"aborts"}, 1, 6));
  REQUIRE(collected.results.size() == 6);
  for (const auto& result : collected.results) CHECK(result.failed() == (result.seed() == 3));
  const SeedResult& dead = collected.results[2];
  CHECK(dead.died);
  CHECK(dead.outcome.failure->check == "crash: SIGABRT");
  CHECK(dead.outcome.failure->what.find("invariant of seed 3 broke") != std::string::npos);
  CHECK(dead.printed.find("invariant of seed 3 broke") != std::string::npos);
  CHECK(dead.outcome.draw == "fifo, seed 3");
  CHECK(dead.outcome.plan == toy_plan(3));
  CHECK(dead.outcome.log ==
        "event 0 of aborts\nevent 1 of aborts\nevent 2 of aborts\n"
        "event 3 of aborts\nevent 4 of aborts\nevent 5 of aborts\n");
}

TEST_CASE("a second run that ends otherwise is told: something beside the seed decides") {
  Campaign campaign = campaign_of({"calm"}, 1, 1);
  campaign.crew.run = [](const Simulation& simulation, const RunOptions& options) {
    if (!options.trace) std::abort();  // the second run is traced
    return run_toy(simulation, options);
  };
  const Collected collected = collect(campaign);
  REQUIRE(collected.results.at(0).failed());
  CHECK(collected.results[0].outcome.failure->what.find("did not end like this (it passed)") !=
        std::string::npos);
}

TEST_CASE("an exception and a process that ends without an outcome are failures, too") {
  const Collected collected = collect(campaign_of({"throws", "exits"}, 1, 1));
  REQUIRE(collected.results.size() == 2);
  CHECK(collected.results[0].outcome.failure->check == "crash: exit status 1");
  CHECK(collected.results[0].printed == "exception: a toy threw\n");
  CHECK(collected.results[1].outcome.failure->check == "crash: no outcome");
}

TEST_CASE("a run that exceeds its limit is killed and fails, and others go on") {
  Campaign campaign = campaign_of({"hangs"}, 1, 4);
  campaign.crew.seed_limit = 300ms;
  const Collected collected = collect(campaign);
  REQUIRE(collected.results.size() == 4);
  for (const auto& result : collected.results) CHECK(result.failed() == (result.seed() == 2));
  const SeedResult& hung = collected.results[1];
  CHECK(hung.outcome.failure->check == "hang");
  CHECK(hung.outcome.failure->what ==
        "the run did not end within 300ms of real time and was killed");
  CHECK(hung.outcome.log.find("event 4 of hangs\n") != std::string::npos);
}

TEST_CASE("what a process prints is kept up to a bound, the newest of it") {
  Campaign campaign = campaign_of({"calm"}, 1, 1);
  campaign.crew.run = [](const Simulation&, const RunOptions&) -> Outcome {
    for (int i = 0; i < 20'000; ++i) std::fprintf(stderr, "line %d\n", i);
    std::abort();
  };
  const Collected collected = collect(campaign);
  const std::string& printed = collected.results.at(0).printed;
  CHECK(printed.size() <= 16384);
  CHECK(printed.find("line 19999\n") != std::string::npos);
  const std::string& what = collected.results[0].outcome.failure->what;
  CHECK(what.find("line 19999") != std::string::npos);
  CHECK(what.size() < 1000);
}

TEST_CASE("a large outcome comes through whole") {
  Campaign campaign = campaign_of({"calm"}, 1, 2);
  campaign.crew.run = [](const Simulation&, const RunOptions& options) {
    Outcome outcome;
    outcome.failure = Failure{"model", "", 0s};
    outcome.log.assign(5'000'000 + options.seed, 'x');
    return outcome;
  };
  const Collected collected = collect(campaign);
  REQUIRE(collected.results.size() == 2);
  CHECK(collected.results[1].outcome.log.size() == 5'000'002);
}

TEST_CASE("a campaign without a number of seeds ends when its time is up") {
  Campaign campaign = campaign_of({"calm"}, 1, 1);
  campaign.seeds.reset();
  campaign.time = 200ms;
  const Collected collected = collect(campaign);
  CHECK(collected.end == CampaignEnd::time_up);
  CHECK(collected.results.size() > 2);
  for (std::size_t i = 0; i < collected.results.size(); ++i)
    CHECK(collected.results[i].seed() == i + 1);
  CHECK(!collected.progress.back().all);
  CHECK(collected.progress.back().left == 0s);
}

TEST_CASE("a signal ends a campaign in good order, with the results so far") {
  Campaign campaign = campaign_of({"hangs"}, 1, 1000, 2);
  int done = 0;
  const Interruption interruption;
  const auto end = run_campaign(campaign,
                                {[&](const SeedResult&) { ++done; },
                                 [&](const CampaignProgress& progress) {
                                   if (progress.done > 0 && interruption.signal() == 0)
                                     std::raise(SIGTERM);
                                 }},
                                interruption);
  CHECK(end == CampaignEnd::interrupted);
  CHECK(interruption.signal() == SIGTERM);
  CHECK(done >= 1);
  CHECK(done < 1000);
}

TEST_CASE("a summary adds up, and lists marks that no seed reached") {
  const Collected collected = collect(campaign_of({"ledger", "calm"}, 6, 2));
  Summary summary{collected.campaign.variations, {"a toy ran", "never seen"}};
  for (const auto& result : collected.results) summary.add(result);
  CHECK(summary.seeds() == 4);
  CHECK(summary.failures() == 1);
  REQUIRE(summary.lines().size() == 2);
  CHECK(summary.lines()[0].name == "ledger");
  CHECK(summary.lines()[0].failures == 1);
  CHECK(summary.lines()[1].simulated == 40s);
  CHECK(summary.lines()[1].acknowledged == 14);
  CHECK(summary.injected().at("pause") == 24);
  CHECK(summary.marks() == std::map<std::string, std::uint64_t>{
                               {"a toy ran", 4}, {"an even seed", 4}, {"never seen", 0}});
}

TEST_CASE("fresh seeds differ and are short") {
  const std::uint64_t one = fresh_seed(), other = fresh_seed();
  CHECK(one != other);
  CHECK(one < 1'000'000'000'000);
}

}  // namespace troupe::simulations

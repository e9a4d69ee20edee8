#include "simulations/faults/draw.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

const std::vector<std::string> three{"n1", "n2", "n3"};

FaultMix everything() {
  return Faults::everything().with_services({"a.v1.S"});
}

// All but the one that is never drawn.
std::size_t drawn_kinds() {
  return fault_shapes().size() - 1;
}

TEST_CASE("everything has a range for every kind that is drawn, within the kind's bounds") {
  const auto mix = Faults::everything();
  for (const auto& shape : fault_shapes()) {
    if (shape.kind == FaultKind::gone) continue;
    CAPTURE(shape.name);
    REQUIRE(mix.kinds.contains(shape.kind));
    const auto& range = mix.kinds.at(shape.kind);
    CHECK(range.per_1000_s > 0);
    CHECK((range.lasts_max > Duration{0}) == shape.lasts);
    CHECK((range.amount_max > 0) == shape.amount);
    if (shape.amount) CHECK(range.amount_min >= shape.amount_min);
    if (shape.amount) CHECK(range.amount_max <= shape.amount_max);
  }
}

TEST_CASE("faults lie within their time and ranges, in order, as often as the rates say") {
  std::map<FaultKind, std::size_t> counts;
  const auto mix = everything();
  constexpr int seeds = 200;
  for (int seed = 1; seed <= seeds; ++seed) {
    const auto plan = draw_faults(static_cast<std::uint64_t>(seed), mix, three, 5s, 50s);
    CHECK(std::ranges::is_sorted(plan, {}, &Fault::at));
    for (const auto& fault : plan) {
      ++counts[fault.kind];
      const auto& range = mix.kinds.at(fault.kind);
      CHECK(fault.at >= 5s);
      CHECK(fault.at <= 55s);
      CHECK(fault.lasts >= range.lasts_min);
      CHECK(fault.lasts <= std::max(range.lasts_max, range.lasts_long));
      CHECK(fault.amount >= range.amount_min);
      CHECK(fault.amount <= range.amount_max);
    }
  }
  // 50 in 1000 s on each of three nodes, for 50 s.
  const auto kills = static_cast<double>(counts[FaultKind::kill]) / seeds;
  CHECK(kills > 6.5);
  CHECK(kills < 8.5);
}

TEST_CASE("a kind that is taken away moves no fault of another") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto expected = draw_faults(seed, everything(), three, 0s, 60s);
    std::erase_if(expected, [](const Fault& fault) {
      return fault.kind == FaultKind::kill || fault.kind == FaultKind::partition;
    });
    CHECK(draw_faults(seed, everything().without({FaultKind::kill, FaultKind::partition}), three,
                      0s, 60s) == expected);
  }
}

TEST_CASE("a node that is added moves no fault of the others, but for their peers") {
  const auto mix = everything().only({FaultKind::kill, FaultKind::full_disk});
  auto more = draw_faults(3, mix, three, 0s, 100s);
  CHECK(std::erase_if(more, [](const Fault& fault) { return fault.node == "n3"; }) > 0);
  CHECK(more == draw_faults(3, mix, {"n1", "n2"}, 0s, 100s));
}

TEST_CASE("data is harmed on as many nodes as can be done without, unless it may be lost") {
  const auto harmed = [](const FaultMix& mix, const std::vector<std::string>& nodes,
                         std::uint64_t seed) {
    std::set<std::string> result;
    const auto harming = mix.only({FaultKind::rot_log, FaultKind::rot_shard, FaultKind::lost_disk});
    for (const auto& fault : draw_faults(seed, harming, nodes, 0s, 1000s)) {
      result.insert(fault.node);
    }
    return result;
  };
  const std::vector<std::string> five{"n1", "n2", "n3", "n4", "n5"};
  std::set<std::string> any;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CHECK(harmed(everything(), three, seed).empty());
    CHECK(harmed(everything().possible_with(0), three, seed).empty());
    const auto of_three = harmed(everything().possible_with(1), three, seed);
    CHECK(of_three.size() == 1);
    any.merge(std::set{of_three});
    CHECK(harmed(everything().possible_with(1), five, seed).size() == 1);
    CHECK(harmed(everything().possible_with(2), five, seed).size() == 2);
    CHECK(harmed(everything().with_data_loss().possible_with(0), three, seed).size() == 3);
  }
  CHECK(any.size() == 3);
}

TEST_CASE("kinds that cannot happen, or that no majority makes up for, are left out") {
  const auto count = [](const FaultMix& mix, std::size_t survivable) {
    return mix.possible_with(survivable).kinds.size();
  };
  const auto all = drawn_kinds();
  CHECK(count(everything(), 0) == all - 4);
  CHECK(count(everything(), 1) == all - 1);
  CHECK_FALSE(everything().possible_with(1).kinds.contains(FaultKind::rot_log));
  CHECK(count(everything().with_data_loss(), 0) == all - 1);
  CHECK(count(Faults::everything(), 1) == all - 3);
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    CHECK(draw_faults(seed, everything().possible_with(0), {"n1"}, 0s, 60s) ==
          draw_faults(seed, everything().without({FaultKind::stop}), {"n1"}, 0s, 60s));
}

TEST_CASE("partitions take every form, links every direction") {
  std::set<std::size_t> cuts;  // pairs cut at one time
  std::set<std::pair<std::string, std::string>> links;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto plan = draw_faults(
        seed, everything().only({FaultKind::partition, FaultKind::slow_link}), three, 0s, 60s);
    std::map<Duration, std::size_t> at;
    for (const auto& fault : plan) {
      CHECK(fault.node != fault.peer);
      if (fault.kind == FaultKind::partition) ++at[fault.at];
      if (fault.kind == FaultKind::slow_link) links.emplace(fault.node, fault.peer);
    }
    for (const auto& [time, count] : at) cuts.insert(count);
  }
  CHECK(cuts.contains(1));  // one from one other
  CHECK(cuts.contains(2));  // one from both other nodes, and not from the outside
  CHECK(cuts.contains(3));  // one from all others: two nodes and the outside
  CHECK(cuts.contains(4));  // two from two
  CHECK(links.size() == 12);
}

TEST_CASE("services throw only if the mix names them") {
  const auto mix = Faults::everything().only({FaultKind::handler_throws});
  CHECK(draw_faults(1, mix, three, 0s, 1000s).empty());
  const auto plan = draw_faults(1, mix.with_services({"a.v1.S", "b.v1.T"}), three, 0s, 1000s);
  CHECK(plan.size() == 200);
  CHECK(plan.front().node.empty());
}

TEST_CASE("a swarm's seeds have their own kinds, intensities and schedules; one in ten has none") {
  int calm = 0;
  std::map<FaultKind, int> kinds;
  std::map<Strategy, int> strategies;
  std::set<std::string> texts;
  constexpr int seeds = 1000;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto draw = draw_swarm(seed, everything());
    calm += draw.calm;
    if (draw.calm) CHECK(draw.mix.kinds.empty());
    ++strategies[draw.schedule.strategy];
    for (const auto& [kind, range] : draw.mix.kinds) {
      ++kinds[kind];
      CHECK(range.per_1000_s >= 1);
      CHECK(range.per_1000_s <= everything().kinds.at(kind).per_1000_s);
    }
    texts.insert(to_text(draw));
    CHECK(to_text(draw) == to_text(draw_swarm(seed, everything())));
  }
  CHECK(calm > 70);
  CHECK(calm < 130);
  CHECK(kinds.size() == drawn_kinds());
  for (const auto& [kind, count] : kinds) {
    CHECK(count > 350);
    CHECK(count < 550);
  }
  CHECK(strategies.size() == 4);
  CHECK(texts.size() == seeds);
}

TEST_CASE("what a simulation is about is in every seed with faults, as often as it says") {
  const auto mix = everything().always_with({FaultKind::full_disk}).more(FaultKind::full_disk, 3);
  CHECK(mix.kinds.at(FaultKind::full_disk).per_1000_s ==
        3 * everything().kinds.at(FaultKind::full_disk).per_1000_s);
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const auto draw = draw_swarm(seed, mix);
    CHECK(draw.mix.kinds.contains(FaultKind::full_disk) == !draw.calm);
    CHECK(draw.mix.kinds.contains(FaultKind::kill) ==
          draw_swarm(seed, everything()).mix.kinds.contains(FaultKind::kill));
  }
}

TEST_CASE("a draw reads as one line") {
  Draw draw;
  draw.schedule = {.strategy = Strategy::priority, .epoch_jobs = 400, .change_points = 3};
  draw.network_times.max = 400us;
  draw.mix.kinds[FaultKind::kill].per_1000_s = 31;
  draw.mix.kinds[FaultKind::full_disk].per_1000_s = 80;
  draw.knobs["storage.apply_rows"] = "7";
  CHECK(to_text(draw) ==
        "schedule=priority/400/3 net<=400us work<=2000us faults=kill:31,full_disk:80 "
        "storage.apply_rows=7");
  CHECK(to_text(Draw{}) == "schedule=fifo net<=1000us work<=2000us faults=none");
}

}  // namespace
}  // namespace troupe::simulations

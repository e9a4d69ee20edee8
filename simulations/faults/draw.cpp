#include "simulations/faults/draw.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace troupe::simulations {

namespace {

using namespace std::chrono_literals;

// FNV-1a: a name as a number that stays the same when kinds are added.
std::uint64_t number_of(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::uint64_t number(Duration time) {
  return static_cast<std::uint64_t>(time.count());
}

// Between two durations, in whole milliseconds where that leaves a choice, so that plans are read
// and written easily.
Duration draw_time(RandomStream& random, Duration low, Duration high) {
  const auto ms = [](Duration time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  };
  if (ms(low) >= ms(high)) return low;
  return std::chrono::milliseconds{
      random.between(static_cast<std::uint64_t>(ms(low)), static_cast<std::uint64_t>(ms(high)))};
}

std::int64_t draw_amount(RandomStream& random, const FaultRange& range) {
  const auto span =
      static_cast<std::uint64_t>(range.amount_max) - static_cast<std::uint64_t>(range.amount_min);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(range.amount_min) +
                                   random.between(0, span));
}

// The nodes whose data may be harmed.
std::vector<std::string> choose_harmed(std::uint64_t seed, const std::vector<std::string>& nodes,
                                       std::size_t most) {
  RandomStream random{seed, Domain::fault_plan, 0, number_of("harmed")};
  auto harmed = nodes;
  while (harmed.size() > most) {
    harmed.erase(harmed.begin() +
                 static_cast<std::ptrdiff_t>(random.between(0, harmed.size() - 1)));
  }
  return harmed;
}

// Draws the faults of one kind at one node.
class Drawing {
 public:
  Drawing(std::uint64_t seed, FaultKind kind, const FaultRange& range, std::uint32_t node)
      : kind_(kind),
        range_(range),
        random_(seed, Domain::fault_plan, node, number_of(name_of(kind))) {}

  template <class Finish>
  void run(Duration begin, Duration duration, const Finish& finish) {
    const auto expected = number(duration) / 1'000'000 * range_.per_1000_s;  // millionths
    auto count = expected / 1'000'000;
    count += random_.chance(static_cast<std::uint32_t>(expected % 1'000'000)) ? 1 : 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      Fault fault;
      fault.kind = kind_;
      fault.at = draw_time(random_, begin, begin + duration);
      const bool is_long = random_.between(0, 7) == 0 && range_.lasts_long > range_.lasts_max;
      fault.lasts =
          draw_time(random_, range_.lasts_min, is_long ? range_.lasts_long : range_.lasts_max);
      fault.amount = draw_amount(random_, range_);
      finish(std::move(fault), random_);
    }
  }

 private:
  FaultKind kind_;
  FaultRange range_;
  RandomStream random_;
};

// The links that a fault of a link cuts.
void add_links(FaultPlan& plan, Fault fault, const std::vector<std::string>& nodes,
               RandomStream& random) {
  std::vector<std::string> others;
  for (const auto& node : nodes) {
    if (node != fault.node) others.push_back(node);
  }
  others.emplace_back("outside");
  const bool may_isolate = fault.kind == FaultKind::partition && nodes.size() > 1;
  const auto form = random.between(0, may_isolate ? 3 : 2);
  const auto peer = others[random.between(0, others.size() - 1)];
  if (fault.kind != FaultKind::partition) {
    fault.peer = peer;
    if (form == 0) std::swap(fault.node, fault.peer);
    plan.push_back(std::move(fault));
    return;
  }
  std::vector<std::string> side{fault.node};
  std::vector<std::string> other_side{peer};
  if (form == 1 || form == 3) other_side = others;
  if (form == 3) std::erase(other_side, "outside");
  if (form == 2) {
    other_side.clear();
    for (const auto& other : others) {
      (random.between(0, 1) == 0 ? side : other_side).push_back(other);
    }
  }
  for (const auto& one : side) {
    for (const auto& other : other_side) {
      fault.node = one;
      fault.peer = other;
      plan.push_back(fault);
    }
  }
}

}  // namespace

FaultMix FaultMix::only(const std::vector<FaultKind>& kept) const {
  auto result = *this;
  std::erase_if(result.kinds, [&](const auto& entry) {
    return std::ranges::find(kept, entry.first) == kept.end();
  });
  return result;
}

FaultMix FaultMix::without(const std::vector<FaultKind>& dropped) const {
  auto result = *this;
  for (const auto kind : dropped) result.kinds.erase(kind);
  return result;
}

FaultMix FaultMix::with_services(std::vector<std::string> names) const {
  auto result = *this;
  result.services = std::move(names);
  return result;
}

FaultMix FaultMix::with_data_loss() const {
  auto result = *this;
  result.data_may_be_lost = true;
  return result;
}

FaultMix FaultMix::always_with(std::set<FaultKind> kept) const {
  auto result = *this;
  result.never_left_out = std::move(kept);
  return result;
}

FaultMix FaultMix::more(FaultKind kind, std::uint32_t times) const {
  auto result = *this;
  result.kinds.at(kind).per_1000_s *= times;
  return result;
}

FaultMix FaultMix::possible_with(std::size_t survivable) const {
  auto result = *this;
  result.harmed_max = survivable;
  std::erase_if(result.kinds, [&](const auto& entry) {
    if (shape_of(entry.first).service) return services.empty();
    if (entry.first == FaultKind::stop) return survivable == 0;
    if (!harms_data(entry.first) || data_may_be_lost) return false;
    return survivable == 0 || entry.first == FaultKind::rot_log;
  });
  return result;
}

FaultMix Faults::none() {
  return {};
}

FaultMix Faults::everything() {
  using K = FaultKind;
  constexpr std::int64_t ms = 1000;  // in microseconds
  constexpr std::int64_t s = 1000 * ms;
  FaultMix mix;
  mix.kinds = {
      {K::kill, {50, 50ms, 3s, 20s, 0, 0}},
      {K::power_cut, {50, 50ms, 3s, 20s, 0, 200}},
      {K::power_cut_in_start, {50, 50ms, 3s, 20s, 0, 1500}},
      {K::pause, {50, 10ms, 2s, 10s, 0, 0}},
      {K::lost_disk, {20, 50ms, 3s, 20s, 0, 0}},
      {K::stop, {50, 50ms, 3s, 10s, 0, 0}},
      {K::slow_disk, {100, 100ms, 3s, 0s, 1 * ms, 1 * s}},
      {K::full_disk, {100, 500ms, 5s, 0s, 0, 256 * 1024}},
      {K::read_error, {50, 100ms, 3s, 0s, 100, 10'000}},
      {K::write_error, {50, 100ms, 3s, 0s, 100, 10'000}},
      {K::sync_error, {50, 100ms, 3s, 0s, 100, 10'000}},
      {K::rot_log, {50, 0s, 0s, 0s, 0, INT32_MAX}},
      {K::rot_shard, {50, 0s, 0s, 0s, 0, INT32_MAX}},
      {K::slow_link, {150, 100ms, 5s, 0s, 1 * ms, 100 * ms}},
      {K::clogged_link, {100, 10ms, 5s, 0s, 0, 0}},
      {K::reset_link, {100, 0s, 0s, 0s, 0, 0}},
      {K::partition, {100, 1s, 2s, 0s, 0, 0}},
      {K::refused, {100, 10ms, 2s, 0s, 0, 0}},
      {K::lossy_link, {100, 100ms, 5s, 0s, 1000, 300'000}},
      {K::clock_offset, {100, 0s, 0s, 0s, -5 * s, 5 * s}},
      {K::clock_drift, {100, 0s, 0s, 0s, -5000, 5000}},
      {K::handler_throws, {100, 500ms, 5s, 0s, 100, 10'000}},
      {K::shard_fails, {100, 10ms, 1s, 5s, 1000, 1'000'000}},
  };
  return mix;
}

FaultPlan draw_faults(std::uint64_t seed, const FaultMix& mix,
                      const std::vector<std::string>& nodes, Duration begin, Duration duration) {
  FaultPlan plan;
  const auto harmed = choose_harmed(seed, nodes, mix.harmed_max);
  for (const auto& [kind, range] : mix.kinds) {
    const auto& shape = shape_of(kind);
    const auto& places = shape.service                               ? mix.services
                         : harms_data(kind) && !mix.data_may_be_lost ? harmed
                                                                     : nodes;
    for (const auto& place : places) {
      // A node's number must not depend on which nodes may be harmed.
      const auto& all = shape.service ? mix.services : nodes;
      const auto index =
          static_cast<std::uint32_t>(std::ranges::find(all, place) - all.begin() + 1);
      Drawing{seed, kind, range, index}.run(begin, duration, [&](Fault fault, auto& random) {
        (shape.service ? fault.peer : fault.node) = place;
        if (!shape.lasts) fault.lasts = Duration{0};
        if (!shape.amount) fault.amount = 0;
        if (shape.peer) {
          add_links(plan, std::move(fault), nodes, random);
        } else {
          plan.push_back(std::move(fault));
        }
      });
    }
  }
  std::ranges::stable_sort(plan, {}, &Fault::at);
  return plan;
}

Draw draw_swarm(std::uint64_t seed, const FaultMix& mix) {
  const auto stream = [&](std::string_view subject) {
    return RandomStream{seed, Domain::swarm, 0, number_of(subject)};
  };
  Draw draw;
  draw.calm = stream("calm").between(0, 9) == 0;
  draw.mix = mix;
  draw.mix.kinds.clear();
  for (const auto& [kind, range] : mix.kinds) {
    auto random = stream(name_of(kind));
    const bool takes_part = random.between(0, 1) == 0;
    const auto percent = random.between(10, 100);
    if (draw.calm || (!takes_part && !mix.never_left_out.contains(kind))) continue;
    auto& its = draw.mix.kinds[kind] = range;
    its.per_1000_s =
        static_cast<std::uint32_t>(std::max<std::uint64_t>(1, range.per_1000_s * percent / 100));
  }
  auto schedule = stream("schedule");
  // One half first in, first out: the order that a node most often has.
  constexpr Strategy strategies[] = {Strategy::fifo,   Strategy::fifo,     Strategy::fifo,
                                     Strategy::random, Strategy::priority, Strategy::starve};
  draw.schedule.strategy = strategies[schedule.between(0, std::size(strategies) - 1)];
  draw.schedule.epoch_jobs = static_cast<std::uint32_t>(50U << schedule.between(0, 6));
  draw.schedule.change_points = static_cast<std::uint32_t>(schedule.between(2, 3));
  auto times = stream("times");
  draw.network_times.max = draw.network_times.min + times.between(1, 1000) * 1us;
  draw.work_times.max = draw.work_times.min + times.between(1, 2000) * 1us;
  return draw;
}

std::string to_text(const Draw& draw) {
  const auto us = [](Duration time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(time).count()) +
           "us";
  };
  std::string text = "schedule=" + std::string{name_of(draw.schedule.strategy)};
  if (draw.schedule.strategy != Strategy::fifo) {
    text += '/' + std::to_string(draw.schedule.epoch_jobs);
  }
  if (draw.schedule.strategy == Strategy::priority) {
    text += '/' + std::to_string(draw.schedule.change_points);
  }
  text += " net<=" + us(draw.network_times.max) + " work<=" + us(draw.work_times.max) + " faults=";
  bool first = true;
  for (const auto& [kind, range] : draw.mix.kinds) {
    if (!std::exchange(first, false)) text += ',';
    text += std::string{name_of(kind)} + ':' + std::to_string(range.per_1000_s);
  }
  if (first) text += "none";
  for (const auto& [name, value] : draw.knobs) text += ' ' + name + '=' + value;
  return text;
}

}  // namespace troupe::simulations

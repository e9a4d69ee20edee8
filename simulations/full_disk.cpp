// Clients deposit and read while the disk fills up and gets space again, in the midst of which the
// node is killed, loses its power and starts, also while the disk is full.
//
// While nothing but the full disk is wrong: reads are served, and who is refused hears DISK_FULL.
// Once there is space, nobody hears it any more. Together with what every simulation checks: no
// write that was acknowledged is lost, and service comes back by itself.
#include <algorithm>

#include "simulations/models/account_client.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

// For answers, and to be well again after another fault.
constexpr Duration soon = 1s;
constexpr Duration recovered = 3s;
// "Within seconds": a shard that was refused tries again now and then.
constexpr Duration refusals_over = 3s;

struct Span {
  Duration begin, end;
  bool holds(Duration time) const { return begin <= time && time < end; }
};

// When the disk was full, fullest first merged where they overlap; and when anything else was
// wrong.
struct Troubles {
  std::vector<Span> full;
  std::vector<Span> others;

  explicit Troubles(const Past& past) {
    for (const auto& fault : past.took_place) {
      const Span span{fault.at, std::min(fault.at + fault.lasts, past.healed)};
      if (fault.kind != FaultKind::full_disk) {
        others.push_back(span);
      } else if (!full.empty() && span.begin <= full.back().end) {
        full.back().end = std::max(full.back().end, span.end);
      } else {
        full.push_back(span);
      }
    }
  }

  // Nothing else is wrong, nor was lately.
  bool only_full(Duration begin, Duration end) const {
    return std::ranges::none_of(others, [&](const Span& other) {
      return other.begin < end && other.end + recovered > begin;
    });
  }
};

bool is_get(const Operation& operation) {
  return operation.service->methods[operation.method].name == "Get";
}

std::string heard_text(const Operation& operation) {
  std::string text = operation.text() + " heard";
  for (const auto& one : operation.heard) text += ' ' + seconds_text(one.at) + ' ' + one.reason;
  return text;
}

std::optional<Failure> reads_are_served(const Past& past) {
  const Troubles troubles{past};
  for (const auto& operation : past.history.all()) {
    const auto by = operation.invoked + soon;
    if (!is_get(operation) || operation.returned <= by) continue;
    for (const auto& full : troubles.full) {
      if (!full.holds(operation.invoked) || !full.holds(by)) continue;
      if (!troubles.only_full(full.begin, by)) continue;
      return Failure{{}, heard_text(operation) + ", and nothing but a full disk was wrong", by};
    }
  }
  return std::nullopt;
}

std::optional<Failure> refusals_say_why(const Past& past) {
  const Troubles troubles{past};
  const auto is_full = [&](Duration time) {
    return std::ranges::any_of(troubles.full, [&](const Span& full) {
      return full.begin <= time && time < full.end + refusals_over;
    });
  };
  for (const auto& operation : past.history.all()) {
    for (const auto& heard : operation.heard) {
      if (!troubles.only_full(heard.at - recovered, heard.at)) continue;
      // Many wait in line; those of a shard that takes up service again, too.
      if (heard.reason == "SHARD_OVERLOADED" || heard.reason == "SHARD_STARTING") continue;
      if ((heard.reason == "DISK_FULL") == is_full(heard.at)) continue;
      return Failure{
          {},
          heard_text(operation) + (is_full(heard.at) ? ", and nothing but a full disk was wrong"
                                                     : ", and the disk was not full"),
          heard.at};
    }
  }
  return std::nullopt;
}

SIMULATION(full_disk, "a full disk refuses commands, serves reads, and loses nothing") {
  using K = FaultKind;
  sim.faults(Faults::everything()
                 .only({K::full_disk, K::kill, K::power_cut, K::power_cut_in_start, K::pause,
                        K::slow_disk})
                 .always_with({K::full_disk})
                 .more(K::full_disk, 3)
                 .more(K::kill, 3)
                 .more(K::power_cut, 3)
                 .more(K::power_cut_in_start, 2));
  sim.duration(20s);
  sim.manifest(busy_disk_manifest(sim.random()));
  sim.model<AccountModel>("banking.v1.Accounts");
  sim.clients(5, depositor);
  sim.clients(3, reader);
  sim.in_hindsight("reads are served while the disk is full", reads_are_served);
  sim.in_hindsight("refusals say DISK_FULL while it is, and only then", refusals_say_why);
  sim.finally("statements can be read", every_account);
}

}  // namespace
}  // namespace troupe::simulations

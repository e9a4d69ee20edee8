#include "simulations/campaign/campaign.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Deals out runs: the first seed of every variation, then the second of every variation, ...
class Deck {
 public:
  explicit Deck(const Campaign& campaign) : campaign_(campaign) {}

  struct Card {
    const Variation* variation;
    std::uint64_t seed;
  };
  // Nullopt: there are no more.
  std::optional<Card> next() {
    for (std::size_t passed = 0; passed < campaign_.variations.size(); ++passed) {
      const Variation& variation = campaign_.variations[turn_];
      const std::uint64_t round = round_;
      if (++turn_ == campaign_.variations.size()) {
        turn_ = 0;
        ++round_;
      }
      if (const auto seeds = seeds_of(variation); seeds && round >= *seeds) continue;
      return Card{&variation, variation.first.value_or(campaign_.first) + round};
    }
    return std::nullopt;
  }

  std::optional<std::uint64_t> size() const {
    std::uint64_t sum = 0;
    for (const auto& variation : campaign_.variations) {
      const auto seeds = seeds_of(variation);
      if (!seeds) return std::nullopt;
      sum += *seeds;
    }
    return sum;
  }

 private:
  std::optional<std::uint64_t> seeds_of(const Variation& variation) const {
    return variation.seeds ? variation.seeds : campaign_.seeds;
  }

  const Campaign& campaign_;
  std::size_t turn_ = 0;
  std::uint64_t round_ = 0;
};

class Conductor {
 public:
  Conductor(const Campaign& campaign, const CampaignWatcher& watcher,
            const Interruption& interruption)
      : campaign_(campaign),
        watcher_(watcher),
        interruption_(interruption),
        deck_(campaign),
        crew_(campaign.crew) {
    progress_.all = deck_.size();
  }

  CampaignEnd run() {
    const auto end = until_the_end();
    // What was done beyond a gap that an interruption left.
    for (auto& [ticket, result] : waiting_) deliver(std::move(result));
    report();
    return end;
  }

 private:
  CampaignEnd until_the_end() {
    for (;;) {
      if (interruption_.signal() != 0) {
        crew_.stop_all();
        return CampaignEnd::interrupted;
      }
      deal();
      if (crew_.idle()) return time_is_up_ ? CampaignEnd::time_up : CampaignEnd::all_done;
      waiting_.merge(crew_.wait(100ms));
      for (auto due = waiting_.find(delivered_); due != waiting_.end();
           due = waiting_.find(delivered_)) {
        deliver(std::move(due->second));
        waiting_.erase(due);
        ++delivered_;
        if (!campaign_.until_failure || progress_.failures == 0) continue;
        // Later seeds that are done already are left out, so that the jobs do not show.
        waiting_.clear();
        crew_.stop_all();
        return CampaignEnd::all_done;
      }
      report();
    }
  }

  void deal() {
    while (!crew_.full() && !exhausted_) {
      if (campaign_.time && elapsed() >= *campaign_.time) {
        time_is_up_ = exhausted_ = true;
        return;
      }
      const auto card = deck_.next();
      if (!card) {
        exhausted_ = true;
        return;
      }
      RunOptions options = card->variation->options;
      options.seed = card->seed;
      crew_.start(dealt_++, *card->variation, options);
    }
  }

  void deliver(SeedResult result) {
    ++progress_.done;
    progress_.simulated += result.outcome.simulated;
    if (result.failed()) ++progress_.failures;
    watcher_.result(std::move(result));
  }

  void report() {
    if (!watcher_.progress) return;
    progress_.elapsed = elapsed();
    progress_.left.reset();
    if (progress_.all && progress_.done > 0)
      progress_.left = std::chrono::duration_cast<Duration>(
          progress_.elapsed * (static_cast<double>(*progress_.all - progress_.done) /
                               static_cast<double>(progress_.done)));
    if (campaign_.time) {
      const Duration rest = std::max(*campaign_.time - progress_.elapsed, Duration{0});
      progress_.left = std::min(progress_.left.value_or(rest), rest);
    }
    watcher_.progress(progress_);
  }

  Duration elapsed() const { return Clock::now() - began_; }

  const Campaign& campaign_;
  const CampaignWatcher& watcher_;
  const Interruption& interruption_;
  Deck deck_;
  Crew crew_;
  Clock::time_point began_ = Clock::now();
  std::uint64_t dealt_ = 0;
  std::uint64_t delivered_ = 0;
  std::map<std::uint64_t, SeedResult> waiting_;  // until those before them are done
  bool exhausted_ = false;
  bool time_is_up_ = false;
  CampaignProgress progress_;
};

}  // namespace

CampaignEnd run_campaign(const Campaign& campaign, const CampaignWatcher& watcher,
                         const Interruption& interruption) {
  return Conductor{campaign, watcher, interruption}.run();
}

std::uint64_t fresh_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32 | device()) % 1'000'000'000'000;
}

unsigned cores() {
  return std::max(std::thread::hardware_concurrency(), 1u);
}

}  // namespace troupe::simulations

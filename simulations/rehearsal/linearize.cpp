#include "simulations/rehearsal/linearize.hpp"

#include <google/protobuf/descriptor.h>
#include <xxhash.h>

#include <algorithm>
#include <memory>
#include <unordered_set>
#include <utility>

namespace troupe::simulations {
namespace {

// 128 bits of hash over (operations put, state): two that agree are taken for the same.
struct Digest {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend bool operator==(const Digest&, const Digest&) = default;
};
struct DigestHash {
  std::size_t operator()(const Digest& digest) const { return digest.low; }
};

class Search {
 public:
  Search(const std::vector<const Operation*>& operations, const MakeModel& make,
         const std::string& key, const LinearizeOptions& options)
      : options_(options) {
    for (const auto* operation : operations) {
      if (operation->outcome == Operation::Outcome::harmless) continue;
      if (operation->open() && operation->read_only()) continue;  // says nothing, does nothing
      operations_.push_back(operation);
      if (!operation->open()) ++left_;
    }
    bits_.assign((operations_.size() + 63) / 64, 0);
    put_.assign(operations_.size(), false);
    first_model_ = make(key);
  }

  // First with at most one unknown command between two that are known, then with more: the order
  // that needs fewest is the likeliest, and those with many are very many.
  Linearization run() {
    if (left_ == 0) return {};
    for (unknown_max_ = 1;; unknown_max_ *= 2) {
      held_back_ = false;
      if (search()) return result_;
      if (result_.steps > options_.steps_max) {
        result_.verdict = Linearization::Verdict::undecided;
        result_.why = "not decided within " + std::to_string(options_.steps_max) + " steps";
        return result_;
      }
      if (held_back_) continue;
      result_.verdict = Linearization::Verdict::impossible;
      return result_;
    }
  }

 private:
  // True: everything is explained. Otherwise all orders were tried, or the steps are used up.
  bool search() {
    seen_.clear();
    levels_.clear();
    levels_.push_back(Level{.model = first_model_->clone()});
    model_ = first_model_->clone();
    levels_.back().candidates = candidates();
    while (!levels_.empty()) {
      auto& level = levels_.back();
      if (level.next == level.candidates.size()) {
        take_back();
        continue;
      }
      const auto chosen = level.candidates[level.next++];
      const auto& one = *operations_[chosen];
      if (++result_.steps > options_.steps_max) return false;
      if (!fits(current(), one)) continue;
      // Here is as good a place as any: what must come before it is put, and it changes nothing.
      if (changes_nothing(one) && !shuts_out_unknown(one)) level.next = level.candidates.size();
      put(chosen);
      if (left_ == 0) return true;
      Level next{.chosen = chosen,
                 .unknown = one.open() ? level.unknown + 1 : 0,
                 .floor = std::max(level.floor, one.invoked)};
      if (!seen_.insert(digest(*model_, next.unknown)).second) {
        take_from_order(chosen);
        model_.reset();
        continue;
      }
      if (levels_.size() % keep_every == 0) next.model = model_->clone();
      levels_.push_back(std::move(next));
      levels_.back().candidates = candidates();
    }
    return false;
  }

  static constexpr std::size_t npos = SIZE_MAX;

  static constexpr std::size_t keep_every = 32;

  struct Level {
    std::unique_ptr<Model> model = nullptr;  // a copy; null: none is kept
    std::vector<std::size_t> candidates = {};
    std::size_t next = 0;
    std::size_t chosen = npos;  // the operation that led here
    unsigned unknown = 0;       // how many of the last ones were unknown, without one between
    Duration floor{0};          // all that is put from here on takes effect after this
  };

  // The model after the operations put so far. Most steps go forward, so that only now and then a
  // level keeps a copy; after a step back it is made anew from the nearest one.
  Model& current() {
    if (model_) return *model_;
    auto from = levels_.size() - 1;
    while (!levels_[from].model) --from;
    model_ = levels_[from].model->clone();
    for (++from; from < levels_.size(); ++from) {
      const auto& one = *operations_[levels_[from].chosen];
      (void)model_->apply(one, seen_reply(one));
    }
    return *model_;
  }

  static const std::string* seen_reply(const Operation& operation) {
    return operation.outcome == Operation::Outcome::success ? &operation.reply : nullptr;
  }

  static bool changes_nothing(const Operation& operation) {
    return operation.read_only() || operation.outcome == Operation::Outcome::refused;
  }

  // Whether an unknown command could be put before it and not behind it.
  bool shuts_out_unknown(const Operation& operation) const {
    const auto floor = levels_.back().floor;
    for (auto i = first_; i < operations_.size(); ++i) {
      const auto& one = *operations_[i];
      if (one.invoked > operation.invoked) return false;  // sorted by beginning
      if (!put_[i] && one.open() && one.settled >= floor && one.settled < operation.invoked)
        return true;
    }
    return false;
  }

  bool fits(Model& model, const Operation& operation) {
    const auto before = operation.read_only() ? model.state() : std::string{};
    const auto expected = model.apply(operation, seen_reply(operation));
    const bool right = operation.open() ? expected.has_value()  // refused: it need not be put
                       : operation.outcome == Operation::Outcome::success
                           ? expected && *expected == operation.reply
                           : !expected && expected.error().reason == operation.reason;
    // It has changed, and so it may have by a reply that it learnt from.
    if (!right && expected && !(operation.read_only() && model.state() == before)) model_.reset();
    return right;
  }

  void put(std::size_t chosen) {
    put_[chosen] = true;
    bits_[chosen / 64] |= std::uint64_t{1} << (chosen % 64);
    if (!operations_[chosen]->open()) --left_;
    while (first_ < operations_.size() && put_[first_]) ++first_;
  }

  void take_from_order(std::size_t chosen) {
    put_[chosen] = false;
    bits_[chosen / 64] &= ~(std::uint64_t{1} << (chosen % 64));
    if (!operations_[chosen]->open()) ++left_;
    first_ = std::min(first_, chosen);
  }

  void take_back() {
    if (levels_.size() > deepest_) explain();
    const auto chosen = levels_.back().chosen;
    levels_.pop_back();
    model_.reset();
    if (chosen != npos) take_from_order(chosen);
  }

  Digest digest(const Model& model, unsigned unknown) const {
    const auto state = model.state();
    const auto put = unknown + XXH3_64bits(bits_.data(), bits_.size() * sizeof bits_.front());
    const auto hash = XXH3_128bits_withSeed(state.data(), state.size(), put);
    return {hash.high64, hash.low64};
  }

  // What may be next: what changes nothing first, then the likeliest: by position, then by the end
  // that the client saw, and unknown ones last.
  std::vector<std::size_t> candidates() {
    auto earliest_end = Duration::max();
    auto lowest_exact = std::uint64_t{UINT64_MAX};
    auto lowest_bound = std::uint64_t{UINT64_MAX};
    for (auto i = first_; i < operations_.size(); ++i) {
      const auto& one = *operations_[i];
      // What begins later ends later; that it has no smaller index is for check_positions() to say.
      if (one.invoked > earliest_end) break;
      if (put_[i] || one.open()) continue;
      earliest_end = std::min(earliest_end, one.returned);
      if (!options_.trust_positions || !one.position) continue;
      auto& lowest = one.replayed ? lowest_bound : lowest_exact;
      lowest = std::min(lowest, one.position->index);
    }
    std::vector<std::size_t> found;
    for (auto i = first_; i < operations_.size(); ++i) {
      const auto& one = *operations_[i];
      if (one.invoked > earliest_end) break;  // sorted by beginning
      if (put_[i]) continue;
      if (one.open() && one.settled < levels_.back().floor) continue;
      if (one.open() && levels_.back().unknown >= unknown_max_) {
        held_back_ = true;
        continue;
      }
      if (exact(one) && one.position->index > std::min(lowest_exact, lowest_bound)) continue;
      found.push_back(i);
    }
    std::ranges::stable_sort(found, {}, [&](std::size_t i) {
      const auto& one = *operations_[i];
      const auto rank = one.open() ? 3 : changes_nothing(one) ? 0 : exact(one) ? 1 : 2;
      return std::pair{rank, one.open() ? one.invoked : one.returned};
    });
    return found;
  }

  bool exact(const Operation& one) const {
    return options_.trust_positions && !one.open() && one.position && !one.replayed;
  }

  // Keeps what is known at the deepest point so far.
  void explain() {
    deepest_ = levels_.size();
    std::string text = "no order of the operations explains what was seen. Explained are:\n";
    constexpr std::size_t shown_max = 6;
    const auto from = levels_.size() > shown_max ? levels_.size() - shown_max : 1;
    if (from > 1) text += "    ... " + std::to_string(from - 1) + " before\n";
    for (auto i = from; i < levels_.size(); ++i) {
      const auto& one = *operations_[levels_[i].chosen];
      text +=
          "    " + one.text() + ' ' + describe_request(one) + " -> " + describe_reply(one) + '\n';
    }
    text += "  next could be, but does not fit:\n";
    result_.at = Duration::max();
    for (const auto i : levels_.back().candidates) {
      const auto& one = *operations_[i];
      if (!one.open()) result_.at = std::min(result_.at, one.returned);
      text += "    " + one.text() + ' ' + describe_request(one) +
              "\n      seen:     " + describe_reply(one) + "\n      expected: " + expected(one) +
              '\n';
    }
    result_.why = std::move(text);
  }

  std::string expected(const Operation& one) {
    const auto reply = current().apply(one, seen_reply(one));
    if (reply) model_.reset();
    if (!reply) return "refused: " + reply.error().reason;
    const auto* method = one.service->descriptor()->method(static_cast<int>(one.method));
    return describe_message(method->output_type()->full_name(), *reply);
  }

  const LinearizeOptions& options_;
  std::vector<const Operation*> operations_;
  std::vector<bool> put_;
  std::vector<std::uint64_t> bits_;
  std::size_t left_ = 0;   // that must still be put
  std::size_t first_ = 0;  // all before it are put
  std::unique_ptr<Model> first_model_;
  unsigned unknown_max_ = 1;
  bool held_back_ = false;  // an unknown command was not tried because of unknown_max_
  std::vector<Level> levels_;
  std::unique_ptr<Model> model_;  // at the last level; null: current() makes it
  std::unordered_set<Digest, DigestHash> seen_;
  std::size_t deepest_ = 0;
  Linearization result_;
};

}  // namespace

Linearization linearize(const std::vector<const Operation*>& operations, const MakeModel& make,
                        const std::string& key, const LinearizeOptions& options) {
  return Search{operations, make, key, options}.run();
}

}  // namespace troupe::simulations

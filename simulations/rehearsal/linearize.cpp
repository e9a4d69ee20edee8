#include "simulations/rehearsal/linearize.hpp"

#include <google/protobuf/descriptor.h>
#include <xxhash.h>

#include <algorithm>
#include <memory>
#include <unordered_set>
#include <utility>

namespace troupe::simulations {
namespace {

using Outcome = Operation::Outcome;

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
      if (operation->outcome == Outcome::harmless) continue;
      if (operation->open() && operation->read_only()) continue;  // says nothing, does nothing
      operations_.push_back(operation);
      if (!operation->open()) ++left_;
    }
    put_.assign(operations_.size(), false);
    bits_.assign((operations_.size() + 63) / 64, 0);
    levels_.push_back(Level{make(key), {}, 0, npos});
  }

  Linearization run() {
    if (left_ == 0) return {};
    levels_.back().candidates = candidates();
    while (!levels_.empty()) {
      auto& level = levels_.back();
      if (level.next == level.candidates.size()) {
        take_back();
        continue;
      }
      const auto chosen = level.candidates[level.next++];
      auto model = level.model->clone();
      if (++result_.steps > options_.steps_max) {
        result_.verdict = Linearization::Verdict::undecided;
        result_.why = "not decided within " + std::to_string(options_.steps_max) + " steps";
        return result_;
      }
      if (!fits(*model, *operations_[chosen])) continue;
      put(chosen);
      if (left_ == 0) return result_;
      if (!seen_.insert(digest(*model)).second) {
        take_from_order(chosen);
        continue;
      }
      levels_.push_back(Level{std::move(model), {}, 0, chosen});
      levels_.back().candidates = candidates();
    }
    result_.verdict = Linearization::Verdict::impossible;
    return result_;
  }

 private:
  static constexpr std::size_t npos = SIZE_MAX;

  struct Level {
    std::unique_ptr<Model> model;
    std::vector<std::size_t> candidates;
    std::size_t next = 0;
    std::size_t chosen = npos;  // the operation that led here
  };

  static bool fits(Model& model, const Operation& operation) {
    const bool success = operation.outcome == Outcome::success;
    const auto expected = model.apply(operation, success ? &operation.reply : nullptr);
    if (operation.open()) return expected.has_value();  // a refused one need not be put anywhere
    return success ? expected && *expected == operation.reply
                   : !expected && expected.error().reason == operation.reason;
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
    if (chosen != npos) take_from_order(chosen);
  }

  Digest digest(const Model& model) const {
    const auto state = model.state();
    const auto put = XXH3_64bits(bits_.data(), bits_.size() * sizeof bits_.front());
    const auto hash = XXH3_128bits_withSeed(state.data(), state.size(), put);
    return {hash.high64, hash.low64};
  }

  // What may be next, the likeliest first: by position, then by the end that the client saw, and
  // unknown ones last.
  std::vector<std::size_t> candidates() const {
    auto earliest_end = Duration::max();
    auto lowest_exact = std::uint64_t{UINT64_MAX};
    auto lowest_bound = std::uint64_t{UINT64_MAX};
    for (auto i = first_; i < operations_.size(); ++i) {
      const auto& one = *operations_[i];
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
      if (exact(one) && one.position->index > std::min(lowest_exact, lowest_bound)) continue;
      found.push_back(i);
    }
    std::ranges::stable_sort(found, {}, [&](std::size_t i) {
      const auto& one = *operations_[i];
      const auto rank = one.open() ? 2 : exact(one) ? 0 : 1;
      return std::pair{rank, rank == 2 ? one.invoked : one.returned};
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

  std::string expected(const Operation& one) const {
    const auto model = levels_.back().model->clone();
    const auto reply = model->apply(one, one.outcome == Outcome::success ? &one.reply : nullptr);
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
  std::vector<Level> levels_;
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

#include "simulations/rehearsal/checks.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace troupe::simulations {
namespace {

ReplayReport replay(const History& history, const Models& models, const std::string& check,
                    const LinearizeOptions& options) {
  ReplayReport report;
  for (const auto& [entity, operations] : history.by_entity()) {
    const auto model = models.find(entity.first);
    if (model == models.end()) continue;
    const auto found = linearize(operations, model->second, entity.second, options);
    report.steps += found.steps;
    if (found.verdict == Linearization::Verdict::undecided) ++report.undecided;
    if (found.verdict != Linearization::Verdict::impossible) continue;
    report.failure =
        Failure{check, entity.first + " \"" + entity.second + "\": " + found.why, found.at};
    return report;
  }
  return report;
}

// An entity has one shard, until that is split: then a newer one, which has a higher number.
std::optional<Failure> check_homes(const std::vector<const Operation*>& begun) {
  auto ended = begun;
  std::ranges::stable_sort(ended, {}, &Operation::returned);
  const Operation* newest = nullptr;
  auto next = ended.begin();
  for (const auto* operation : begun) {  // in the order in which they began
    for (; next != ended.end() && (*next)->returned < operation->invoked; ++next)
      if (newest == nullptr || (*next)->position->shard > newest->position->shard) newest = *next;
    if (newest == nullptr || newest->position->shard <= operation->position->shard) continue;
    return Failure{"position",
                   "an entity was served by a shard that had given it away:\n    " +
                       newest->text() + " -> " + describe_reply(*newest) + "\n    " +
                       operation->text() + " -> " + describe_reply(*operation),
                   operation->returned};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Failure> check_positions(const History& history) {
  using Shard = std::pair<std::string, std::uint32_t>;
  std::map<History::Entity, std::vector<const Operation*>> homes;
  std::map<Shard, std::vector<const Operation*>> shards;
  for (const auto& operation : history.all()) {
    if (operation.outcome != Operation::Outcome::success) continue;
    if (!operation.position)
      return Failure{"position", operation.text() + ": a reply without Troupe-Position",
                     operation.returned};
    homes[{operation.service->name, operation.key}].push_back(&operation);
    shards[{operation.service->name, operation.position->shard}].push_back(&operation);
  }
  for (const auto& [entity, begun] : homes)
    if (auto failure = check_homes(begun)) return failure;
  for (const auto& [shard, begun] : shards) {  // in the order in which they began
    auto ended = begun;
    std::ranges::stable_sort(ended, {}, &Operation::returned);
    const Operation* newest = nullptr;
    auto next = ended.begin();
    for (const auto* operation : begun) {
      for (; next != ended.end() && (*next)->returned < operation->invoked; ++next) {
        // A replayed reply's index is that of the newest entry then, which is durable as well.
        if (newest == nullptr || (*next)->position->index > newest->position->index) newest = *next;
      }
      if (newest == nullptr || newest->position->index <= operation->position->index) continue;
      return Failure{"position",
                     "a reply stands before one that had arrived before its call began, in shard " +
                         shard.first + '/' + std::to_string(shard.second) + ":\n    " +
                         newest->text() + ' ' + describe_request(*newest) + " -> " +
                         describe_reply(*newest) + "\n    " + operation->text() + ' ' +
                         describe_request(*operation) + " -> " + describe_reply(*operation),
                     operation->returned};
    }
  }
  return std::nullopt;
}

ReplayReport check_model(const History& history, const Models& models) {
  return replay(history, models, "model", {});
}

ReplayReport check_linearizability(const History& history, const Models& models) {
  return replay(history, models, "linearizability", {.trust_positions = false});
}

}  // namespace troupe::simulations

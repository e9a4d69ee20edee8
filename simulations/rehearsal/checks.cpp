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

}  // namespace

std::optional<Failure> check_positions(const History& history) {
  using Shard = std::pair<std::string, std::uint32_t>;
  std::map<History::Entity, const Operation*> homes;
  std::map<Shard, std::vector<const Operation*>> shards;
  for (const auto& operation : history.all()) {
    if (operation.outcome != Operation::Outcome::success) continue;
    if (!operation.position)
      return Failure{"position", operation.text() + ": a reply without Troupe-Position",
                     operation.returned};
    const auto [home, is_new] =
        homes.try_emplace({operation.service->name, operation.key}, &operation);
    if (home->second->position->shard != operation.position->shard)
      return Failure{"position",
                     "one entity was served by two shards:\n    " + home->second->text() + " -> " +
                         describe_reply(*home->second) + "\n    " + operation.text() + " -> " +
                         describe_reply(operation),
                     operation.returned};
    shards[{operation.service->name, operation.position->shard}].push_back(&operation);
  }
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

#include "simulations/rehearsal/losses.hpp"

#include <algorithm>

#include "cluster/hosted.hpp"

namespace troupe::simulations {

bool rests_on(const Operation& operation, const KnownLoss& known) {
  if (operation.returned < known.loss.since || operation.returned > known.noticed) return false;
  if (operation.outcome == Operation::Outcome::refused) return true;  // of which shard is not said
  return operation.outcome == Operation::Outcome::success && operation.position &&
         operation.position->index > known.loss.last &&
         cluster::group_of(operation.service->name, operation.position->shard) == known.loss.group;
}

History without_lost(const History& history, const std::vector<KnownLoss>& losses) {
  return history.edited([&](Operation& operation) {
    if (std::ranges::none_of(losses,
                             [&](const KnownLoss& known) { return rests_on(operation, known); }))
      return;
    operation.outcome =
        operation.read_only() ? Operation::Outcome::harmless : Operation::Outcome::unknown;
    operation.settled = Duration::max();
    operation.position.reset();
  });
}

}  // namespace troupe::simulations

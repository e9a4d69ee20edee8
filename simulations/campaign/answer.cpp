#include "simulations/campaign/answer.hpp"

#include "simulations/campaign/answer.pb.h"

namespace troupe::simulations {
namespace {

using Counts = std::map<std::string, std::uint64_t>;
using WireCounts = google::protobuf::RepeatedPtrField<Answer::Count>;

void put(const Counts& counts, WireCounts& wire) {
  for (const auto& [name, count] : counts) {
    auto& entry = *wire.Add();
    entry.set_name(name);
    entry.set_count(count);
  }
}

Counts taken(const WireCounts& wire) {
  Counts counts;
  for (const auto& entry : wire) counts[entry.name()] = entry.count();
  return counts;
}

void put(const Fault& fault, Answer::Fault& wire) {
  wire.set_kind(static_cast<std::uint32_t>(fault.kind));
  wire.set_at_ns(fault.at.count());
  wire.set_lasts_ns(fault.lasts.count());
  wire.set_node(fault.node);
  wire.set_peer(fault.peer);
  wire.set_amount(fault.amount);
}

Fault taken(const Answer::Fault& wire) {
  return {static_cast<FaultKind>(wire.kind()),
          Duration{wire.at_ns()},
          Duration{wire.lasts_ns()},
          wire.node(),
          wire.peer(),
          wire.amount()};
}

}  // namespace

std::string to_bytes(const Outcome& outcome, bool complete) {
  Answer answer;
  answer.set_complete(complete);
  answer.set_seed(outcome.seed);
  answer.set_hash(outcome.hash);
  answer.set_events(outcome.events);
  answer.set_simulated_ns(outcome.simulated.count());
  answer.set_draw(outcome.draw);
  for (const auto& fault : outcome.plan) put(fault, *answer.add_plan());
  put(outcome.injected, *answer.mutable_injected());
  put(outcome.marks, *answer.mutable_marks());
  answer.set_commands(outcome.commands);
  answer.set_acknowledged(outcome.acknowledged);
  answer.set_refused(outcome.refused);
  answer.set_unknown(outcome.unknown);
  if (outcome.failure) {
    answer.mutable_failure()->set_check(outcome.failure->check);
    answer.mutable_failure()->set_what(outcome.failure->what);
    answer.mutable_failure()->set_at_ns(outcome.failure->at.count());
  }
  answer.set_log(outcome.log);
  return answer.SerializeAsString();
}

std::optional<Answered> from_bytes(std::string_view bytes) {
  Answer answer;
  if (!answer.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return std::nullopt;
  Answered result;
  result.complete = answer.complete();
  Outcome& outcome = result.outcome;
  outcome.seed = answer.seed();
  outcome.hash = answer.hash();
  outcome.events = answer.events();
  outcome.simulated = Duration{answer.simulated_ns()};
  outcome.draw = answer.draw();
  for (const auto& fault : answer.plan()) outcome.plan.push_back(taken(fault));
  outcome.injected = taken(answer.injected());
  outcome.marks = taken(answer.marks());
  outcome.commands = answer.commands();
  outcome.acknowledged = answer.acknowledged();
  outcome.refused = answer.refused();
  outcome.unknown = answer.unknown();
  if (answer.has_failure())
    outcome.failure = Failure{answer.failure().check(), answer.failure().what(),
                              Duration{answer.failure().at_ns()}};
  outcome.log = answer.log();
  return result;
}

}  // namespace troupe::simulations

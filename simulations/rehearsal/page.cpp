#include "simulations/rehearsal/page.hpp"

namespace troupe::simulations {
namespace {

const char* kind_of(const Operation& operation) {
  switch (operation.outcome) {
    case Operation::Outcome::success:
      return "operation.success";
    case Operation::Outcome::refused:
    case Operation::Outcome::harmless:
      return "operation.refused";
    case Operation::Outcome::open:
    case Operation::Outcome::unknown:
      break;
  }
  return "operation.unknown";
}

PageEvent event_of(const Operation& operation) {
  PageEvent event;
  event.time = operation.invoked;
  event.node = "outside";
  event.kind = kind_of(operation);
  event.name = operation.client + " " + describe_request(operation);
  event.detail = describe_reply(operation);
  if (operation.returned != Duration::max()) event.until = operation.returned;
  event.entity = operation.key;
  return event;
}

}  // namespace

std::string page_of_run(const std::string& simulation, const Outcome& outcome, const LogBook& log,
                        const History& history, PageRecorder& recorder) {
  recorder.add(log);
  for (const auto& operation : history.all()) recorder.add(event_of(operation));
  TracePage page = recorder.take();
  page.simulation = simulation;
  page.seed = outcome.seed;
  page.replay = "troupe simulate " + simulation + " --seed " + std::to_string(outcome.seed);
  page.failure = outcome.failure;
  page.draw = outcome.draw;
  page.faults = to_text(outcome.plan);
  return render_trace_page(page);
}

}  // namespace troupe::simulations

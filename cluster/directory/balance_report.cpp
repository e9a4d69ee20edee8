#include "cluster/directory/balance_report.hpp"

namespace troupe::cluster {

BalanceReport report_of(const BalancePlan& plan) {
  BalanceReport report;
  for (const BalanceStep& step : plan.steps) {
    auto& one = *report.add_steps();
    one.set_kind(step.kind == BalanceStep::Kind::set_places ? "set places" : "transfer leader");
    one.set_service(step.service);
    one.set_shard(step.shard);
    for (const std::string& node : step.places) one.add_places(node);
    one.set_from(step.from);
    one.set_to(step.to);
    one.set_leads(step.leads);
    one.set_reason(to_string(step.reason));
    one.set_why(why(step));
  }
  for (const BalanceHeld& held : plan.held) {
    auto& one = *report.add_held();
    one.set_service(held.service);
    one.set_shard(held.shard);
    one.set_node(held.node);
    one.set_why(held.why);
  }
  report.set_waits_for(plan.waits_for);
  return report;
}

}  // namespace troupe::cluster

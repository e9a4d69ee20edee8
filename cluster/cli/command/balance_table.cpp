#include "cluster/cli/command/balance_table.hpp"

#include <cstdint>

#include "cluster/cli/command/human.hpp"
#include "cluster/cli/command/table.hpp"

namespace troupe::cluster {
namespace {

// "n1 -> n2", "-> n2" where there is one more, "n1 ->" where there is one fewer.
std::string change_of(const BalanceReport::Step& step, bool unicode) {
  std::string to = step.to();
  if (step.from().empty() && to.empty())
    for (const std::string& node : step.places()) to += (to.empty() ? "" : ", ") + node;
  std::string text = step.from();
  if (!text.empty()) text += ' ';
  text += unicode ? "→" : "->";
  if (!to.empty()) text += ' ' + to;
  return text;
}

std::string counted(std::uint64_t count, const std::string& one) {
  return human_count(count) + " " + one + (count == 1 ? "" : "s");
}

}  // namespace

void print_balance(const CliIo& io, const BalanceReport& report) {
  constexpr auto right = Table::Align::right;
  std::uint64_t leaders = 0;
  Table steps{{{"SERVICE"}, {"SHARD", right}, {"WHAT"}, {"CHANGE"}, {"WHY"}}};
  for (const auto& step : report.steps()) {
    leaders += step.leads() ? 1 : 0;
    steps.add({{step.service(), Tint::strong},
               std::to_string(step.shard()),
               step.leads() ? "leader" : "replica",
               change_of(step, io.unicode),
               step.why()});
  }
  Table held{{{"SERVICE"}, {"SHARD", right}, {"NODE"}, {"CANNOT BE DONE"}}};
  for (const auto& one : report.held())
    held.add({{one.service(), Tint::strong},
              std::to_string(one.shard()),
              one.node(),
              {one.why(), Tint::warning}});
  if (!steps.empty()) steps.print(io);
  if (!steps.empty() && !held.empty()) *io.out << "\n";
  if (!held.empty()) held.print(io);
  const auto all = static_cast<std::uint64_t>(report.steps_size());
  *io.err << counted(all - leaders, "replica") << " to move, " << counted(leaders, "leader")
          << " to change\n";
  if (!report.waits_for().empty())
    *io.err << "evenness waits for node " << harmless(report.waits_for())
            << ", which is down and may come back, or has just come up\n";
}

}  // namespace troupe::cluster

// `troupe advise`: how much the cluster should have, and what its services cost.
#include <array>
#include <cstdio>

#include "cluster/cli/command/human.hpp"
#include "cluster/cli/command/operate.hpp"
#include "cluster/cli/command/table.hpp"

namespace troupe::cluster {
namespace {

constexpr auto right_side = Table::Align::right;

std::string decimal(double value, int digits) {
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return {text.data(), static_cast<std::size_t>(std::max(0, length))};
}

// "4 -> 8" where there should be more than there are.
Cell advised(std::uint32_t now, std::uint32_t wanted, bool unicode) {
  if (wanted == now) return std::to_string(now);
  return {std::to_string(now) + (unicode ? " → " : " -> ") + std::to_string(wanted),
          wanted > now ? Tint::warning : Tint::none};
}

void print_advice_of(const CliIo& io, const AdviceReport& report) {
  *io.out << "Nodes: " << report.nodes_now() << " are up, " << report.nodes() << " are advised ("
          << harmless(report.reason()) << ")\n\n";
  Table needs{{{"SERVICE"},
               {"NODES", right_side},
               {"SHARDS", right_side},
               {"REPLICAS", right_side},
               {"BUSY CORES", right_side},
               {"ADVISED", right_side},
               {"COMMANDS/S", right_side}}};
  Table costs{{{"COST OF"},
               {"PROCESSOR", right_side},
               {"CORE HOURS", right_side},
               {"NODE HOURS", right_side},
               {"BYTES", right_side}}};
  for (const auto& service : report.services()) {
    needs.add({{service.service(), Tint::strong},
               std::to_string(service.nodes()),
               advised(service.shards_now(), service.shards(), io.unicode),
               advised(service.replicas_now(), service.replicas(), io.unicode),
               decimal(service.cores_now(), 2),
               decimal(service.cores(), 2),
               decimal(service.commands_per_second(), 1)});
    costs.add({{service.service(), Tint::strong},
               decimal(100 * service.cpu_share(), 1) + " %",
               decimal(service.core_hours(), 3),
               decimal(service.node_hours(), 2),
               human_bytes(service.bytes())});
  }
  needs.print(io);
  *io.out << "\n";
  costs.print(io);
}

}  // namespace

int run_advise(const CliIo& io, const OperateOptions& options, const Targets& targets) {
  DirectoryOrder order;
  order.mutable_question()->set_advice(true);
  const auto outcome = order_cluster(io, targets, order);
  if (!outcome) return exit_failed;
  if (outcome->advice().nodes() == 0) {
    *io.err << "troupe: nothing has been reported yet: the node that keeps the directory has begun "
               "to less than half a minute ago. Ask again\n";
    return exit_failed;
  }
  if (options.ask.json)
    *io.out << to_json(outcome->advice()) << "\n";
  else
    print_advice_of(io, outcome->advice());
  return exit_done;
}

}  // namespace troupe::cluster

// How much a command costs as a cluster gets more nodes, and as a service gets more shards. All
// nodes share this machine's processors, so that rates say little of what as many machines would
// do; what a command costs says more. For docs/scaling.md.
#include <algorithm>
#include <string>

#include "tests/bench/cluster/three_nodes.hpp"

namespace troupe::bench {
namespace {

constexpr int scale_callers = 64;
constexpr int scale_runs_max = 3;  // of each size: clusters take seconds to start

struct SizeFigures {
  Figure rate;
  Figure cpu;
  Figure busiest;
};

SizeFigures figures_of(const std::string& name, const std::string& what) {
  const std::string durable = "fsync of a majority before every reply; callers inside one node";
  const auto figure = [&](const std::string& kind, const std::string& unit) {
    return Figure{name + kind, unit, durable, {}, "", {}, 0, 0, kind != ".rate"};
  };
  return {figure(".rate", "commands/s, " + what),
          figure(".cpu", "us of processor time per command, all nodes and callers"),
          figure(".busiest", "us of processor time per command, of the busiest node")};
}

void measure_size(const Options& options, const ThreeNodesOptions& wanted, const std::string& name,
                  const std::string& what, std::vector<Figure>& figures) {
  SizeFigures size = figures_of(name, what);
  Accounts accounts{options, wanted};
  for (int run = 0; run < std::min(options.runs, scale_runs_max); ++run) {
    const LoopResult ours = accounts.deposits(scale_callers, options.seconds);
    size.rate.ours.runs.push_back(ours.rate);
    size.cpu.ours.runs.push_back(ours.cpu_us);
    size.busiest.ours.runs.push_back(accounts.busiest_us());
    progress(what + ": " + std::to_string(static_cast<long>(ours.rate)) + "/s, " +
             std::to_string(static_cast<long>(ours.cpu_us)) + " us of processor time each");
  }
  figures.insert(figures.end(), {size.rate, size.cpu, size.busiest});
}

std::vector<Figure> scale_out(const Options& options) {
  std::vector<Figure> figures;
  for (const int nodes : {1, 3, 5}) {
    const std::string what = std::to_string(nodes) + (nodes == 1 ? " node" : " nodes");
    measure_size(options, {.shards = 16, .nodes = nodes}, "scale_out." + std::to_string(nodes),
                 what, figures);
  }
  return figures;
}

std::vector<Figure> more_shards(const Options& options) {
  std::vector<Figure> figures;
  for (const int shards : {8, 64, 512})
    measure_size(options, {.shards = shards}, "shards." + std::to_string(shards),
                 std::to_string(shards) + " shards", figures);
  return figures;
}

}  // namespace

std::vector<NamedPart> scale_parts() {
  return {{"scale_out", "durable commands with 1, 3 and 5 nodes", scale_out},
          {"shards", "what a command costs with 8, 64 and 512 shards", more_shards}};
}

}  // namespace troupe::bench

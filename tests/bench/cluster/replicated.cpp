// Three nodes: replicated commands, linearizable reads, and what they cost when idle.
#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "tests/bench/cluster/etcd.hpp"
#include "tests/bench/cluster/nats.hpp"
#include "tests/bench/cluster/three_nodes.hpp"
#include "tests/bench/fixture.hpp"

namespace troupe::bench {
namespace {

const std::string replicated =
    "fsync of two of three nodes before every reply; three processes, callers inside one; plain "
    "links";
const std::string replicated_beside =
    "fsync of two of three nodes before every reply; three processes, callers inside the one that "
    "leads the shards they call; plain links";

std::string per_second(double rate) {
  return std::to_string(static_cast<long>(rate)) + "/s";
}

// `beside`: calls go to shards that the callers' node leads, and to no others.
std::vector<Figure> rates(const Options& options, const std::string& part, bool beside) {
  const std::string how = beside ? replicated_beside : replicated;
  Figure etcd{part + ".rate_over_etcd",
              "commands/s",
              how,
              {},
              "etcd 3.4, three members: puts of 64 callers over gRPC with the leader, fsync",
              {},
              4,
              0,
              false};
  Figure nats{part + ".rate_over_nats",
              "commands/s",
              how,
              {},
              "NATS 2.9 JetStream, three replicas: publishes, 64 in flight, no fsync",
              {},
              1,
              0,
              false};
  Figure p50{part + ".p50", "us", how, {}, "", {}, 0, 0, true};
  Figure p99{part + ".p99", "us", how, {}, "", {}, 0, 0, true};
  Figure cpu{part + ".cpu",
             "us of processor time per command, all nodes and callers",
             how,
             {},
             "",
             {},
             0,
             0,
             true};
  Accounts accounts{options, {}};
  std::optional<Etcd> their_cluster;
  std::optional<Nats> their_stream;
  if (!options.ours_only) {
    their_cluster.emplace(options);
    their_stream.emplace(options);
  }
  for (int run = 0; run < options.runs; ++run) {
    const LoopResult ours = beside ? accounts.deposits_beside(64, options.seconds)
                                   : accounts.deposits(64, options.seconds);
    const auto led = accounts.shards_led_by_n1();
    etcd.ours.runs.push_back(ours.rate);
    nats.ours.runs.push_back(ours.rate);
    p50.ours.runs.push_back(ours.percentile(0.5));
    p99.ours.runs.push_back(ours.percentile(0.99));
    cpu.ours.runs.push_back(ours.cpu_us);
    progress("run " + std::to_string(run + 1) + ": " + per_second(ours.rate) + ", " +
             std::to_string(static_cast<long>(ours.cpu_us)) +
             " us of processor time each; the callers' node leads " + std::to_string(led) +
             " of 4 shards");
    if (options.ours_only) continue;
    etcd.theirs.runs.push_back(their_cluster->puts(64, options.seconds).rate);
    nats.theirs.runs.push_back(their_stream->publishes(64, options.seconds).rate);
    progress("etcd " + per_second(etcd.theirs.runs.back()) + ", NATS " +
             per_second(nats.theirs.runs.back()));
  }
  return {etcd, nats, p50, p99, cpu};
}

std::vector<Figure> replicated_64(const Options& options) {
  return rates(options, "replicated_64", false);
}

std::vector<Figure> replicated_64_beside(const Options& options) {
  return rates(options, "replicated_64_beside", true);
}

std::vector<Figure> replicated_lone(const Options& options) {
  Figure latency{"replicated_lone.p50_over_etcd",
                 "us",
                 replicated,
                 {},
                 "etcd 3.4, three members: a lone caller's put over gRPC with the leader",
                 {},
                 1,
                 0,
                 true};
  Accounts accounts{options, {}};
  Etcd their_cluster{options};
  for (int run = 0; run < options.runs; ++run) {
    latency.ours.runs.push_back(accounts.deposits(1, options.seconds).percentile(0.5));
    latency.theirs.runs.push_back(their_cluster.puts(1, options.seconds).percentile(0.5));
    progress("run " + std::to_string(run + 1) + ": " +
             std::to_string(static_cast<long>(latency.ours.runs.back())) + " us, etcd " +
             std::to_string(static_cast<long>(latency.theirs.runs.back())) + " us");
  }
  return {latency};
}

std::vector<Figure> replicated_reads(const Options& options) {
  Figure rate{
      "replicated_reads.rate_over_etcd",
      "reads/s",
      "linearizable, confirmed by a majority; three processes, callers inside one; plain links",
      {},
      "etcd 3.4, three members: linearizable gets of 64 callers over gRPC with the leader",
      {},
      5,
      0,
      false};
  Figure cpu{"replicated_reads.cpu",
             "us of processor time per read, all nodes and callers",
             "",
             {},
             "",
             {},
             0,
             0,
             true};
  Accounts accounts{options, {}};
  accounts.gets(64, 0.5);
  std::optional<Etcd> their_cluster;
  if (!options.ours_only) their_cluster.emplace(options);
  for (int run = 0; run < options.runs; ++run) {
    const LoopResult ours = accounts.gets(64, options.seconds);
    rate.ours.runs.push_back(ours.rate);
    cpu.ours.runs.push_back(ours.cpu_us);
    progress("run " + std::to_string(run + 1) + ": " + per_second(ours.rate));
    if (options.ours_only) continue;
    rate.theirs.runs.push_back(their_cluster->gets(64, options.seconds).rate);
    progress("etcd " + per_second(rate.theirs.runs.back()));
  }
  return {rate, cpu};
}

std::vector<Figure> idle_three(const Options& options) {
  Figure processor{"idle_three.processor",
                   "% of a core, of the busiest of three nodes",
                   "",
                   {},
                   "",
                   {},
                   5,
                   0,
                   true};
  ThreeNodes nodes{options, {.tls = true, .shards = 512, .callers = false}};
  nodes.wait_asleep();
  for (int run = 0; run < options.runs; ++run) {
    const std::vector<double> before = nodes.cpu_seconds();
    const auto start = Clock::now();
    std::this_thread::sleep_for(std::chrono::duration<double>(options.seconds));
    const std::vector<double> after = nodes.cpu_seconds();
    double busiest = 0;
    for (std::size_t n = 0; n < after.size(); ++n)
      busiest = std::max(busiest, (after[n] - before[n]) / since(start) * 100);
    processor.ours.runs.push_back(busiest);
  }
  return {processor};
}

}  // namespace

std::vector<NamedPart> replicated_parts() {
  return {{"replicated_64", "replicated commands of 64 callers, over etcd and NATS", replicated_64},
          {"replicated_64_beside", "the same, callers beside the leaders, as the yardsticks' are",
           replicated_64_beside},
          {"replicated_lone", "latency of a lone replicated command, over etcd", replicated_lone},
          {"replicated_reads", "linearizable reads of 64 callers, over etcd", replicated_reads},
          {"idle_three", "processor time of three idle nodes with 512 shards", idle_three}};
}

}  // namespace troupe::bench

// Read-only calls by reference, beside bare CAF requests with the same payload.
#include <filesystem>

#include "tests/bench/fixture.hpp"
#include "tests/bench/yardsticks.hpp"

namespace troupe::bench {
namespace {

std::vector<Figure> reads(const Options& options) {
  constexpr std::uint64_t accounts = 10'000;
  constexpr int in_flight = 64;
  Figure rate{"reads.rate_over_caf",
              "reads/s",
              "linearizable, in memory",
              {},
              "request and response between two bare CAF actors, 64 in flight, same payload",
              {},
              0.5,
              0,
              false};
  Figure cpu{"reads.cpu", "us of processor time per read", "", {}, "", {}, 0, 0, true};
  const std::string folder = options.scratch + "/node";
  std::filesystem::remove_all(folder);
  {
    BenchNode node{bench_manifest(folder)};
    run_all(node.client(), accounts, 256, open_account);
    const auto next = [](int caller, std::uint64_t number) {
      return get_account((static_cast<std::uint64_t>(caller) * 7919 + number * 104'729) % accounts);
    };
    run_loop(node.client(), in_flight, 0.5, next);
    const actors::CallBase sample = get_account(1234);
    constexpr std::size_t reply_bytes = 64;  // an Account as stored
    for (int run = 0; run < options.runs; ++run) {
      const LoopResult ours = run_loop(node.client(), in_flight, options.seconds, next);
      rate.ours.runs.push_back(ours.rate);
      cpu.ours.runs.push_back(ours.cpu_us);
      rate.theirs.runs.push_back(
          caf_requests_per_second(options, in_flight, sample.payload.size(), reply_bytes));
      progress("run " + std::to_string(run + 1) + ": " +
               std::to_string(static_cast<long>(ours.rate)) + " reads/s");
    }
  }
  std::filesystem::remove_all(folder);
  return {rate, cpu};
}

}  // namespace

std::vector<NamedPart> read_parts() {
  return {{"reads", "read-only calls by reference, over bare CAF requests", reads}};
}

}  // namespace troupe::bench

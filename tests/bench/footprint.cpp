// What a node costs when little happens: processor and memory when idle, memory per resident
// entity, time to start over a million stored accounts, first answer of a cold entity.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "tests/bench/fixture.hpp"
#include "tests/bench/process.hpp"

namespace troupe::bench {
namespace {

// `troupe up` as a user starts it, on a manifest of its own.
class UpNode {
 public:
  UpNode(const Options& options, const std::string& data, const std::string& resident = "64MiB")
      : admin_port_(free_port()) {
    const std::string manifest = options.scratch + "/manifest.toml";
    std::ofstream(manifest)
        << "[cluster]\nname = \"bench\"\n[[nodes]]\nname = \"n1\"\nmesh = \"127.0.0.1:0\"\n"
        << "gateway = \"127.0.0.1:" << free_port() << "\"\nadmin = \"127.0.0.1:" << admin_port_
        << "\"\ndata = \"" << data << "\"\n[services.\"banking.v1.Accounts\"]\nshards = 4\n"
        << "replication_factor = 1\nlimits.resident_bytes = \"" << resident << "\"\n";
    server_ = std::make_unique<Server>(std::vector<std::string>{options.binary, "up", manifest},
                                       options.scratch + "/up.log");
    server_->wait_port(admin_port_);
  }
  void wait_ready() {
    const std::string url = "http://127.0.0.1:" + std::to_string(admin_port_) + "/readyz";
    run_command({"curl", "-sf", "--retry", "1000", "--retry-delay", "0", "--retry-max-time", "60",
                 "--retry-all-errors", "-o", "/dev/null", url});
  }
  Server& server() { return *server_; }

 private:
  unsigned short admin_port_;
  std::unique_ptr<Server> server_;
};

std::vector<Figure> idle(const Options& options) {
  Figure processor{"idle.processor", "% of a core", "", {}, "", {}, 2, 0, true};
  Figure memory{"idle.memory", "MiB resident", "", {}, "", {}, 80, 0, true};
  const std::string folder = options.scratch + "/node";
  std::filesystem::remove_all(folder);
  {
    UpNode node{options, folder};
    node.wait_ready();
    for (int run = 0; run < options.runs; ++run) {
      const double cpu = node.server().cpu_seconds();
      const auto start = Clock::now();
      std::this_thread::sleep_for(
          std::chrono::duration<double>(options.seconds));  // the measured time
      processor.ours.runs.push_back((node.server().cpu_seconds() - cpu) / since(start) * 100);
      memory.ours.runs.push_back(node.server().resident_bytes() / (1 << 20));
    }
  }
  std::filesystem::remove_all(folder);
  return {processor, memory};
}

std::vector<Figure> residents(const Options& options) {
  constexpr std::uint64_t accounts = 100'000;
  Figure memory{"residents.bytes",
                "bytes per resident entity, state included",
                "",
                {},
                "",
                {},
                1024,
                0,
                true};
  const std::string folder = options.scratch + "/node";
  for (int run = 0; run < options.runs; ++run) {
    std::filesystem::remove_all(folder);
    config::Manifest manifest = bench_manifest(folder);
    manifest.service_defaults.limits.resident_bytes = 4ull << 30;
    // Each in a process of its own: memory that an earlier node gave back would be used again, and
    // not be seen.
    in_child([&] {
      BenchNode node{manifest};
      run_all(node.client(), accounts, 256, open_account);
      return 0.0;
    });
    memory.ours.runs.push_back(in_child([&] {
      BenchNode node{manifest};
      const double before = own_resident_bytes();
      run_all(node.client(), accounts, 256, get_account);
      return (own_resident_bytes() - before) / accounts;
    }));
    progress("run " + std::to_string(run + 1) + ": " +
             std::to_string(static_cast<long>(memory.ours.runs.back())) + " bytes");
  }
  std::filesystem::remove_all(folder);
  return {memory};
}

std::vector<Figure> million(const Options& options) {
  constexpr std::uint64_t accounts = 1'000'000;
  Figure start{"million.ready",
               "s until a node with 1,000,000 stored accounts serves",
               "",
               {},
               "",
               {},
               2,
               0,
               true};
  Figure cold{"million.cold_p50",
              "us until a cold entity's first answer, median",
              "",
              {},
              "",
              {},
              1000,
              0,
              true};
  Figure cold99{"million.cold_p99",
                "us until a cold entity's first answer, 99th percentile",
                "",
                {},
                "",
                {},
                0,
                0,
                true};
  const std::string folder = options.scratch + "/node";
  std::filesystem::remove_all(folder);
  const config::Manifest manifest = bench_manifest(folder);
  progress("opening 1,000,000 accounts");
  {
    BenchNode node{manifest};
    run_all(node.client(), accounts, 1024, open_account);
  }
  for (int run = 0; run < options.runs; ++run) {
    {
      const auto begin = Clock::now();
      BenchNode node{manifest};
      start.ours.runs.push_back(since(begin));
      std::uint64_t number = static_cast<std::uint64_t>(run) * 1013;
      const LoopResult reads = run_loop(node.client(), 1, options.seconds, [&](int, std::uint64_t) {
        number = (number + 611'953) % accounts;  // each once: coprime to the number of accounts
        return get_account(number);
      });
      cold.ours.runs.push_back(reads.percentile(0.5));
      cold99.ours.runs.push_back(reads.percentile(0.99));
    }
    progress("run " + std::to_string(run + 1) + ": ready in " +
             std::to_string(start.ours.runs.back()) + " s");
  }
  std::filesystem::remove_all(folder);
  return {start, cold, cold99};
}

}  // namespace

std::vector<NamedPart> footprint_parts() {
  return {{"idle", "processor time and memory of an idle node", idle},
          {"residents", "memory of 100,000 resident entities", residents},
          {"million", "start over a million stored accounts; cold entities", million}};
}

}  // namespace troupe::bench

// Durable commands: deposits over 10,000 accounts, an fsync before every reply.
#include <filesystem>

#include "tests/bench/fixture.hpp"
#include "tests/bench/yardsticks.hpp"

namespace troupe::bench {
namespace {

constexpr std::uint64_t payees = 10'000;
const std::string durable = "fsync before every reply, one node";

// A cheap sequence without repetition close by, so that callers spread over the accounts.
std::uint64_t scatter(int caller, std::uint64_t number) {
  return (static_cast<std::uint64_t>(caller) * 7919 + number * 104'729) % payees;
}

class Deposits {
 public:
  explicit Deposits(const Options& options)
      : options_(options), folder_(options.scratch + "/node") {
    std::filesystem::remove_all(folder_);
    node_ = std::make_unique<BenchNode>(bench_manifest(folder_));
    run_all(node_->client(), payees, 256, open_account);
    loop(64, 1);  // warm: files have grown, entities are resident
  }
  ~Deposits() {
    node_.reset();
    std::filesystem::remove_all(folder_);
  }
  LoopResult loop(int callers, double seconds) {
    return run_loop(node_->client(), callers, seconds, [](int caller, std::uint64_t number) {
      return deposit(scatter(caller, number), 1);
    });
  }

 private:
  const Options& options_;
  const std::string folder_;
  std::unique_ptr<BenchNode> node_;
};

std::vector<Figure> at_64(const Options& options) {
  Figure postgres{"durable_64.rate_over_postgres",
                  "commands/s",
                  durable,
                  {},
                  "PostgreSQL 15 one-row INSERT, 64 clients, synchronous_commit=on",
                  {},
                  2,
                  3,
                  false};
  Figure redis{"durable_64.rate_over_redis",
               "commands/s",
               durable,
               {},
               "Redis 7 SET, 64 clients, appendfsync always",
               {},
               0,
               1,
               false};
  Figure p99{"durable_64.p99_over_fdatasync",
             "us",
             durable,
             {},
             "median fdatasync of a 4 KiB append",
             {},
             15,
             0,
             true};
  Figure cpu{"durable_64.cpu", "us of processor time per command", durable, {}, "", {}, 0, 0, true};
  Figure written{
      "durable_64.written", "bytes written to disk per command", durable, {}, "", {}, 0, 0, true};
  Figure p50{"durable_64.p50", "us", durable, {}, "", {}, 0, 0, true};
  Deposits deposits{options};
  Postgres server{options};
  Redis cache{options};
  for (int run = 0; run < options.runs; ++run) {
    const LoopResult ours = deposits.loop(64, options.seconds);
    postgres.ours.runs.push_back(ours.rate);
    redis.ours.runs.push_back(ours.rate);
    p99.ours.runs.push_back(ours.percentile(0.99));
    p50.ours.runs.push_back(ours.percentile(0.5));
    cpu.ours.runs.push_back(ours.cpu_us);
    written.ours.runs.push_back(ours.written_bytes);
    postgres.theirs.runs.push_back(server.inserts_per_second(64, options.seconds));
    redis.theirs.runs.push_back(cache.sets_per_second(64, options.seconds));
    p99.theirs.runs.push_back(fdatasync_median_us(options));
    progress("run " + std::to_string(run + 1) + ": " +
             std::to_string(static_cast<long>(ours.rate)) + " commands/s");
  }
  return {postgres, redis, p99, p50, cpu, written};
}

std::vector<Figure> at_1024(const Options& options) {
  Figure rate{"durable_1024.rate_over_sqlite",
              "commands/s",
              durable,
              {},
              "bare SQLite, WAL, synchronous=FULL, 100 rows a commit: rows/s",
              {},
              0.2,
              0.3,
              false};
  Figure cpu{
      "durable_1024.cpu", "us of processor time per command", durable, {}, "", {}, 0, 0, true};
  Deposits deposits{options};
  for (int run = 0; run < options.runs; ++run) {
    const LoopResult ours = deposits.loop(1024, options.seconds);
    rate.ours.runs.push_back(ours.rate);
    cpu.ours.runs.push_back(ours.cpu_us);
    rate.theirs.runs.push_back(sqlite_rows_per_second(options, 100));
    progress("run " + std::to_string(run + 1) + ": " +
             std::to_string(static_cast<long>(ours.rate)) + " commands/s");
  }
  return {rate, cpu};
}

std::vector<Figure> alone(const Options& options) {
  Figure latency{"durable_lone.p50_over_fdatasync",
                 "us",
                 durable,
                 {},
                 "median fdatasync of a 4 KiB append",
                 {},
                 2.5,
                 0,
                 true};
  Deposits deposits{options};
  for (int run = 0; run < options.runs; ++run) {
    latency.ours.runs.push_back(deposits.loop(1, options.seconds).percentile(0.5));
    latency.theirs.runs.push_back(fdatasync_median_us(options));
    progress("run " + std::to_string(run + 1) + ": " +
             std::to_string(static_cast<long>(latency.ours.runs.back())) + " us");
  }
  return {latency};
}

}  // namespace

std::vector<NamedPart> durable_parts() {
  return {{"durable_64", "durable commands of 64 callers, over PostgreSQL and Redis", at_64},
          {"durable_1024", "durable commands of 1,024 callers, over bare SQLite", at_1024},
          {"durable_lone", "latency of a lone durable command, over fdatasync", alone}};
}

}  // namespace troupe::bench

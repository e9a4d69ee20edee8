#include "tests/bench/fixture.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "banking/v1/accounts.troupe.hpp"
#include "cluster/cluster_id.hpp"
#include "cluster/init.hpp"
#include "runtime/platform/os/os_platform.hpp"
#include "tests/bench/process.hpp"

namespace troupe::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Waits for something that another thread brings about.
class Signal {
 public:
  void raise() {
    const std::lock_guard guard{mutex_};
    raised_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock guard{mutex_};
    changed_.wait(guard, [this] { return raised_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool raised_ = false;
};

std::string account(std::uint64_t number) {
  return "a" + std::to_string(number);
}

}  // namespace

config::Manifest bench_manifest(const std::string& data_folder) {
  config::Manifest manifest;
  manifest.cluster.name = "bench";
  config::Node node;
  node.name = "n1";
  node.mesh = {"127.0.0.1", 0};
  node.admin = {"127.0.0.1", 0};
  node.data = data_folder;
  manifest.nodes.push_back(node);
  manifest.log.level = config::LogLevel::warn;
  return manifest;
}

BenchNode::BenchNode(const config::Manifest& manifest) {
  runtime::OsOptions options;
  options.node = manifest.nodes.front().name;
  options.log_level = runtime::LogLevel::error;  // links come and go
  options.scheduler = manifest.scheduler.policy == config::SchedulerPolicy::stealing
                          ? runtime::SchedulerPolicy::stealing
                          : runtime::SchedulerPolicy::sharing;
  options.scheduler_threads = manifest.scheduler.threads;
  platform_ = runtime::make_os_platform(options);
  auto& disk = platform_->disk();
  const auto known = cluster::DataFolder::look(disk, manifest.nodes.front().data);
  if (known && !*known) {
    const auto created = cluster::create_cluster(disk, manifest, {options.node},
                                                 cluster::make_cluster_id(platform_->random()));
    if (!created) throw std::runtime_error("no data folder: " + created.error().describe());
  }
  auto started =
      cluster::Node::start(*platform_, manifest, options.node, actors::ServiceRegistry::global());
  if (!started) throw std::runtime_error("the node did not start: " + started.error().describe());
  node_ = *std::move(started);
  auto ready = std::make_shared<Signal>();
  node_->when_ready([ready] { ready->raise(); });
  ready->wait();
}

BenchNode::~BenchNode() {
  auto stopped = std::make_shared<Signal>();
  node_->stop([stopped] { stopped->raise(); });
  stopped->wait();
}

double LoopResult::percentile(double p) const {
  if (latency_us.empty()) return 0;
  return latency_us[std::min(latency_us.size() - 1,
                             static_cast<std::size_t>(p * static_cast<double>(latency_us.size())))];
}

LoopResult run_calls(
    int callers, double seconds,
    const std::function<void(int caller, std::uint64_t number, CallDone done)>& begin) {
  struct Caller {
    std::uint64_t sent = 0;
    Clock::time_point begin;
    std::vector<double> latency_us;
  };
  struct Shared {
    std::vector<Caller> callers;
    std::atomic<bool> stop{false};
    std::atomic<int> running{0};
    std::mutex mutex;
    std::string failure;
    Signal ended;
    std::function<void(int)> send;
  };
  auto shared = std::make_shared<Shared>();
  shared->callers.resize(static_cast<std::size_t>(callers));
  shared->running = callers;
  shared->send = [shared_raw = shared.get(), &begin](int index) {
    Caller& caller = shared_raw->callers[static_cast<std::size_t>(index)];
    const std::uint64_t number = caller.sent++;
    caller.begin = Clock::now();
    begin(index, number, [shared_raw, index](const std::string& failure) {
      Caller& mine = shared_raw->callers[static_cast<std::size_t>(index)];
      mine.latency_us.push_back(
          std::chrono::duration<double, std::micro>(Clock::now() - mine.begin).count());
      if (!failure.empty()) {
        const std::lock_guard guard{shared_raw->mutex};
        shared_raw->failure = failure;
        shared_raw->stop = true;
      }
      if (!shared_raw->stop.load(std::memory_order_relaxed)) return shared_raw->send(index);
      if (shared_raw->running.fetch_sub(1) == 1) shared_raw->ended.raise();
    });
  };
  const double cpu = own_cpu_seconds();
  const double written = own_written_bytes();
  const auto start = Clock::now();
  for (int index = 0; index < callers; ++index) shared->send(index);
  std::this_thread::sleep_for(
      std::chrono::duration<double>(seconds));  // the length of the measurement
  shared->stop = true;
  shared->ended.wait();
  LoopResult result;
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (!shared->failure.empty()) throw std::runtime_error("a call failed: " + shared->failure);
  for (const Caller& caller : shared->callers)
    result.latency_us.insert(result.latency_us.end(), caller.latency_us.begin(),
                             caller.latency_us.end());
  std::sort(result.latency_us.begin(), result.latency_us.end());
  const double count = static_cast<double>(result.latency_us.size());
  result.rate = count / result.seconds;
  result.cpu_us = (own_cpu_seconds() - cpu) * 1e6 / count;
  result.written_bytes = (own_written_bytes() - written) / count;
  return result;
}

LoopResult run_loop(actors::Client& client, int callers, double seconds,
                    const std::function<actors::CallBase(int caller, std::uint64_t number)>& next) {
  return run_calls(callers, seconds, [&](int caller, std::uint64_t number, CallDone done) {
    client.send(next(caller, number), {}, [done = std::move(done)](Result<actors::Reply> reply) {
      done(reply ? std::string{} : reply.error().describe());
    });
  });
}

void run_all(actors::Client& client, std::uint64_t count, int in_flight,
             const std::function<actors::CallBase(std::uint64_t number)>& next) {
  struct Shared {
    std::atomic<std::uint64_t> begun{0};
    std::atomic<int> running{0};
    std::mutex mutex;
    std::string failure;
    Signal ended;
    std::function<void()> send;
  };
  auto shared = std::make_shared<Shared>();
  shared->running = in_flight;
  shared->send = [shared_raw = shared.get(), count, &client, &next] {
    const std::uint64_t number = shared_raw->begun.fetch_add(1);
    if (number >= count) {
      if (shared_raw->running.fetch_sub(1) == 1) shared_raw->ended.raise();
      return;
    }
    actors::CallOptions patient;
    patient.timeout = std::chrono::minutes{5};
    client.send(next(number), std::move(patient), [shared_raw](Result<actors::Reply> reply) {
      if (!reply && reply.error().code != Code::already_exists) {
        const std::lock_guard guard{shared_raw->mutex};
        shared_raw->failure = reply.error().describe();
      }
      shared_raw->send();
    });
  };
  for (int n = 0; n < in_flight; ++n) shared->send();
  shared->ended.wait();
  if (!shared->failure.empty()) throw std::runtime_error("a call failed: " + shared->failure);
}

actors::CallBase open_account(std::uint64_t number) {
  banking::v1::OpenRequest request;
  request.set_owner("owner " + std::to_string(number));
  request.set_currency("EUR");
  return banking::v1::AccountsRef{account(number)}.Open(request);
}

actors::CallBase deposit(std::uint64_t number, std::int64_t amount) {
  banking::v1::DepositRequest request;
  request.mutable_amount()->set_currency("EUR");
  request.mutable_amount()->set_minor_units(amount);
  return banking::v1::AccountsRef{account(number)}.Deposit(request);
}

actors::CallBase get_account(std::uint64_t number) {
  return banking::v1::AccountsRef{account(number)}.Get(banking::v1::GetRequest{});
}

}  // namespace troupe::bench

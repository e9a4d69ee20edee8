#include "runtime/platform/os/os_platform.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <system_error>
#include <thread>

#include "runtime/platform/os/files/descriptors.hpp"
#include "runtime/platform/os/os_clock.hpp"
#include "runtime/platform/os/os_disk.hpp"
#include "runtime/platform/os/os_network.hpp"
#include "runtime/platform/os/os_random.hpp"
#include "runtime/platform/os/os_rpc.hpp"
#include "runtime/platform/os/os_workers.hpp"
#include "runtime/platform/os/threads/threads.hpp"
#include "runtime/telemetry/console_log.hpp"

namespace troupe::runtime {
namespace {

constexpr auto fail_stop_grace = std::chrono::seconds{1};

void prepare_process() {
  ::signal(SIGPIPE, SIG_IGN);
  rlimit descriptors{};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return;
  descriptors.rlim_cur = descriptors.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &descriptors);  // best effort: the old limit may be enough
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// A log that nobody reads any more must not keep alive what has to stop.
void end_soon() {
  try {
    std::thread{[] {
      begin_thread("fail-stop");
      std::this_thread::sleep_for(fail_stop_grace);
      std::_Exit(fail_stop_status);
    }}.detach();
  } catch (const std::system_error&) {
    std::_Exit(fail_stop_status);  // no thread to be had: the log line is the lesser loss
  }
}

LogForm log_form(LogFormat format) {
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  if (format == LogFormat::json) return LogForm::json;
  if (format == LogFormat::automatic && !terminal) return LogForm::json;
  // https://no-color.org: any value but an empty one
  const std::string no_colour = environment("NO_COLOR");
  const std::string kind = environment("TERM");
  const bool colour = terminal && no_colour.empty() && !kind.empty() && kind != "dumb";
  return colour ? LogForm::coloured_text : LogForm::text;
}

class OsPlatform final : public Platform {
 public:
  explicit OsPlatform(OsOptions options)
      : options_(std::move(options)),
        log_(make_console_log({options_.node, log_form(options_.log_format), options_.log_level},
                              clock_, stderr)),
        metrics_(Metrics::make()),
        disk_(make_os_disk()),
        workers_(make_os_workers({.pool_threads = options_.worker_threads,
                                  .on_bug = [this](const Error& error) { fail_stop(error); }})),
        network_(make_os_network(options_.network_threads, *log_)),
        rpc_(make_os_rpc(options_.network_threads, *network_, *log_)) {}

  Clock& clock() override { return clock_; }
  Random& random() override { return random_; }
  Disk& disk() override { return *disk_; }
  Network& network() override { return *network_; }
  RpcServers* rpc() override { return rpc_.get(); }
  Workers& workers() override { return *workers_; }
  Logger& log() override { return *log_; }
  Metrics& metrics() override { return *metrics_; }

  // Linux: the second figure of statm is resident pages (proc(5)).
  std::uint64_t resident_bytes() const override {
    std::ifstream file{"/proc/self/statm"};
    std::uint64_t size = 0, resident = 0;
    file >> size >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }

  std::uint64_t descriptors_max() const override { return runtime::descriptors_max(); }
  bool descriptors_scarce() const override { return runtime::descriptors_scarce(); }

  unsigned processors() const override { return std::max(1u, std::thread::hardware_concurrency()); }
  Duration processor_time() const override {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
  }

  void configure(caf::actor_system_config& config) override {
    const bool stealing = options_.scheduler == SchedulerPolicy::stealing;
    // The log's writer takes a core of its own under load. With a thread for it, too, actors'
    // threads share a core now and then, and messages wait for a tick of the kernel.
    const std::size_t threads = options_.scheduler_threads != 0
                                    ? options_.scheduler_threads
                                    : std::max(2u, std::thread::hardware_concurrency()) - 1;
    config.set("scheduler.policy", stealing ? caf::atom("stealing") : caf::atom("sharing"));
    config.set("scheduler.max-threads", threads);
    // CAF's own log would go to a file in the working directory.
    config.set("logger.verbosity", caf::atom("quiet"));
  }

  [[noreturn]] void fail_stop(const Error& why) override {
    end_soon();
    log_->error(
        "node.fail_stop", "the process ends, because going on could do harm",
        {{"code", troupe::to_string(why.code)}, {"reason", why.reason}, {"what", why.message}});
    std::fflush(nullptr);
    // No destructors: nothing may be written, closed in order or answered after this.
    std::_Exit(fail_stop_status);
  }

 private:
  const OsOptions options_;
  OsClock clock_;
  OsRandom random_;
  const std::unique_ptr<Logger> log_;
  const std::unique_ptr<Metrics> metrics_;
  const std::unique_ptr<Disk> disk_;
  const std::unique_ptr<Workers> workers_;
  const std::unique_ptr<Network> network_;  // last: its callbacks may use the others
  const std::unique_ptr<RpcServers> rpc_;
};

}  // namespace

std::unique_ptr<Platform> make_os_platform(OsOptions options) {
  prepare_process();
  return std::make_unique<OsPlatform>(std::move(options));
}

}  // namespace troupe::runtime

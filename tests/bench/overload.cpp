// What a node does when clients want ten times what it can do: durable deposits over HTTP, in an
// open loop, for two minutes.
//
// The clients run on the node's own processors, which ten times what a node does over HTTP would
// need for themselves. So the node of `overload` has a slow disk: one shard with eight commands in
// a batch and one batch in flight, and a disk that writes 400 times a second (a cgroup's limit,
// which takes root and cgroup v1; elsewhere the disk is as fast as it is, and one command makes a
// batch). `overload_cpu` has a node whose capacity is the processors', and as many connections as
// it takes to be overloaded; what its clients can offer is what the node leaves them.
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/bench/figure.hpp"
#include "tests/bench/gateway_node.hpp"
#include "tests/bench/open_loop.hpp"

namespace troupe::bench {
namespace {

constexpr double times_capacity = 10;
constexpr double loops_long = 40;  // of Options::seconds: two minutes

std::string deposit_over_http(std::uint64_t number) {
  // Far from each other, so that a run does not meet one account twice at a time.
  const std::string account = std::to_string(number * 7919 % bench_accounts);
  const std::string body = R"({"amount":{"currency":"EUR","minorUnits":"1"}})";
  return "POST /v1/accounts/a" + account +
         ":deposit HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

// Bounds how often processes write to the disk of a folder, as long as it lives.
class SlowDisk {
 public:
  explicit SlowDisk(const std::string& folder)
      : group_("/sys/fs/cgroup/blkio/troupe-bench-" + std::to_string(getpid())) {
    struct stat seen {};
    if (stat(folder.c_str(), &seen) != 0) return;
    std::error_code failed;
    if (!std::filesystem::create_directory(group_, failed)) return;
    on_ = write("blkio.throttle.write_iops_device", std::to_string(major(seen.st_dev)) + ":" +
                                                        std::to_string(minor(seen.st_dev)) + " " +
                                                        std::to_string(writes_a_second));
  }
  ~SlowDisk() {
    std::error_code ignored;
    std::filesystem::remove(group_, ignored);  // its processes have ended
  }
  SlowDisk(const SlowDisk&) = delete;
  SlowDisk& operator=(const SlowDisk&) = delete;

  static constexpr int writes_a_second = 400;
  bool on() const { return on_; }
  bool hold(pid_t process) const { return write("cgroup.procs", std::to_string(process)); }

 private:
  bool write(const std::string& file, const std::string& text) const {
    std::ofstream out(group_ + "/" + file);
    out << text << std::flush;
    return static_cast<bool>(out);
  }

  const std::string group_;
  bool on_ = false;
};

struct Case {
  std::string name;
  int connections;  // of the overload
  bool open;        // clients do not wait for each other, and the disk is slow
  std::string durability = "fsync before every reply, one node";
};

std::string shown(double value, const char* format) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::vector<Figure> overload(const Options& options, const Case& what) {
  const std::string overloaded =
      what.open ? "ten times what it can do"
                : std::to_string(what.connections) + " connections that send as fast as they can";
  Figure goodput{what.name + ".goodput_over_most",
                 "commands/s",
                 what.durability,
                 {},
                 "the same node with 64 connections that wait for their answers, before and after",
                 {},
                 0.8,
                 0,
                 false};
  Figure offered{what.name + ".offered", "requests/s: " + overloaded, "", {}, "", {}, 0, 0, false};
  Figure p50{what.name + ".p50", "us, of what was let in", what.durability, {}, "", {}, 0, 0, true};
  Figure p99{what.name + ".p99", "us, of what was let in", what.durability, {}, "", {}, 0, 0, true};
  Figure refusal{what.name + ".refusal_p99", "us until a 429", "", {}, "", {}, 0, 0, true};
  Figure refused{what.name + ".refused", "% of the answers", "", {}, "", {}, 0, 0, true};
  Figure memory{what.name + ".memory",
                "MiB resident, the most of the second half",
                "",
                {},
                "the most of the first half",
                {},
                1.1,
                0,
                true};

  std::unique_ptr<SlowDisk> disk;  // gone after the node
  if (what.open) disk = std::make_unique<SlowDisk>(options.scratch);
  const bool slow = disk && disk->on();
  const std::string batch = slow ? "8" : "1";
  // A cache that is soon full: what grows then is not a cache.
  const std::string cache = "[storage]\npage_cache_bytes = \"16MiB\"\n";
  GatewayNode node{
      options, (!what.open ? "shards = 4\n"
                           : "shards = 1\n[service_defaults.limits]\nbatch_commands = " + batch +
                                 "\nbatches_in_flight = 1\n") +
                   cache};
  if (slow && !disk->hold(node.server->pid())) throw std::runtime_error("no limit of the disk");
  if (what.open && !slow) progress("no cgroup to limit the disk: one command makes a batch");
  HttpLoad load;
  load.port = node.port();
  load.request = deposit_over_http;
  // Long enough for what a node does now and then to be in it: checkpoints, and what a slow disk
  // owes. Once before the overload and once after it, since files grow and so do checkpoints.
  const auto measure_most = [&](const char* when) {
    load.connections = 64;
    load.rate = 0;
    load.seconds = std::max(3.0, loops_long / 4 * options.seconds);
    load.watch = [](double) {};
    const double before = node.server->cpu_seconds();
    const double most = run_http_load(load).good_rate();
    const double cpu = (node.server->cpu_seconds() - before) * 1e6 / (most * load.seconds);
    progress(std::string{"most, "} + when + shown(most, ": %.0f commands/s, ") +
             shown(cpu, "%.0f us of processor each"));
    return most;
  };
  const double most_before = measure_most("before");

  const double start_bytes = node.server->resident_bytes();
  double early_bytes = 0;
  double most_bytes[2] = {0, 0};  // of each half
  load.connections = what.connections;
  load.rate = what.open ? times_capacity * most_before : 0;
  load.seconds = loops_long * options.seconds;
  load.watch = [&](double elapsed) {
    const double bytes = node.server->resident_bytes();
    if (early_bytes == 0 && elapsed >= load.seconds / 12) early_bytes = bytes;
    double& most = most_bytes[elapsed < load.seconds / 2 ? 0 : 1];
    most = std::max(most, bytes);
  };
  const double cpu_before = node.server->cpu_seconds();
  const HttpLoadResult result = run_http_load(load);
  const double mib = 1 << 20;
  const double end_bytes = node.server->resident_bytes();
  goodput.ours.runs = {result.good_rate()};
  const double cpu = node.server->cpu_seconds() - cpu_before;
  goodput.theirs.runs = {(most_before + measure_most("after")) / 2};
  offered.ours.runs = {result.offered_rate()};
  p50.ours.runs = {percentile(result.good_us, 0.5)};
  p99.ours.runs = {percentile(result.good_us, 0.99)};
  refusal.ours.runs = {percentile(result.refused_us, 0.99)};
  refused.ours.runs = {result.refused_share() * 100};
  memory.ours.runs = {most_bytes[1] / mib};
  memory.theirs.runs = {most_bytes[0] / mib};
  progress(shown(result.seconds, "%.0f s: ") + std::to_string(result.sent) + " sent, " +
           std::to_string(result.unsent) + " not sent for want of a connection, " +
           std::to_string(result.failed) + " failed; " +
           shown(cpu / result.seconds, "%.2f processors busy; resident ") +
           shown(start_bytes / mib, "%.0f MiB at the start, ") +
           shown(early_bytes / mib, "%.0f after a twelfth of the time, ") +
           shown(end_bytes / mib, "%.0f at the end"));
  return {goodput, offered, p50, p99, refusal, refused, memory};
}

}  // namespace

std::vector<NamedPart> overload_parts() {
  const Case slow{"overload", 2000, true};
  const Case busy{"overload_cpu", 2000, false};
  return {{"overload", "ten times the deposits that a node with a slow disk can take, two minutes",
           [slow](const Options& options) { return overload(options, slow); }},
          {"overload_cpu",
           "2,000 connections that deposit as fast as the processors allow, two minutes",
           [busy](const Options& options) { return overload(options, busy); }}};
}

}  // namespace troupe::bench

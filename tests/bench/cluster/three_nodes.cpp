#include "tests/bench/cluster/three_nodes.hpp"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "cluster/admin.pb.h"
#include "cluster/router.hpp"
#include "config/load.hpp"

namespace troupe::bench {
namespace {

constexpr std::uint64_t accounts = 10'000;

std::uint64_t an_account(int caller, std::uint64_t number) {
  return (static_cast<std::uint64_t>(caller) * 7919 + number * 104'729) % accounts;
}

std::string here(unsigned short port) {
  return "\"127.0.0.1:" + std::to_string(port) + "\"";
}

}  // namespace

ThreeNodes::ThreeNodes(const Options& options, const ThreeNodesOptions& wanted)
    : folder_(options.scratch + "/three"), shards_(wanted.shards) {
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directories(folder_);
  std::vector<std::string> names;
  for (int n = 1; n <= wanted.nodes; ++n) names.push_back("n" + std::to_string(n));
  std::ostringstream text;
  text << "[cluster]\nname = \"bench\"\n[log]\nlevel = \"warn\"\n";
  if (wanted.tls) {
    const std::string certs = folder_ + "/certs";
    run_command({options.binary, "certs", "init", "--cluster", "bench", "--dir", certs});
    for (const std::string& name : names)
      run_command({options.binary, "certs", "node", name, "--dir", certs});
    text << "[cluster.tls]\nauthority = \"" << certs << "/authority.pem\"\ncertificate = \""
         << certs << "/nodes/{node}.pem\"\nkey = \"" << certs << "/nodes/{node}.key\"\n";
  }
  text << "[services.\"banking.v1.Accounts\"]\nshards = " << wanted.shards
       << "\nreplication_factor = " << std::min(wanted.nodes, 3) << "\n";
  for (const std::string& name : names) {
    const unsigned short admin = free_port();
    admins_.push_back("http://127.0.0.1:" + std::to_string(admin));
    text << "[[nodes]]\nname = \"" << name << "\"\nmesh = " << here(free_port())
         << "\ngateway = " << here(free_port()) << "\nadmin = " << here(admin) << "\ndata = \""
         << folder_ << "/" << name << "\"\nservices = [\"banking.v1.Accounts\"]\n";
  }
  const std::string file = folder_ + "/manifest.toml";
  std::ofstream(file) << text.str();
  run_command({options.binary, "init", file});
  for (std::size_t n = wanted.callers ? 1 : 0; n < names.size(); ++n)
    servers_.push_back(std::make_unique<Server>(
        std::vector<std::string>{options.binary, "node", file, "--name", names[n]},
        folder_ + "/" + names[n] + ".log"));
  if (wanted.callers) {
    const auto manifest =
        config::load_manifest(text.str(), file, [](const std::string&) { return std::nullopt; });
    if (!manifest) throw std::runtime_error(file + ": " + manifest.error().front().message);
    node_ = std::make_unique<BenchNode>(*manifest);
  }
  for (const std::string& admin : admins_)
    run_command({"curl", "-sf", "--retry", "1000", "--retry-delay", "0", "--retry-max-time", "30",
                 "--retry-all-errors", "-o", "/dev/null", admin + "/readyz"});
}

ThreeNodes::~ThreeNodes() {
  node_.reset();
  servers_.clear();
  std::filesystem::remove_all(folder_);
}

void ThreeNodes::wait_asleep() const {
  using Time = std::chrono::steady_clock;
  const auto until = Time::now() + std::chrono::seconds{30};
  for (const std::string& admin : admins_) {
    for (double asleep = 0; asleep < shards_;) {
      if (Time::now() > until)
        throw std::runtime_error("of " + std::to_string(shards_) + " groups only " +
                                 std::to_string(asleep) + " sleep");
      std::this_thread::sleep_for(std::chrono::milliseconds{100});
      const std::string text = run_command({"curl", "-sf", admin + "/metrics"});
      const auto at = text.find("\ntroupe_groups_asleep ");
      if (at != std::string::npos) asleep = std::stod(text.substr(text.find(' ', at)));
    }
  }
}

std::vector<std::uint32_t> ThreeNodes::led_by_n1() const {
  cluster::ShardList list;
  google::protobuf::util::JsonParseOptions lenient;
  lenient.ignore_unknown_fields = true;
  const std::string text = run_command({"curl", "-sf", admins_.front() + "/v1/shards"});
  if (!google::protobuf::util::JsonStringToMessage(text, &list, lenient).ok())
    throw std::runtime_error(admins_.front() + "/v1/shards does not parse: " + text);
  std::vector<std::uint32_t> led;
  for (const auto& shard : list.shards())
    if (shard.service() == "banking.v1.Accounts" && shard.role() == "leader")
      led.push_back(shard.shard());
  std::sort(led.begin(), led.end());
  return led;
}

std::vector<double> ThreeNodes::cpu_seconds() const {
  std::vector<double> seconds;
  if (node_) seconds.push_back(own_cpu_seconds());
  for (const auto& server : servers_) seconds.push_back(server->cpu_seconds());
  return seconds;
}

Accounts::Accounts(const Options& options, const ThreeNodesOptions& wanted)
    : nodes_(options, wanted), shards_(static_cast<std::uint32_t>(wanted.shards)) {
  run_all(nodes_.client(), accounts, 256, open_account);
  deposits(64, 1);  // warm: files have grown, entities are resident
}

LoopResult Accounts::deposits(int callers, double seconds) {
  return loop(callers, seconds, [](int caller, std::uint64_t number) {
    return deposit(an_account(caller, number), 1);
  });
}

LoopResult Accounts::deposits_beside(int callers, double seconds) {
  using Time = std::chrono::steady_clock;
  std::vector<std::uint32_t> led = nodes_.led_by_n1();
  // It may lead none before the balancer has evened leaders out.
  for (const auto until = Time::now() + std::chrono::seconds{30}; led.empty();
       led = nodes_.led_by_n1()) {
    if (Time::now() > until) throw std::runtime_error("n1 leads no shard");
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  std::vector<std::uint64_t> near;
  for (std::uint64_t number = 0; number < accounts; ++number) {
    const actors::CallBase call = get_account(number);
    const auto bucket = cluster::bucket_of(call.service->name, call.key);
    if (std::binary_search(led.begin(), led.end(), cluster::shard_of(bucket, shards_)))
      near.push_back(number);
  }
  LoopResult result = loop(callers, seconds, [&near](int caller, std::uint64_t number) {
    return deposit(near[an_account(caller, number) % near.size()], 1);
  });
  if (nodes_.led_by_n1() != led) throw std::runtime_error("leaders moved during the run");
  return result;
}

LoopResult Accounts::gets(int callers, double seconds) {
  return loop(callers, seconds, [](int caller, std::uint64_t number) {
    return get_account(an_account(caller, number));
  });
}

LoopResult Accounts::loop(int callers, double seconds,
                          const std::function<actors::CallBase(int, std::uint64_t)>& next) {
  const std::vector<double> before = nodes_.cpu_seconds();
  LoopResult result = run_loop(nodes_.client(), callers, seconds, next);
  const std::vector<double> after = nodes_.cpu_seconds();
  result.cpu_us = busiest_us_ = 0;
  for (std::size_t n = 0; n < after.size(); ++n) {
    const double us = (after[n] - before[n]) * 1e6 / static_cast<double>(result.latency_us.size());
    result.cpu_us += us;
    busiest_us_ = std::max(busiest_us_, us);
  }
  return result;
}

}  // namespace troupe::bench

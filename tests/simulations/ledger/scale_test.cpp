// What a cluster costs as it grows: its directory, its links, its idle groups; at rest, with
// clients, and while all of its nodes are stopped in order and started again, one after the other.
// By hand:
//   build/release/bin/test_ledger --no-skip -tc='scale*'
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <deque>
#include <memory>
#include <set>

#include "cluster/directory/places.hpp"
#include "cluster/group_of.hpp"
#include "config/load.hpp"
#include "simulations/models/account_client.hpp"
#include "simulations/models/cluster_manifest.hpp"
#include "simulations/rehearsal/hosting.hpp"
#include "simulations/rehearsal/rehearsal.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

constexpr runtime::GroupId directory_group = 0;

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Bytes between nodes, and how often something happened.
struct Meter final : TraceSink {
  std::uint64_t bytes = 0;
  std::uint64_t events = 0;
  void on_event(const TraceEvent& event) override {
    ++events;
    if (event.kind == "net.send" && event.name.find(":7400") != std::string_view::npos)
      bytes += event.bytes.size();
  }
};

// What the counters of a node's processes said, those that have ended too.
class Counts {
 public:
  // The sum of all lines of the metrics that begin so.
  void look(const std::string& text) {
    now_.clear();
    std::size_t begin = 0;
    while (begin < text.size()) {
      const auto end = std::min(text.find('\n', begin), text.size());
      const auto line = text.substr(begin, end - begin);
      begin = end + 1;
      const auto space = line.rfind(' ');
      if (line.starts_with('#') || space == std::string::npos) continue;
      now_[line.substr(0, space)] += std::stod(line.substr(space + 1));
    }
  }
  void end_life() {
    for (const auto& [name, value] : now_) before_[name] += value;
    now_.clear();
  }
  double of(const std::string& name) const {
    double sum = 0;
    for (const auto* all : {&before_, &now_})
      for (const auto& [known, value] : *all)
        if (known.starts_with(name)) sum += value;
    return sum;
  }

 private:
  std::map<std::string, double> before_;
  std::map<std::string, double> now_;
};

struct Sample {
  Duration at{};
  double processor = 0;
  double events = 0, bytes = 0;
  double directory_calls = 0, directory = 0, directory_log = 0;
  double consensus = 0, links = 0, calls = 0;
  double asleep = 0;  // replicas
};

class Large {
 public:
  Large(unsigned nodes, unsigned shards)
      : manifest_(manifest(nodes, shards)), world_{{.seed = 1, .sink = &meter_}} {
    for (const auto& node : manifest_.nodes) {
      gateways_.push_back({node.gateway->host, node.gateway->port});
      hosts_.push_back(std::make_unique<Hosting>(world_, manifest_, node,
                                                 actors::ServiceRegistry::global(), true));
      hosts_.back()->machine().hardware.work_times.max = 300us;
    }
    counts_.resize(nodes);
    setting_ = std::make_unique<ClientSetting>(ClientSetting{world_, history_, gateways_});
  }
  ~Large() {
    clients_.clear();
    for (auto& host : hosts_)
      if (host->machine().process()) world_.kill(host->machine());
  }

  void start() {
    for (auto& host : hosts_) REQUIRE(world_.start(host->machine()));
    await([&] { return all_ready(); });
  }
  bool all_ready() const {
    return std::ranges::all_of(hosts_, [](const auto& host) { return host->ready(); });
  }
  void await(const std::function<bool()>& done) {
    for (int i = 0; i < 600 && !done(); ++i) world_.run_for(100ms);
    REQUIRE(done());
  }

  // Each deposits once in `pause`, until all are told to end.
  void begin_clients(unsigned count, Duration pause) {
    for (unsigned i = 0; i < count; ++i) {
      auto& one = clients_.emplace_back();
      one.client = std::make_unique<Client>(*setting_, "client " + std::to_string(i), i + 1, true);
      one.script.emplace(deposit(*one.client, pause));
      one.script->start();
    }
  }
  void end_clients() {
    setting_->running = false;
    await([&] {
      return std::ranges::all_of(clients_, [](const auto& one) { return one.script->done(); });
    });
  }
  void run_for(Duration time) { world_.run_for(time); }

  // The node that is stopped serves until others lead what it led.
  void restart_all() {
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      look(i);
      REQUIRE(world_.stop(hosts_[i]->machine(), 60s));
      counts_[i].end_life();
      world_.run_for(1s);
      REQUIRE(world_.start(hosts_[i]->machine()));
      await([&] { return all_ready(); });
      world_.run_for(2s);
    }
  }

  Sample sample() {
    Sample sample;
    for (std::size_t i = 0; i < hosts_.size(); ++i) look(i);
    const auto sum = [&](const std::string& name) {
      double all = 0;
      for (const auto& one : counts_) all += one.of(name);
      return all;
    };
    sample.at = world_.now();
    sample.processor = processor_seconds();
    sample.events = static_cast<double>(meter_.events);
    sample.bytes = static_cast<double>(meter_.bytes);
    sample.directory_calls = sum("troupe_directory_calls_total");
    sample.directory = sum("troupe_directory_bytes_total");
    sample.directory_log = static_cast<double>(world_.checks().committed_bytes(directory_group)) *
                           static_cast<double>(std::min<std::size_t>(hosts_.size(), 5) - 1);
    const auto lane = [&](const char* name) {
      return sum(std::string{"troupe_mesh_bytes_total{direction=\"out\",lane=\""} + name);
    };
    sample.consensus = lane("consensus");
    sample.links = lane("control");
    sample.calls = lane("call");
    sample.asleep = sum("troupe_groups_asleep");
    return sample;
  }

  std::uint64_t commands() const { return history_.all().size(); }
  Duration longest(Duration since) const {
    Duration most{};
    for (const auto& one : history_.all())
      if (one.invoked >= since) most = std::max(most, one.returned - one.invoked);
    return most;
  }
  std::size_t table_bytes() {
    return hosts_.front()->machine().platform()->disk().read("/data/directory.bin")->size();
  }

 private:
  struct Running {
    std::unique_ptr<Client> client;
    std::optional<Script> script;
  };

  static Script deposit(Client& client, Duration pause) {
    const auto account = "account of " + client.name();
    co_await client.wait(client.between(Duration{0}, pause));
    bank::OpenRequest open;
    open.set_owner("Ann");
    open.set_currency("EUR");
    co_await client.call(bank::AccountsRef{account}.Open(open));
    bank::DepositRequest request;
    *request.mutable_amount() = euros(1);
    while (client.running()) {
      co_await client.call(bank::AccountsRef{account}.Deposit(request));
      co_await client.wait(pause);
    }
  }

  static config::Manifest manifest(unsigned nodes, unsigned shards) {
    const ClusterShape shape{.nodes = nodes, .replicas = 3, .shards = shards};
    const auto nothing = [](const std::string&) { return std::nullopt; };
    auto manifest = config::load_manifest(
        cluster_manifest(shape, RandomStream{1, Domain::knobs, 0, 0}), "large.toml", nothing);
    REQUIRE(manifest);
    manifest->storage.reserve_bytes = manifest->storage.segment_bytes = 1 << 20;
    return std::move(*manifest);
  }

  void look(std::size_t i) {
    auto* platform = hosts_[i]->machine().platform();
    if (platform) counts_[i].look(platform->metrics().text());
  }

  Meter meter_;
  config::Manifest manifest_;
  World world_;
  History history_;
  std::vector<runtime::Address> gateways_;
  std::vector<std::unique_ptr<Hosting>> hosts_;
  std::vector<Counts> counts_;
  std::unique_ptr<ClientSetting> setting_;
  std::deque<Running> clients_;
};

void report(const std::string& what, const Sample& from, const Sample& to) {
  const double seconds = std::chrono::duration<double>(to.at - from.at).count();
  const auto rate = [&](double Sample::*field) {
    return (to.*field - from.*field) / seconds / 1024;
  };
  const double total = rate(&Sample::bytes);
  const double directory = rate(&Sample::directory) + rate(&Sample::directory_log);
  MESSAGE(what, ": ", seconds, " s; KiB/s between nodes: ", total, ", of links ",
          rate(&Sample::links), ", consensus ", rate(&Sample::consensus), ", calls ",
          rate(&Sample::calls), "; directory: ", rate(&Sample::directory), " in calls, ",
          rate(&Sample::directory_log), " in its log, ", directory / total * 100, " %; ",
          (to.directory_calls - from.directory_calls) / seconds, " calls/s; ",
          (to.events - from.events) / seconds / 1000, " thousand events/s; processor ",
          (to.processor - from.processor) / seconds, " s a simulated second; ", to.asleep,
          " replicas asleep");
}

void measure(unsigned nodes, unsigned shards) {
  const double began = processor_seconds();
  Large large{nodes, shards};
  const auto first = large.sample();
  large.start();
  large.run_for(15s);
  const auto settled = large.sample();
  report("start, and 15 s", first, settled);
  MESSAGE(large.table_bytes(), " bytes of table");
  large.run_for(20s);
  const auto idle = large.sample();
  report("at rest", settled, idle);
  large.begin_clients(nodes * 2, 500ms);
  large.run_for(10s);
  const auto loaded = large.sample();
  report("with clients", idle, loaded);
  large.restart_all();
  const auto restarted = large.sample();
  report("rolling restart, with clients", loaded, restarted);
  large.end_clients();
  CHECK(large.longest(loaded.at) < 5s);
  const double directory =
      restarted.directory + restarted.directory_log - loaded.directory - loaded.directory_log;
  CHECK(directory / (restarted.bytes - loaded.bytes) < 0.05);
  MESSAGE(large.commands(), " commands, the longest in the restart ",
          large.longest(loaded.at).count() / 1'000'000, " ms; all took ",
          processor_seconds() - began, " s of processor time");
}

TEST_CASE("scale: 5 nodes, 100 shards" * doctest::skip()) {
  measure(5, 100);
}

TEST_CASE("scale: 15 nodes, 300 shards" * doctest::skip()) {
  measure(15, 300);
}

TEST_CASE("scale: 50 nodes, 1,000 shards" * doctest::skip()) {
  measure(50, 1'000);
}

}  // namespace
}  // namespace troupe::simulations

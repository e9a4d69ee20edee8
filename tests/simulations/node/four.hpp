// Four nodes with three replicas of every shard, and clients whose calls go on while the test does
// something else.
#pragma once

#include <set>

#include "cluster/directory/places.hpp"
#include "cluster/group_of.hpp"
#include "tests/simulations/node/three.hpp"

namespace troupe::simulations {

// One client: deposits into an account of its own, one after the other, at any node; each repeated
// under its key until it has succeeded.
class Depositor {
 public:
  Depositor(World& world, std::size_t number, std::vector<std::string> nodes, Duration pause = 5ms)
      : world_(world), number_(number), nodes_(std::move(nodes)), pause_(pause) {}

  void run() { next(); }
  void finish() { finishing_ = true; }
  bool idle() const { return finishing_ && !busy_; }
  std::string account() const { return "client-" + std::to_string(number_); }

  int deposits = 0;                   // that succeeded
  std::vector<std::string> failures;  // of calls that were answered with something else
  Duration longest{};                 // from the first attempt to success

 private:
  struct Caller final : runtime::StreamHandler {
    explicit Caller(Depositor& depositor) : owner(depositor) {}
    void on_data(std::string_view bytes) override { received += bytes; }
    void on_closed(const Result<void>&) override { owner.answered(received); }
    Depositor& owner;
    std::string received;
  };

  void next() {
    if (finishing_) return;
    busy_ = true;
    begun_ = world_.now();
    attempt();
  }
  void attempt() {
    const bool open = deposits == 0 && !opened_;
    const std::string body = open ? open_body : one_cent;
    const std::string request =
        "POST /v1/accounts/" + account() + (open ? ":open" : ":deposit") +
        " HTTP/1.1\r\nHost: n1\r\nConnection: close\r\nIdempotency-Key: " + account() + "-" +
        (open ? "open" : std::to_string(deposits)) +
        "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    node_ = nodes_[(number_ + tries_++) % nodes_.size()];
    world_.outside().network().connect(
        {node_, 8080}, std::chrono::seconds{1},
        [this, request](auto stream) -> std::shared_ptr<runtime::StreamHandler> {
          if (!stream) {
            answered({});
            return nullptr;
          }
          (*stream)->write(request);
          return std::make_shared<Caller>(*this);
        });
  }
  void answered(const std::string& text) {
    if (!text.starts_with("HTTP/1.1 200")) {
      failures.push_back(std::to_string(world_.now().count() / 1'000'000) + " ms " + node_ + ": " +
                         text);
      return world_.after(50ms, [this] { attempt(); });
    }
    longest = std::max(longest, world_.now() - begun_);
    if (opened_) ++deposits;
    opened_ = true;
    busy_ = false;
    world_.after(pause_, [this] { next(); });
  }

  World& world_;
  const std::size_t number_;
  const std::vector<std::string> nodes_;
  const Duration pause_;
  std::string node_;
  std::size_t tries_ = 0;
  Duration begun_{};
  bool opened_ = false;
  bool busy_ = false;
  bool finishing_ = false;
};

// All accounts are in one shard, whose places the test changes on every node that runs.
struct Four {
  static constexpr const char* service = "banking.v1.Accounts";

  explicit Four(std::uint64_t seed, std::uint32_t factor = 3)
      : manifest(four_nodes(factor)), world{{.seed = seed}} {
    for (const auto& node : manifest.nodes) {
      names.push_back(node.name);
      hosts.push_back(std::make_unique<Hosting>(world, manifest, node,
                                                actors::ServiceRegistry::global(), true));
    }
    for (auto& host : hosts) REQUIRE(world.start(host->machine()));
    REQUIRE(world.run_until([&] { return ready() == 4; }, 10s));
    wish = node(0).places().of(cluster::group_of(service, 0))->nodes;
    for (std::size_t i = 0; i < 6; ++i)
      clients.push_back(std::make_unique<Depositor>(world, i, names, 20ms));
    for (auto& client : clients) client->run();
    world.run_for(2s);
    for (auto& client : clients) client->longest = {};
  }
  // Answers come while their clients are there.
  ~Four() {
    for (auto& host : hosts)
      if (host->machine().process()) world.kill(host->machine());
  }
  static config::Manifest four_nodes(std::uint32_t factor) {
    auto manifest = three_nodes(1);
    auto fourth = manifest.nodes.back();
    fourth.name = "n4";
    fourth.mesh.host = fourth.gateway->host = fourth.admin.host = "n4";
    manifest.nodes.push_back(fourth);
    manifest.service_defaults.replication_factor = factor;
    return manifest;
  }
  int ready() const {
    int count = 0;
    for (const auto& host : hosts) count += host->machine().up() && host->ready();
    return count;
  }
  std::size_t index(const std::string& name) const {
    return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
  }
  Machine& machine(const std::string& name) { return hosts.at(index(name))->machine(); }
  cluster::Node& node(std::size_t i) {
    return dynamic_cast<NodeProcess&>(*hosts.at(i)->machine().process()).node();
  }
  void want(std::vector<std::string> nodes) {
    wish = std::move(nodes);
    ++version;
    for (const std::string& name : names) tell(name);
  }
  void tell(const std::string& name) {
    if (machine(name).up()) node(index(name)).places().set({service, 0, wish, version});
  }
  void start(const std::string& name) {
    REQUIRE(world.start(machine(name)));
    tell(name);
  }
  // The node that has no place.
  std::string spare() const {
    for (const std::string& name : names)
      if (std::ranges::find(wish, name) == wish.end()) return name;
    return {};
  }
  std::vector<std::string> with(const std::string& from, const std::string& to) const {
    auto nodes = wish;
    std::ranges::replace(nodes, from, to);
    return nodes;
  }
  // By the nodes themselves: "leader", "follower", ...; empty: it has no replica.
  std::string role(const std::string& name) {
    const auto answer = ask_admin(world, "/v1/shards", name);
    const auto at = answer.body.find(std::string{"\""} + service + "\"");
    if (at == std::string::npos) return {};
    const auto role = answer.body.find("\"role\":\"", at) + 8;
    return answer.body.substr(role, answer.body.find('"', role) - role);
  }
  std::string leader() {
    for (const std::string& name : names)
      if (machine(name).up() && role(name) == "leader") return name;
    return {};
  }
  // Voters where they are to be, and nothing elsewhere, no file either.
  bool moved() {
    std::size_t leaders = 0;
    for (const std::string& name : names) {
      const bool wished = std::ranges::find(wish, name) != wish.end();
      if (!machine(name).up()) return false;
      const std::string is = role(name);
      leaders += is == "leader";
      if (wished ? is != "leader" && is != "follower" : !is.empty()) return false;
      if (!wished && has_file(name)) return false;
    }
    return leaders == 1;
  }
  bool has_file(const std::string& name) {
    for (const std::string& file : machine(name).hardware.disk.list("/data/shards"))
      if (file.starts_with(std::string{service} + "-")) return true;
    return false;
  }
  bool await_move(Duration patience = 30s) {
    for (const Duration end = world.now() + patience; world.now() < end; world.run_for(100ms))
      if (moved()) return true;
    return false;
  }
  std::string failures() const {
    std::string all;
    for (const auto& client : clients)
      for (const auto& one : client->failures) all += one + "\n";
    return all;
  }
  Duration longest() const {
    Duration most{};
    for (const auto& client : clients) most = std::max(most, client->longest);
    return most;
  }
  // Every deposit counts once.
  void check() {
    for (auto& client : clients) client->finish();
    REQUIRE(world.run_until(
        [&] { return std::ranges::all_of(clients, [](auto& one) { return one->idle(); }); }, 60s));
    world.run_for(1s);
    for (const auto& client : clients) {
      CHECK(client->deposits > 0);
      for (const std::string& name : names) {
        if (!machine(name).up()) continue;
        const auto answer = get(world, "/v1/accounts/" + client->account(), name);
        CAPTURE(answer.body);
        CHECK(answer.body.find("\"minorUnits\":\"" + std::to_string(client->deposits) + "\"") !=
              std::string::npos);
      }
    }
  }
  // All nodes end, and all that they have of the shard is the same.
  void compare_files() {
    world.run_for(2s);
    std::set<std::uint64_t> rows;
    std::size_t files = 0;
    for (auto& host : hosts) world.kill(host->machine());
    for (auto& host : hosts) {
      const auto inspected = host->inspect();
      REQUIRE(inspected);
      CHECK(inspected->findings.empty());
      for (const auto& [name, file] : inspected->files) {
        if (file.shard != std::string{service} + "/0") continue;
        ++files;
        rows.insert(file.rows);
      }
    }
    CHECK(files == wish.size());
    CHECK(rows.size() == 1);
  }

  config::Manifest manifest;
  World world;
  std::vector<std::string> names;
  std::vector<std::unique_ptr<Hosting>> hosts;
  std::vector<std::unique_ptr<Depositor>> clients;
  std::vector<std::string> wish;
  std::uint64_t version = 1'000'000;  // above those of the cluster's directory
};

}  // namespace troupe::simulations

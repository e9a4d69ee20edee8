// Shards are split while clients go on.
#include "simulations/rehearsal/hosting.hpp"
#include "tests/seeds.hpp"
#include "tests/simulations/node/directory_stage.hpp"
#include "tests/simulations/node/four.hpp"

namespace troupe::simulations {
namespace {

// Accounts in one shard of three replicas.
struct Split : Directory {
  explicit Split(std::uint64_t seed) : Directory(seed, 1) {
    settle();
    for (std::size_t i = 0; i < 8; ++i)
      clients.push_back(
          std::make_unique<Depositor>(world, i, std::vector<std::string>{"n1", "n2", "n3"}));
    for (auto& client : clients) client->run();
    world.run_for(2s);
    for (auto& client : clients) client->longest = {};
  }
  ~Split() {
    for (auto& host : hosts)
      if (host->machine().process()) world.kill(host->machine());
  }
  // At whichever node takes it.
  void split(std::uint32_t shard) {
    for (std::size_t attempt = 0;; ++attempt) {
      REQUIRE(attempt < 100);
      const std::string node = name(attempt);
      if (!machine(attempt % 3).up()) continue;
      const auto answer = order_admin(world, "/v1/directory",
                                      R"({"split":{"service":")" + std::string{bank_service} +
                                          R"(","shard":)" + std::to_string(shard) + "}}",
                                      node);
      if (answer.status == 200) return;
      CAPTURE(answer.body);
      REQUIRE(answer.status != 400);
      world.run_for(200ms);
    }
  }
  bool over(std::uint32_t count) {
    for (std::size_t i = 0; i < 3; ++i) {
      if (!machine(i).up()) return false;
      const auto table = view(i).table();
      const auto* service = cluster::find_service(table, bank_service);
      if (!service || service->first_bucket_size() != static_cast<int>(count)) return false;
      for (const auto& one : table.shards())
        if (one.has_split()) return false;
    }
    return true;
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
  void check_balances() {
    for (auto& client : clients) client->finish();
    REQUIRE(world.run_until(
        [&] { return std::ranges::all_of(clients, [](auto& one) { return one->idle(); }); }, 60s));
    world.run_for(1s);
    for (const auto& client : clients) {
      CHECK(client->deposits > 0);
      for (std::size_t i = 0; i < 3; ++i) {
        const auto answer = get(world, "/v1/accounts/" + client->account(), name(i));
        CAPTURE(answer.body);
        CHECK(answer.body.find("\"minorUnits\":\"" + std::to_string(client->deposits) + "\"") !=
              std::string::npos);
      }
    }
  }
  // So it does, and all replicas of a shard hold the same.
  void check(std::size_t shards_of_bank) {
    check_balances();
    wait([&] {
      for (std::size_t i = 0; i < 3; ++i)
        if (leads(i) + shards_with("\"role\":\"follower\"", i) != shards_of_bank + 1) return false;
      return true;
    });
    world.run_for(2s);
    std::map<std::string, std::set<std::uint64_t>> rows;
    for (auto& host : hosts) world.kill(host->machine());
    for (auto& host : hosts) {
      const auto inspected = host->inspect();
      REQUIRE(inspected);
      CHECK(inspected->findings.empty());
      for (const auto& [file, content] : inspected->files) rows[content.shard].insert(content.rows);
    }
    std::size_t found = 0;
    for (const auto& [shard, different] : rows) {
      CAPTURE(shard);
      CHECK(different.size() == 1);
      found += shard.starts_with(bank_service);
    }
    CHECK(found == shards_of_bank);
  }

  std::vector<std::unique_ptr<Depositor>> clients;
};

}  // namespace

TEST_CASE("a shard is split while clients go on, and no request fails") {
  for (std::uint64_t seed = 1; seed <= tests::seeds(4); ++seed) {
    CAPTURE(seed);
    Split three{seed};
    const auto ordered =
        three.ordered(R"({"split":{"service":"banking.v1.Accounts","shard":0}})", three.name(seed));
    // Who asks for the end is answered when it has come.
    const auto told =
        three
            .ordered(R"({"question":{"split":{"service":"banking.v1.Accounts","shard":0},)"
                     R"("waitMs":20000,"version":")" +
                         std::to_string(ordered.version()) + "\"}}",
                     "n2")
            .split();
    CHECK_FALSE(told.under_way());
    CHECK(told.fresh().shard() == 1);
    CHECK(told.first_bucket() == 2048);
    CHECK(told.end_bucket() == 4096);
    three.wait([&] { return three.over(2); });
    three.world.run_for(2s);
    three.split(1);
    three.wait([&] { return three.over(3); });
    three.world.run_for(2s);
    CHECK(three.failures() == "");
    MESSAGE("the longest request took ", three.longest().count() / 1'000'000, " ms");
    CHECK(three.longest() < 500ms);
    three.check(3);
  }
}

TEST_CASE("a shard that was split off comes back after a restart of all nodes") {
  Split three{1};
  three.split(0);
  three.wait([&] { return three.over(2); });
  for (std::size_t i = 0; i < 3; ++i) three.world.crash(three.machine(i));
  for (std::size_t i = 0; i < 3; ++i) REQUIRE(three.world.start(three.machine(i)));
  three.wait([&] { return three.over(2); });
  three.world.run_for(2s);
  three.check(2);
}

TEST_CASE("shards are split while a node joins and gets its share of them") {
  for (std::uint64_t seed = 1; seed <= tests::seeds(2); ++seed) {
    CAPTURE(seed);
    Split three{seed};
    Machine& joiner = three.join_n4();
    for (std::uint32_t shard = 0; shard < 3; ++shard) {
      three.world.run_for(300ms * (seed + shard));
      three.split(shard);
      three.wait([&] { return three.over(shard + 2); }, 60s);
    }
    // 5 shards of three replicas on four nodes.
    three.wait(
        [&] {
          const auto left = three.left_on("n4", "n1");
          return left.members() >= 2 && left.members() == left.wished() && left.unknown() == 0;
        },
        120s);
    three.check_balances();
    const auto asked = get(three.world, "/v1/accounts/" + three.clients.front()->account(), "n4");
    CAPTURE(asked.body);
    CHECK(asked.status == 200);
    three.world.crash(joiner);
    three.world.run_for(2s);
    for (const auto& client : three.clients) {
      const auto answer = get(three.world, "/v1/accounts/" + client->account(), "n1");
      CAPTURE(answer.body);
      CHECK(answer.status == 200);
    }
  }
}

TEST_CASE("a split that is disturbed at any step goes on, and every deposit counts once") {
  for (std::uint64_t seed = 1; seed <= tests::seeds(18); ++seed) {
    CAPTURE(seed);
    Split three{seed};
    three.split(0);
    three.world.run_for(3ms * (seed * 7 % 100));
    const std::size_t victim = seed / 4 % 3;
    switch (seed % 4) {
      case 0:  // one loses power
        three.world.crash(three.machine(victim));
        three.world.run_for(1s);
        REQUIRE(three.world.start(three.machine(victim)));
        break;
      case 1:  // one restarts at once
        three.world.kill(three.machine(victim));
        REQUIRE(three.world.start(three.machine(victim)));
        break;
      case 2:  // one loses its disk
        three.replace(victim);
        break;
      default:  // all lose power
        for (std::size_t i = 0; i < 3; ++i) three.world.crash(three.machine(i));
        for (std::size_t i = 0; i < 3; ++i) REQUIRE(three.world.start(three.machine(i)));
    }
    three.wait([&] { return three.over(2); }, 60s);
    three.world.run_for(2s);
    three.check(2);
  }
}

}  // namespace troupe::simulations

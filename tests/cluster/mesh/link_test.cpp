// Links between nodes of a simulated world: how they come up, end, and come up again.
#include "tests/cluster/mesh/mesh_world.hpp"

namespace troupe::cluster::tests {

namespace {

using Links = std::vector<std::string>;

// Up and down in turn, beginning with up.
bool alternates(const Links& links, const std::string& node) {
  bool up = false;
  for (const auto& link : links) {
    if (link.substr(1) != node) continue;
    if ((link[0] == '+') == up) return false;
    up = !up;
  }
  return true;
}

}  // namespace

TEST_CASE("two nodes find each other, and messages arrive in order") {
  MeshWorld cluster{2};
  cluster.start_all();
  cluster.link();
  for (int i = 0; i < 100; ++i)
    REQUIRE(cluster.mesh(1).send("n2", Lane::consensus, FrameKind::test, std::to_string(i)));
  REQUIRE(cluster.world.run_until([&] { return cluster.seen(2).messages.size() == 100; }, 5s));
  for (std::size_t i = 0; i < 100; ++i) {
    CHECK(cluster.seen(2).messages[i].first == "n1");
    CHECK(cluster.seen(2).messages[i].second == std::to_string(i));
  }
  CHECK(cluster.seen(1).links == Links{"+n2"});
  CHECK(cluster.seen(2).links == Links{"+n1"});
}

TEST_CASE("there is one link per pair of nodes, whoever dials first and however late hellos come") {
  std::size_t by_n1 = 0;
  std::size_t flaps = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    MeshWorld cluster{2, seed};
    auto random = cluster.world.random();
    for (const auto& [from, to] : {std::pair{"n1", "n2"}, std::pair{"n2", "n1"}})
      cluster.world.set_path(from, to,
                             {.slow_by_max = std::chrono::milliseconds{random.between(0, 200)}});
    cluster.start(1);
    cluster.world.run_for(std::chrono::microseconds{random.between(0, 2000)});
    cluster.start(2);
    cluster.link();
    cluster.world.run_for(5s);
    REQUIRE(cluster.linked(1, 2));
    CHECK(cluster.status(1, "n2").dialled != cluster.status(2, "n1").dialled);
    CHECK(alternates(cluster.seen(1).links, "n2"));
    CHECK(alternates(cluster.seen(2).links, "n1"));
    by_n1 += cluster.status(1, "n2").dialled ? 1 : 0;
    flaps += cluster.seen(1).links.size() - 1 + cluster.seen(2).links.size() - 1;
    CHECK(cluster.world.reset_connections("n1", "n2") == 1);  // no other connection is left
  }
  CHECK(by_n1 > 0);
  CHECK(by_n1 < 60);
  CHECK(flaps == 0);
}

TEST_CASE("when two nodes dial each other at once, the dial of the smaller name stays") {
  // Both are connected after 100 ms and say hello then.
  MeshWorld cluster{2, 1, {}, {.min = 50ms, .max = 50ms}};
  cluster.start_all();
  cluster.link();
  cluster.world.run_for(1s);
  CHECK(cluster.status(1, "n2").dialled);
  CHECK(cluster.seen(1).links == Links{"+n2"});
  CHECK(cluster.seen(2).links == Links{"+n1"});
}

TEST_CASE("a connection that is reset is made anew at once") {
  MeshWorld cluster{2};
  cluster.start_all();
  cluster.link();
  cluster.world.run_for(10s);
  REQUIRE(cluster.world.reset_connections("n1", "n2") == 1);
  REQUIRE(cluster.world.run_until([&] { return !cluster.linked(1, 2); }, 100ms));
  REQUIRE(cluster.world.run_until([&] { return cluster.linked(1, 2); }, 200ms));
  CHECK(cluster.seen(1).links == Links{"+n2", "-n2", "+n2"});
  CHECK(cluster.seen(2).links == Links{"+n1", "-n1", "+n1"});
}

TEST_CASE("a peer that is silent is given up in time, and found again when the network heals") {
  for (const bool both_ways : {true, false}) {
    CAPTURE(both_ways);
    MeshWorld cluster{2};
    cluster.start_all();
    cluster.link();
    cluster.world.run_for(10s);
    const auto begin = cluster.world.now();
    cluster.world.set_path("n1", "n2", {.blocked = true});
    if (both_ways) cluster.world.set_path("n2", "n1", {.blocked = true});
    REQUIRE(cluster.world.run_until([&] { return !cluster.mesh(2).is_up("n1"); }, 10s));
    const auto took = cluster.world.now() - begin;
    CHECK(took > 1200ms);
    CHECK(took < 1600ms);
    CHECK(cluster.status(2, "n1").last_error.find("PEER_SILENT") == 0);
    // One way: it hears of that by the connection's end.
    REQUIRE(cluster.world.run_until([&] { return !cluster.mesh(1).is_up("n2"); }, 1s));
    cluster.world.run_for(20s);
    CHECK_FALSE(cluster.mesh(1).is_up("n2"));
    cluster.partition("n1", "n2", false);
    cluster.world.set_path("n1", "n2", {});
    REQUIRE(cluster.world.run_until([&] { return cluster.linked(1, 2); }, 4s));
  }
}

TEST_CASE("an idle link stays up, for a heartbeat each way now and then") {
  MeshWorld cluster{2};
  cluster.start_all();
  cluster.link();
  const auto before = cluster.status(1, "n2").out;
  cluster.world.run_for(60s);
  CHECK(cluster.seen(1).links == Links{"+n2"});
  const auto after = cluster.status(1, "n2").out;
  CHECK(after.frames[0] - before.frames[0] <= 241);
  CHECK(after.frames[0] - before.frames[0] >= 230);
}

TEST_CASE("a node that stood still does not blame its peers for it") {
  MeshWorld cluster{2, 1, [](MeshOptions& options) {
                      // The peer that goes on waits longer, so that only the paused one could end
                      // it.
                      options.silence_max = options.node == "n1" ? 1500ms : 60s;
                    }};
  cluster.start_all();
  cluster.link();
  cluster.world.run_for(3s);
  // Nor for what the network still holds when it goes on.
  cluster.world.set_path("n2", "n1", {.blocked = true});
  cluster.world.pause(*cluster.node(1).machine);
  cluster.world.run_for(10s);
  cluster.world.resume(*cluster.node(1).machine);
  cluster.world.run_for(500ms);
  cluster.world.set_path("n2", "n1", {});
  cluster.world.run_for(5s);
  CHECK(cluster.seen(1).links == Links{"+n2"});
  CHECK(cluster.seen(2).links == Links{"+n1"});
}

TEST_CASE("a node that is killed and started again is linked as another incarnation") {
  MeshWorld cluster{2};
  cluster.start_all();
  cluster.link();
  const auto first = cluster.status(1, "n2").incarnation;
  cluster.world.run_for(5s);
  cluster.world.kill(*cluster.node(2).machine);
  REQUIRE(cluster.world.run_until([&] { return !cluster.mesh(1).is_up("n2"); }, 100ms));
  cluster.world.run_for(2s);
  cluster.start(2);
  cluster.link();
  CHECK(cluster.status(1, "n2").incarnation != first);
  CHECK(alternates(cluster.seen(1).links, "n2"));
}

TEST_CASE("dials of a node that is away grow apart, and it is found soon after it is there") {
  MeshWorld cluster{2};
  std::vector<Duration> dials;
  cluster.start(1);
  // A server in n2's place that hangs up.
  struct Deaf final : runtime::StreamHandler {
    void on_data(std::string_view) override {}
    void on_closed(const Result<void>&) override {}
  };
  std::unique_ptr<runtime::Listener> listener;
  auto& other = cluster.world.add(
      "decoy",
      [&](runtime::Platform& platform) -> Result<std::unique_ptr<simulations::SimulatedProcess>> {
        struct Bare final : simulations::SimulatedProcess {
          void stop() override {}
        };
        TROUPE_TRY(listening, platform.network().listen({"decoy", 7000}, [&](auto stream) {
          dials.push_back(cluster.world.now());
          stream->close();
          return std::make_shared<Deaf>();
        }));
        listener = std::move(listening);
        return std::unique_ptr<simulations::SimulatedProcess>(new Bare);
      });
  REQUIRE(cluster.world.start(other));
  cluster.mesh(1).set_peer("n2", {"decoy", 7000});
  cluster.world.run_for(60s);
  REQUIRE(dials.size() > 10);
  CHECK(dials.size() < 70);  // at most one a second in the end
  CHECK(dials[1] - dials[0] < 200ms);
  std::set<Duration> gaps;
  for (std::size_t i = dials.size() - 10; i < dials.size(); ++i) {
    CHECK(dials[i] - dials[i - 1] >= 1s);
    CHECK(dials[i] - dials[i - 1] <= 2100ms);
    gaps.insert(dials[i] - dials[i - 1]);
  }
  CHECK(gaps.size() > 5);  // jitter
  CHECK(cluster.logged("mesh.unreachable", "n1") <= 2);
  cluster.start(2);
  cluster.mesh(1).set_peer("n2", {"n2", 7000});
  REQUIRE(cluster.world.run_until([&] { return cluster.linked(1, 2); }, 1s));
  listener.reset();
}

TEST_CASE("a mesh whose actor ended hangs up, and one that is started again links again") {
  MeshWorld cluster{2};
  cluster.start_all();
  cluster.link();
  caf::anon_send_exit(cluster.process(1).actor(), caf::exit_reason::kill);
  REQUIRE(cluster.world.run_until([&] { return !cluster.mesh(2).is_up("n1"); }, 1s));
  CHECK_FALSE(cluster.mesh(1).is_up("n2"));
  cluster.world.run_for(5s);
  CHECK_FALSE(cluster.mesh(2).is_up("n1"));
  cluster.process(1).actor() = spawn_mesh(cluster.process(1).system(), cluster.mesh(1));
  cluster.link();
  CHECK(alternates(cluster.seen(2).links, "n1"));
}

TEST_CASE("a peer that is removed is unknown, on both sides' terms") {
  MeshWorld cluster{3};
  cluster.start_all();
  cluster.link(1, 2);
  cluster.link(1, 3);
  cluster.mesh(1).remove_peer("n2");
  REQUIRE(cluster.world.run_until([&] { return !cluster.mesh(2).is_up("n1"); }, 1s));
  const auto sent = cluster.mesh(1).send("n2", Lane::call, FrameKind::test, "x");
  REQUIRE(!sent);
  CHECK(sent.error().reason == "UNKNOWN_PEER");
  cluster.world.run_for(5s);
  CHECK(cluster.status(2, "n1").last_error.find("PEER_UNKNOWN") == 0);
  CHECK(cluster.linked(1, 3));
}

TEST_CASE("metrics and status tell what went over the links") {
  MeshWorld cluster{2};
  cluster.start_all();
  cluster.link();
  for (int i = 0; i < 10; ++i)
    REQUIRE(cluster.mesh(1).send("n2", Lane::bulk, FrameKind::test, std::string(94, 'x')));
  cluster.world.run_for(3s);
  const auto status = cluster.status(1, "n2");
  CHECK(status.state == MeshLinkStatus::State::up);
  CHECK(status.out.frames[3] == 10);
  CHECK(status.out.bytes[3] == 1000);
  CHECK(cluster.status(2, "n1").in.bytes[3] == 1000);
  CHECK(status.last_error.empty());
  const auto text = cluster.node(1).machine->platform()->metrics().text();
  CHECK(text.find("troupe_mesh_bytes_total{direction=\"out\",lane=\"bulk\"} 1000") !=
        std::string::npos);
  CHECK(text.find("troupe_mesh_links 1") != std::string::npos);
}

TEST_CASE("the same seed makes the same run") {
  std::set<std::uint64_t> hashes;
  for (int i = 0; i < 2; ++i) {
    MeshWorld cluster{3, 7};
    cluster.start_all();
    cluster.world.run_for(2s);
    cluster.world.reset_connections("n1", "n2");
    cluster.world.run_for(5s);
    hashes.insert(cluster.world.trace_hash());
  }
  CHECK(hashes.size() == 1);
}

}  // namespace troupe::cluster::tests

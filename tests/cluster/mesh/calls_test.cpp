// Calls: answered once, with a deadline that travels, whatever happens to the link.
#include <map>

#include "tests/cluster/mesh/fake_stream.hpp"
#include "tests/cluster/mesh/mesh_world.hpp"

namespace troupe::cluster::tests {

namespace {

struct Calling : MeshWorld {
  explicit Calling(const std::function<void(MeshOptions&)>& change = {}) : MeshWorld{2, 1, change} {
    start_all();
    link();
  }
  ~Calling() { end_all(); }
  MonotonicTime now(std::size_t number) { return node(number).machine->platform()->clock().now(); }
  // n1 calls n2; answers gather in `replies`.
  void call(const std::string& text, Duration time = 10s) {
    mesh(1).call("n2", FrameKind::test, text, now(1) + time,
                 [this](Result<std::string> reply) { replies.push_back(std::move(reply)); });
  }
  void wait_for_replies(std::size_t count) {
    REQUIRE(world.run_until([&] { return replies.size() >= count; }, 60s));
    CHECK(replies.size() == count);
  }
  void wait_for_calls(std::size_t count) {
    REQUIRE(world.run_until([&] { return seen(2).calls.size() >= count; }, 60s));
  }
  std::string reason(std::size_t number) {
    return replies.at(number) ? "" : replies.at(number).error().reason;
  }
  std::vector<Result<std::string>> replies;
};

}  // namespace

TEST_CASE("replies find their calls, in whatever order they are given") {
  Calling cluster;
  cluster.seen(2).answer = false;
  std::map<int, std::string> replies;
  for (int i = 0; i < 20; ++i)
    cluster.mesh(1).call("n2", FrameKind::test, std::to_string(i), cluster.now(1) + 5s,
                         [&, i](Result<std::string> reply) { replies[i] = *reply; });
  cluster.wait_for_calls(20);
  auto& calls = cluster.seen(2).calls;
  for (auto call = calls.rbegin(); call != calls.rend(); ++call) {
    CHECK(call->from() == "n1");
    call->answer("re: " + call->bytes());
  }
  REQUIRE(cluster.world.run_until([&] { return replies.size() == 20; }, 5s));
  for (int i = 0; i < 20; ++i) CHECK(replies[i] == "re: " + std::to_string(i));
}

TEST_CASE("an error travels as it is") {
  Calling cluster;
  cluster.seen(2).answer = false;
  cluster.call("x");
  cluster.wait_for_calls(1);
  Error error = resource_exhausted("QUITE_FULL", "no room on node n2");
  error.retry_after = 1500ms;
  cluster.seen(2).calls[0].answer(error);
  cluster.wait_for_replies(1);
  REQUIRE(!cluster.replies[0]);
  CHECK(cluster.replies[0].error() == error);
}

TEST_CASE("a call that is not answered in time fails at its deadline, and a late reply is lost") {
  for (const auto time : {10ms, 700ms}) {
    Calling cluster;
    cluster.seen(2).answer = false;
    const auto begin = cluster.world.now();
    cluster.call("x", time);
    cluster.wait_for_replies(1);
    CHECK(cluster.reason(0) == "CALL_TIMEOUT");
    CHECK(cluster.replies[0].error().code == Code::deadline_exceeded);
    CHECK(cluster.world.now() - begin >= time);
    CHECK(cluster.world.now() - begin < time + 2ms);
    cluster.wait_for_calls(1);
    cluster.seen(2).calls[0].answer("late");
    cluster.world.run_for(1s);
    CHECK(cluster.replies.size() == 1);
    CHECK(cluster.linked(1, 2));
    CHECK(cluster.status(1, "n2").calls_open == 0);
  }
}

TEST_CASE("a deadline travels as the time that is left, so clocks need not agree") {
  Calling cluster;
  cluster.seen(2).answer = false;
  cluster.node(2).machine->hardware.clock.wall_offset = 100h;
  cluster.call("x", 3s);
  cluster.wait_for_calls(1);
  const auto left = cluster.seen(2).calls[0].deadline() - cluster.now(2);
  CHECK(left <= 3s);
  CHECK(left > 2900ms);
  cluster.mesh(1).call("n2", FrameKind::test, "for ever", MonotonicTime::max(), [](auto) {});
  cluster.wait_for_calls(2);
  CHECK(cluster.seen(2).calls[1].deadline() == MonotonicTime::max());
}

TEST_CASE("work whose deadline has passed is dropped before it runs, and counted") {
  Calling cluster;
  cluster.seen(2).answer = false;
  cluster.call("in time", 2s);
  cluster.call("late", 500ms);
  cluster.wait_for_calls(2);
  cluster.world.run_for(1s);
  auto& calls = cluster.seen(2).calls;
  CHECK(calls[0].begin());
  CHECK_FALSE(calls[1].begin());
  CHECK(cluster.status(2, "n1").late_before_run == 1);
  calls[0].answer("done");
  cluster.wait_for_replies(2);
  CHECK(cluster.reason(0) == "CALL_TIMEOUT");
  CHECK(cluster.replies[1] == "done");
}

TEST_CASE("a call whose deadline passes before it can leave is never sent, and counted") {
  Calling cluster{[](MeshOptions& options) { options.call_window = 1000; }};
  cluster.seen(2).answer = false;
  cluster.call(std::string(2000, 'x'));  // takes all the credit
  cluster.call("late", 500ms);
  cluster.wait_for_replies(1);
  CHECK(cluster.reason(0) == "CALL_LATE");
  CHECK(cluster.status(1, "n2").late_before_sent == 1);
  cluster.seen(2).calls[0].answer("done");
  cluster.world.run_for(1s);
  CHECK(cluster.seen(2).calls.size() == 1);
  cluster.call("too late", -1s);
  CHECK(cluster.reason(2) == "CALL_LATE");
}

TEST_CASE(
    "when the link ends, calls that were sent have an unknown outcome and others did not run") {
  Calling cluster{[](MeshOptions& options) { options.call_window = 1000; }};
  cluster.seen(2).answer = false;
  cluster.call(std::string(2000, 'x'));
  cluster.call("waits for credit");
  cluster.wait_for_calls(1);
  cluster.world.reset_connections("n1", "n2");
  cluster.wait_for_replies(2);
  CHECK(cluster.reason(0) == "LINK_LOST");
  CHECK(cluster.reason(1) == "LINK_DOWN");
  CHECK(cluster.replies[0].error().code == Code::unavailable);
  cluster.seen(2).calls[0].answer("nobody listens");
  cluster.world.run_for(100ms);
  CHECK(cluster.replies.size() == 2);
}

TEST_CASE("a call to a node without a link, or that is no peer, fails inside call()") {
  MeshWorld cluster{2};
  cluster.start(1);
  std::vector<std::string> reasons;
  for (const std::string node : {"n2", "n7"})
    cluster.mesh(1).call(
        node, FrameKind::test, "x", MonotonicTime::max(),
        [&](Result<std::string> reply) { reasons.push_back(reply.error().reason); });
  CHECK(reasons == std::vector<std::string>{"LINK_DOWN", "UNKNOWN_PEER"});
}

TEST_CASE("a call that is let go of without an answer, or of an unknown kind, is answered") {
  Calling cluster;
  cluster.seen(2).answer = false;
  cluster.call("x");
  cluster.wait_for_calls(1);
  cluster.seen(2).calls.clear();
  cluster.wait_for_replies(1);
  CHECK(cluster.reason(0) == "CALL_DROPPED");
  cluster.mesh(1).call("n2", static_cast<FrameKind>(77), "x", MonotonicTime::max(),
                       [&](Result<std::string> reply) { cluster.replies.push_back(reply); });
  cluster.wait_for_replies(2);
  CHECK(cluster.reason(1) == "CALL_UNKNOWN");
}

TEST_CASE("when a mesh stops, its open calls are answered") {
  Calling cluster;
  cluster.seen(2).answer = false;
  cluster.call("x");
  cluster.wait_for_calls(1);
  REQUIRE(cluster.world.stop(*cluster.node(1).machine, 5s));
  CHECK(cluster.replies.size() == 1);
  CHECK(cluster.reason(0) == "LINK_LOST");
  cluster.seen(2).calls.clear();
}

TEST_CASE("every call is answered once and rightly, through resets, partitions and slow paths") {
  std::map<std::string, int> outcomes;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    CAPTURE(seed);
    MeshWorld cluster{3, seed};
    cluster.start_all();
    auto random = cluster.world.random();
    std::map<int, int> answers;
    int calls = 0;
    for (int step = 0; step < 400; ++step) {
      const auto from = random.between(1, 3);
      const auto to = 1 + from % 3;
      const auto text = std::to_string(calls);
      const auto now = cluster.node(from).machine->platform()->clock().now();
      cluster.mesh(from).call("n" + std::to_string(to), FrameKind::test, text,
                              now + std::chrono::milliseconds{random.between(1, 3000)},
                              [&, text, id = calls](Result<std::string> reply) {
                                ++answers[id];
                                ++outcomes[reply ? "OK" : reply.error().reason];
                                if (reply) CHECK(*reply == "re: " + text);
                              });
      ++calls;
      const auto one = "n" + std::to_string(random.between(1, 3));
      const auto other = "n" + std::to_string(random.between(1, 3));
      switch (random.between(0, 19)) {
        case 0:
          cluster.world.reset_connections(one, other);
          break;
        case 1:
          cluster.world.set_path(one, other, {.blocked = true});
          break;
        case 2:
        case 3:
          cluster.world.set_path(one, other, {});
          break;
        case 4:
          cluster.world.set_path(one, other, {.slow_by_max = 500ms, .lost = 100'000});
          break;
        default:
          break;
      }
      cluster.world.run_for(std::chrono::milliseconds{random.between(0, 100)});
    }
    for (const std::string one : {"n1", "n2", "n3"})
      for (const std::string other : {"n1", "n2", "n3"}) cluster.world.set_path(one, other, {});
    cluster.world.run_for(10s);
    CHECK(answers.size() == static_cast<std::size_t>(calls));
    for (const auto& [id, count] : answers) CHECK(count == 1);
    for (const std::size_t one : {1U, 2U, 3U})
      for (const std::size_t other : {1U, 2U, 3U})
        if (one != other) CHECK(cluster.mesh(one).is_up("n" + std::to_string(other)));
  }
  for (const auto* outcome : {"OK", "CALL_TIMEOUT", "LINK_DOWN", "LINK_LOST"}) {
    CAPTURE(outcome);
    CHECK(outcomes[outcome] > 10);
  }
}

}  // namespace troupe::cluster::tests

// Lanes: what goes first, what is dropped, refused or waits, and that a slow peer costs bounded
// memory.
#include <map>

#include "cluster/mesh/mesh_turn.hpp"
#include "tests/cluster/mesh/fake_stream.hpp"
#include "tests/cluster/mesh/mesh_world.hpp"

namespace troupe::cluster::tests {

namespace {

std::string sized(std::size_t bytes, char letter) {
  return std::string(bytes, letter);
}

// Two nodes that are linked, with smaller windows and queues.
struct Linked : MeshWorld {
  explicit Linked(const std::function<void(MeshOptions&)>& change = {}) : MeshWorld{2, 1, change} {
    start_all();
    link();
    world.run_for(1s);
  }
  bool sent(Lane lane, std::string bytes, Sent done = {}) {
    const auto result =
        mesh(1).send("n2", lane, FrameKind::test, std::move(bytes), std::move(done));
    if (!result) CHECK(result.error().reason == "LINK_FULL");
    return result.has_value();
  }
  MonotonicTime in(Duration time) { return node(1).machine->platform()->clock().now() + time; }
};

}  // namespace

TEST_CASE("consensus overtakes calls and bulk that wait") {
  Linked cluster{[](MeshOptions& options) { options.bulk_window = 1 << 20; }};
  cluster.world.set_path("n1", "n2", {.blocked = true});
  for (int i = 0; i < 20; ++i) REQUIRE(cluster.sent(Lane::bulk, sized(40'000, 'b')));
  for (int i = 0; i < 20; ++i) REQUIRE(cluster.sent(Lane::call, sized(10'000, 'c')));
  REQUIRE(cluster.sent(Lane::consensus, "now"));
  cluster.world.set_path("n1", "n2", {});
  auto& messages = cluster.seen(2).messages;
  REQUIRE(cluster.world.run_until([&] { return messages.size() == 41; }, 10s));
  std::size_t bulk_before_consensus = 0;
  std::size_t calls_before_bulk_ended = 0;
  std::size_t bytes_before_consensus = 0;
  bool consensus = false;
  std::size_t bulk = 0;
  for (const auto& [from, text] : messages) {
    if (text == "now") consensus = true;
    if (!consensus) bytes_before_consensus += text.size();
    if (text[0] == 'b') {
      ++bulk;
      if (!consensus) ++bulk_before_consensus;
    }
    if (text[0] == 'c' && bulk < 20) ++calls_before_bulk_ended;
  }
  // What the stream had: one window of the world's network and what it lets wait.
  CHECK(bytes_before_consensus <= simulations::Fabric::window_bytes + (64 << 10) + 40'006);
  CHECK(bulk_before_consensus < 5);
  CHECK(calls_before_bulk_ended == 20);
}

TEST_CASE("bulk takes no more of the way than its window, so that what overtakes it is near") {
  Linked cluster{[](MeshOptions& options) { options.bulk_window = 32 << 10; }};
  for (int i = 0; i < 50; ++i) REQUIRE(cluster.sent(Lane::bulk, sized(10'000, 'b')));
  cluster.world.set_path("n1", "n2", {.blocked = true});
  cluster.world.run_for(500ms);
  const auto before = cluster.seen(2).messages.size();
  REQUIRE(cluster.sent(Lane::consensus, "now"));
  cluster.world.set_path("n1", "n2", {});
  auto& messages = cluster.seen(2).messages;
  REQUIRE(cluster.world.run_until([&] { return messages.size() == 51; }, 10s));
  std::size_t at = before;
  while (messages[at].second != "now") ++at;
  CHECK(at - before <= 5);  // 32 KiB, one frame over it, and one that was granted since
}

TEST_CASE("many frames that wait leave in one write") {
  Linked cluster;
  cluster.world.set_path("n1", "n2", {.blocked = true});
  while (cluster.status(1, "n2").queued_bytes[1] == 0)
    REQUIRE(cluster.sent(Lane::consensus, sized(1000, 'x')));
  const auto before = cluster.status(1, "n2").out;
  for (int i = 0; i < 1000; ++i) REQUIRE(cluster.sent(Lane::consensus, sized(50, 'y')));
  cluster.world.set_path("n1", "n2", {});
  REQUIRE(cluster.world.run_until(
      [&] {
        return cluster.seen(2).messages.size() >= 1000 &&
               cluster.seen(2).messages.back().second[0] == 'y' &&
               cluster.status(1, "n2").queued_bytes[1] == 0;
      },
      10s));
  const auto after = cluster.status(1, "n2").out;
  CHECK(after.frames[1] - before.frames[1] >= 1000);
  CHECK(after.batches - before.batches <= 5);
}

TEST_CASE("what is sent within a turn leaves in one write, unless it is much") {
  Linked cluster;
  const auto batches = [&] { return cluster.status(1, "n2").out.batches; };
  const auto before = batches();
  {
    const MeshTurn turn;
    for (int i = 0; i < 50; ++i) REQUIRE(cluster.sent(Lane::consensus, sized(100, 'x')));
    CHECK(batches() == before);
  }
  CHECK(batches() == before + 1);
  {
    const MeshTurn turn;
    const MeshTurn inner;
    for (int i = 0; i < 50; ++i) REQUIRE(cluster.sent(Lane::consensus, sized(1000, 'x')));
    CHECK(batches() > before + 1);
    CHECK(batches() < before + 5);
  }
  REQUIRE(cluster.world.run_until([&] { return cluster.seen(2).messages.size() == 100; }, 1s));
}

TEST_CASE("answers to requests that came together leave together") {
  FakePeer peer;
  auto end = peer.link();
  peer.core->calls[255] = [](IncomingCall call) { call.answer("done"); };
  std::string requests;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    wire::MeshRequest head;
    head.set_id(i);
    head.set_kind(255);
    requests += frame(FrameKind::request, Lane::call, with_head(head.SerializeAsString()) + "x");
  }
  const auto before = end.stream->writes;
  end.say(requests);
  CHECK(end.stream->writes == before + 1);
  CHECK(end.stream->said().size() == 20);
}

TEST_CASE("consensus messages that do not fit are dropped and counted, and the link goes on") {
  Linked cluster{[](MeshOptions& options) { options.consensus_bytes_max = 100'000; }};
  cluster.world.set_path("n1", "n2", {.blocked = true});
  std::size_t dropped = 0;
  for (int i = 0; i < 500; ++i) dropped += cluster.sent(Lane::consensus, sized(1000, 'x')) ? 0 : 1;
  CHECK(dropped > 100);
  CHECK(cluster.status(1, "n2").consensus_dropped == dropped);
  CHECK(cluster.status(1, "n2").queued_bytes[1] <= 100'000);
  cluster.world.set_path("n1", "n2", {});
  REQUIRE(cluster.world.run_until([&] { return cluster.seen(2).messages.size() == 500 - dropped; },
                                  10s));
  CHECK(cluster.linked(1, 2));
}

TEST_CASE("calls that do not fit are refused at once") {
  std::size_t refused = 0;
  Linked cluster{[](MeshOptions& options) {
    options.call_bytes_max = 50'000;
    options.calls_open_max = 200;
  }};
  cluster.world.set_path("n1", "n2", {.blocked = true});
  for (int i = 0; i < 500; ++i)
    cluster.mesh(1).call("n2", FrameKind::test, sized(1000, 'c'), cluster.in(10s),
                         [&](Result<std::string> reply) {
                           // The others are answered when the cluster ends.
                           if (reply || reply.error().reason != "LINK_FULL") return;
                           CHECK(reply.error().code == Code::resource_exhausted);
                           ++refused;
                         });
  CHECK(refused > 300);
  CHECK(cluster.status(1, "n2").calls_refused == refused);
  CHECK(cluster.status(1, "n2").calls_open == 500 - refused);
  CHECK(cluster.status(1, "n2").queued_bytes[2] <= 50'000);
}

TEST_CASE("bulk waits for the receiver's credit, and goes on when it has dealt with some") {
  Linked cluster{[](MeshOptions& options) { options.bulk_window = 100'000; }};
  cluster.seen(2).keep = true;
  std::size_t left = 0;
  for (int i = 0; i < 50; ++i)
    REQUIRE(cluster.sent(Lane::bulk, sized(10'000, 'b'), [&](const Result<void>& sent) {
      CHECK(sent);
      ++left;
    }));
  cluster.world.run_for(5s);
  CHECK(cluster.seen(2).messages.size() == 10);
  CHECK(left == 10);
  // Others are not held up.
  REQUIRE(cluster.sent(Lane::consensus, "now"));
  REQUIRE(cluster.world.run_until([&] { return cluster.seen(2).messages.size() == 11; }, 1s));
  for (int round = 0; round < 100 && left < 50; ++round) {
    cluster.seen(2).kept.clear();
    cluster.world.run_for(100ms);
    CHECK(cluster.seen(2).kept.size() <= 11);
  }
  CHECK(left == 50);
  CHECK(cluster.seen(2).messages.size() == 51);
}

TEST_CASE("a bulk message that cannot leave any more says so") {
  Linked cluster{[](MeshOptions& options) { options.bulk_window = 10'000; }};
  cluster.seen(2).keep = true;
  std::size_t left = 0;
  std::vector<std::string> failures;
  for (int i = 0; i < 5; ++i)
    REQUIRE(cluster.sent(Lane::bulk, sized(10'000, 'b'), [&](const Result<void>& sent) {
      sent ? void(++left) : failures.push_back(sent.error().reason);
    }));
  cluster.world.run_for(1s);
  cluster.world.reset_connections("n1", "n2");
  cluster.world.run_for(1s);
  CHECK(left == 1);
  CHECK(failures == std::vector<std::string>(4, "LINK_DOWN"));
}

TEST_CASE("calls wait for credit that unanswered ones hold, and messages of their lane too") {
  Linked cluster{[](MeshOptions& options) { options.call_window = 50'000; }};
  cluster.seen(2).answer = false;
  std::size_t answered = 0;
  for (int i = 0; i < 200; ++i)
    cluster.mesh(1).call("n2", FrameKind::test, sized(1000, 'c'), cluster.in(60s),
                         [&](Result<std::string> reply) { answered += reply ? 1 : 0; });
  cluster.world.run_for(5s);
  CHECK(cluster.seen(2).calls.size() >= 48);
  CHECK(cluster.seen(2).calls.size() <= 51);
  for (int round = 0; round < 100 && answered < 200; ++round) {
    auto calls = std::exchange(cluster.seen(2).calls, {});
    CHECK(calls.size() <= 51);
    for (const auto& call : calls) call.answer("done");
    cluster.world.run_for(100ms);
  }
  CHECK(answered == 200);
}

TEST_CASE("two nodes that fill each other's windows with calls do not stand still") {
  Linked cluster{[](MeshOptions& options) { options.call_window = 20'000; }};
  std::size_t answered = 0;
  cluster.seen(1).answer = cluster.seen(2).answer = false;
  for (int i = 0; i < 100; ++i)
    for (const std::size_t from : {1U, 2U})
      cluster.mesh(from).call(from == 1 ? "n2" : "n1", FrameKind::test, sized(1000, 'c'),
                              MonotonicTime::max(),
                              [&](Result<std::string> reply) { answered += reply ? 1 : 0; });
  cluster.world.run_for(1s);
  CHECK(answered == 0);
  cluster.seen(1).answer = cluster.seen(2).answer = true;
  for (const std::size_t node : {1U, 2U})
    for (const auto& call : std::exchange(cluster.seen(node).calls, {}))
      call.answer(sized(5000, 'r'));
  REQUIRE(cluster.world.run_until([&] { return answered == 200; }, 10s));
}

TEST_CASE("replies to a peer that does not read them are bounded, and every call is answered") {
  std::map<std::string, int> outcomes;
  Linked cluster{[](MeshOptions& options) { options.reply_bytes_max = 200'000; }};
  cluster.seen(2).answer = false;
  for (int i = 0; i < 20; ++i)
    cluster.mesh(1).call(
        "n2", FrameKind::test, "x", MonotonicTime::max(),
        [&](Result<std::string> reply) { ++outcomes[reply ? "OK" : reply.error().reason]; });
  REQUIRE(cluster.world.run_until([&] { return cluster.seen(2).calls.size() == 20; }, 1s));
  cluster.world.set_path("n2", "n1", {.blocked = true});
  for (const auto& call : cluster.seen(2).calls) call.answer(sized(50'000, 'r'));
  CHECK(cluster.status(2, "n1").queued_bytes[2] < 210'000);
  cluster.world.set_path("n2", "n1", {});
  cluster.world.run_for(2s);
  CHECK(outcomes["OK"] >= 5);
  CHECK(outcomes["OK"] <= 7);
  CHECK(outcomes["CALL_DROPPED"] == 20 - outcomes["OK"]);
}

TEST_CASE("a peer that sends more than it has credit for loses its link") {
  for (const Lane lane : {Lane::call, Lane::bulk}) {
    FakePeer peer{[](MeshOptions& options) { options.call_window = options.bulk_window = 1000; }};
    auto end = peer.link();
    end.say(frame(FrameKind::test, lane, sized(900, 'x')));
    end.say(frame(FrameKind::test, lane, sized(900, 'x')));  // overdraws, which may be
    CHECK_FALSE(end.stream->over());
    end.say(frame(FrameKind::test, lane, "x"));
    CHECK(end.stream->aborted);
    CHECK_FALSE(peer.core->find("n2")->is_up());
    CHECK(peer.status().last_error.find("FRAME_MALFORMED") == 0);
    CHECK(peer.messages.size() == 2);
  }
}

TEST_CASE("credit comes back once what came is let go of, many messages in one frame") {
  FakePeer peer{[](MeshOptions& options) { options.bulk_window = 1000; }};
  auto end = peer.link();
  for (int i = 0; i < 10; ++i) end.say(frame(FrameKind::test, Lane::bulk, sized(94, 'x')));
  CHECK(end.stream->said().empty());
  peer.kept.erase(peer.kept.begin(), peer.kept.begin() + 2);
  CHECK(end.stream->said().empty());
  peer.kept.erase(peer.kept.begin());
  const auto said = end.stream->said();
  REQUIRE(said.size() == 1);
  CHECK(said[0].kind == FrameKind::credit);
  wire::MeshCredit credit;
  REQUIRE(credit.ParseFromString(said[0].payload));
  CHECK(credit.bulk_bytes() == 300);
  CHECK(credit.call_bytes() == 0);
  peer.kept.clear();
}

TEST_CASE("a peer that grants more than was sent loses its link") {
  FakePeer peer;
  auto end = peer.link();
  wire::MeshCredit credit;
  credit.set_call_bytes(1);
  end.say(frame(FrameKind::credit, Lane::control, credit.SerializeAsString()));
  CHECK(end.stream->aborted);
}

TEST_CASE("messages of a kind that nobody here takes are counted and do no harm") {
  FakePeer peer;
  auto end = peer.link();
  end.say(frame(static_cast<FrameKind>(200), Lane::bulk, "?"));
  end.say(frame(static_cast<FrameKind>(200), Lane::consensus, "?"));
  end.say(frame(static_cast<FrameKind>(12), Lane::control, "of a later version"));
  CHECK(peer.status().unknown_frames == 3);
  CHECK_FALSE(end.stream->over());
}

TEST_CASE("messages of a lane arrive in order and once, or not at all, whatever happens to links") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    MeshWorld cluster{2, seed};
    cluster.start_all();
    cluster.link();
    auto random = cluster.world.random();
    std::size_t sent = 0;
    for (int i = 0; i < 2000; ++i) {
      const auto lane = static_cast<Lane>(random.between(1, 3));
      const auto text = std::to_string(static_cast<int>(lane)) + std::to_string(100'000 + i);
      sent += cluster.mesh(1).send("n2", lane, FrameKind::test,
                                   text + std::string(random.between(0, 2000), '.'))
                  ? 1
                  : 0;
      if (random.between(0, 199) == 0) cluster.world.reset_connections("n1", "n2");
      if (random.between(0, 99) == 0)
        cluster.world.set_path("n1", "n2", {.slow_by_max = 300ms, .lost = 50'000});
      if (random.between(0, 99) == 0) cluster.world.set_path("n1", "n2", {});
      cluster.world.run_for(std::chrono::milliseconds{random.between(0, 10)});
    }
    cluster.world.set_path("n1", "n2", {});
    cluster.world.run_for(10s);
    const auto& messages = cluster.seen(2).messages;
    std::map<char, std::string> newest;
    for (const auto& [from, text] : messages) {
      const auto number = text.substr(1, 6);
      CHECK(newest[text[0]] < number);
      newest[text[0]] = number;
    }
    CHECK(newest.size() == 3);
    CHECK(messages.size() <= sent);
    CHECK(messages.size() > sent / 2);
  }
}

TEST_CASE("a message that is larger than its lane allows is refused") {
  Linked cluster;
  const auto sent = cluster.mesh(1).send("n2", Lane::bulk, FrameKind::test, sized(65'537, 'b'));
  REQUIRE(!sent);
  CHECK(sent.error().reason == "MESSAGE_TOO_LARGE");
  REQUIRE(cluster.mesh(1).send("n2", Lane::bulk, FrameKind::test, sized(65'536, 'b')));
  REQUIRE(cluster.mesh(1).send("n2", Lane::consensus, FrameKind::test, sized(4 << 20, 'c')));
  REQUIRE(cluster.world.run_until([&] { return cluster.seen(2).messages.size() == 2; }, 5s));
  CHECK(cluster.seen(2).messages[1].second.size() + cluster.seen(2).messages[0].second.size() ==
        (4 << 20) + 65'536);
}

}  // namespace troupe::cluster::tests

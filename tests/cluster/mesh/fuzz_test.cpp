// A node against peers that send anything: nothing but a clean end of their own connection may come
// of it. Seeded, so that a failure comes again.
#include "simulations/world/random.hpp"
#include "tests/cluster/mesh/fake_stream.hpp"

namespace troupe::cluster::tests {

namespace {

using simulations::Domain;
using simulations::RandomStream;

template <class Message>
std::string head(const Message& message, const std::string& body) {
  return with_head(message.SerializeAsString()) + body;
}

// What an honest peer might send once the link is up.
std::vector<std::string> honest_frames(RandomStream& random) {
  std::vector<std::string> frames;
  for (auto count = random.between(1, 6); count > 0; --count) {
    const auto body = std::string(random.between(0, 50), 'x');
    switch (random.between(0, 5)) {
      case 0:
        frames.push_back(frame(FrameKind::heartbeat, Lane::control));
        break;
      case 1: {
        wire::MeshRequest request;
        request.set_id(random.next());
        request.set_kind(255);
        request.set_remaining_us(random.between(0, 5'000'000));
        frames.push_back(frame(FrameKind::request, Lane::call, head(request, body)));
        break;
      }
      case 2: {
        wire::MeshReply reply;
        reply.set_id(random.between(1, 3));
        reply.set_code(static_cast<std::uint32_t>(random.between(0, 16)));
        reply.set_reason("SOME_REASON");
        frames.push_back(frame(FrameKind::reply, Lane::call, head(reply, body)));
        break;
      }
      case 3: {
        wire::MeshCredit credit;
        frames.push_back(frame(FrameKind::credit, Lane::control, credit.SerializeAsString()));
        break;
      }
      default:
        frames.push_back(frame(FrameKind::test, static_cast<Lane>(random.between(1, 3)), body));
    }
  }
  return frames;
}

void mutate(std::string& bytes, RandomStream& random) {
  for (auto changes = random.between(1, 4); changes > 0; --changes) {
    if (bytes.empty()) return;
    const auto at = random.between(0, bytes.size() - 1);
    switch (random.between(0, 5)) {
      case 0:
        bytes[at] = static_cast<char>(random.next());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << random.between(0, 7));
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        bytes.insert(at, std::string(random.between(1, 8), static_cast<char>(random.next())));
        break;
      case 4:
        bytes.erase(at, random.between(1, 8));
        break;
      default:
        bytes.insert(at, bytes.substr(random.between(0, bytes.size() - 1), 40));
    }
  }
}

void say_in_pieces(FakePeer::End& end, std::string_view bytes, RandomStream& random) {
  while (!bytes.empty()) {
    const auto size = std::min<std::size_t>(bytes.size(), random.between(1, 200));
    end.say(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
}

struct Fuzzed {
  FakePeer peer;
  std::size_t aborted = 0;
  std::size_t closed = 0;
  std::size_t went_up = 0;

  // Whatever a connection did, the next honest one makes a link.
  void finish(FakePeer::End& end) {
    aborted += end.stream->aborted ? 1 : 0;
    closed += end.stream->closed ? 1 : 0;
    end.stream->said();  // checks that our own bytes are frames
    end.end();
    CHECK_FALSE(peer.core->find("n2")->is_up());
    peer.calls.clear();
    peer.kept.clear();
    peer.messages.clear();
    went_up += peer.links.size() / 2;
    peer.links.clear();
  }
  void check_alive() {
    auto end = peer.link(~std::uint64_t{0}, ++dial_);
    end.say(frame(FrameKind::test, Lane::consensus, "alive"));
    CHECK(peer.messages == std::vector<std::string>{"alive"});
    finish(end);
  }

 private:
  std::uint64_t dial_ = 0;
};

}  // namespace

TEST_CASE("mutated handshakes and frames end their own connection at most") {
  Fuzzed fuzzed;
  for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
    CAPTURE(seed);
    RandomStream random{seed, Domain::scenario, 0, 2};
    auto bytes = FakePeer::hello_frame(FakePeer::hello(seed));
    bytes += frame(FrameKind::ready, Lane::control);
    for (const auto& part : honest_frames(random)) bytes += part;
    mutate(bytes, random);
    auto end = fuzzed.peer.connect();
    say_in_pieces(end, bytes, random);
    fuzzed.finish(end);
    if (seed % 100 == 0) fuzzed.check_alive();
  }
  // The mutations are neither harmless nor all fatal to the handshake.
  CHECK(fuzzed.aborted > 400);
  CHECK(fuzzed.went_up > 1000);
}

TEST_CASE("mutated frames on a link that is up end it cleanly or do nothing") {
  Fuzzed fuzzed;
  for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
    CAPTURE(seed);
    RandomStream random{seed, Domain::scenario, 0, 3};
    auto end = fuzzed.peer.link(seed);
    std::string bytes;
    for (const auto& part : honest_frames(random)) bytes += part;
    mutate(bytes, random);
    say_in_pieces(end, bytes, random);
    CHECK(end.stream->aborted != fuzzed.peer.core->find("n2")->is_up());
    if (seed % 3 == 0)
      for (const auto& call : fuzzed.peer.calls) call.answer("late or not");
    fuzzed.finish(end);
    if (seed % 100 == 0) fuzzed.check_alive();
  }
  CHECK(fuzzed.aborted > 400);
  CHECK(fuzzed.aborted < 3600);
}

TEST_CASE("mutated answers to our own hello end the dial at most") {
  Fuzzed fuzzed;
  const auto link = fuzzed.peer.core->find("n2");
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    CAPTURE(seed);
    RandomStream random{seed, Domain::scenario, 0, 4};
    std::string bytes;
    if (random.between(0, 2) == 0) {
      bytes = frame(FrameKind::refusal, Lane::control,
                    refusal_bytes(unavailable("SOME_REASON", "for the test")));
    } else {
      bytes = FakePeer::hello_frame(FakePeer::hello(seed, 7));
    }
    mutate(bytes, random);
    auto stream = std::make_shared<FakeStream>();
    FakePeer::End end{stream, std::make_shared<MeshConnection>(fuzzed.peer.core, stream, link, 7)};
    say_in_pieces(end, bytes, random);
    fuzzed.finish(end);
  }
  fuzzed.check_alive();
}

TEST_CASE("random bytes get no answer") {
  Fuzzed fuzzed;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    CAPTURE(seed);
    RandomStream random{seed, Domain::scenario, 0, 5};
    std::string bytes(random.between(1, 60), '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random.next());
    auto end = fuzzed.peer.connect();
    say_in_pieces(end, bytes, random);
    CHECK(end.stream->written.empty());
    fuzzed.finish(end);
  }
  CHECK(fuzzed.aborted > 1700);
  fuzzed.check_alive();
}

}  // namespace troupe::cluster::tests

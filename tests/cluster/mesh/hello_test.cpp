// Whom a node takes for a peer, and which of several connections becomes the link.
#include "tests/cluster/mesh/fake_stream.hpp"
#include "tests/cluster/mesh/mesh_world.hpp"

namespace troupe::cluster::tests {

namespace {

using Links = std::vector<std::string>;

// The refusal that a hello gets; its reason.
std::string refusal_of(FakePeer& peer, const wire::MeshHello& hello) {
  auto end = peer.connect();
  end.say(FakePeer::hello_frame(hello));
  const auto said = end.stream->said();
  REQUIRE(said.size() == 1);
  CHECK(said[0].kind == FrameKind::refusal);
  CHECK(end.stream->closed);
  end.end();
  return parse_refusal(said[0].payload).reason;
}

}  // namespace

TEST_CASE("a hello that fits is answered, and the link is up when the dialling side is ready") {
  FakePeer peer;
  auto end = peer.connect();
  CHECK(end.stream->expiry == 2s);
  end.say(FakePeer::hello_frame(FakePeer::hello()));
  const auto said = end.stream->said();
  REQUIRE(said.size() == 1);
  CHECK(said[0].kind == FrameKind::hello);
  const auto answer = parse_hello(said[0].payload);
  REQUIRE(answer);
  CHECK(answer->node() == "n1");
  CHECK(answer->cluster() == "c");
  CHECK(answer->incarnation() == 11);
  CHECK(answer->dial() == 1);
  CHECK(peer.links.empty());
  end.say(frame(FrameKind::ready, Lane::control));
  CHECK(peer.links == Links{"+n2"});
  CHECK(end.stream->expiry == Duration{0});
  CHECK(peer.status().incarnation == 22);
}

TEST_CASE("fields that a later version adds to a hello do no harm") {
  FakePeer peer;
  auto hello = FakePeer::hello();
  hello.GetReflection()->MutableUnknownFields(&hello)->AddLengthDelimited(999, "of tomorrow");
  auto end = peer.connect();
  end.say(FakePeer::hello_frame(hello));
  end.say(frame(FrameKind::ready, Lane::control));
  CHECK(peer.links == Links{"+n2"});
  const auto again = parse_hello(hello.SerializeAsString());
  REQUIRE(again);
  CHECK(again->SerializeAsString() == hello.SerializeAsString());
}

TEST_CASE("who does not belong is refused with the reason") {
  FakePeer peer;
  auto hello = FakePeer::hello();
  hello.set_cluster("other");
  CHECK(refusal_of(peer, hello) == "CLUSTER_FOREIGN");
  hello = FakePeer::hello();
  hello.set_node("n9");
  CHECK(refusal_of(peer, hello) == "PEER_UNKNOWN");
  hello = FakePeer::hello();
  hello.set_node("n1");
  CHECK(refusal_of(peer, hello) == "PEER_IS_SELF");
  hello = FakePeer::hello();
  hello.set_dialled_node("n3");
  CHECK(refusal_of(peer, hello) == "PEER_MISTAKEN");
  hello = FakePeer::hello();
  hello.set_version_min(2);
  hello.set_version_max(3);
  CHECK(refusal_of(peer, hello) == "VERSION_UNSUPPORTED");
  CHECK(peer.links.empty());
}

TEST_CASE("a node whose program cannot read what the cluster uses is refused, and its link ends") {
  bool on = true;
  std::string told;
  FakePeer peer;
  peer.core->formats = {
      {"rows.2"},
      [&](const std::string& node, const std::vector<std::string>& formats) -> Result<void> {
        told = node + " reads " + (formats.empty() ? "none" : formats.front());
        if (!on || !formats.empty()) return {};
        return failed_precondition("FORMAT_UNREADABLE", node + " cannot read rows.2");
      },
      {}};
  CHECK(refusal_of(peer, FakePeer::hello()) == "FORMAT_UNREADABLE");
  CHECK(told == "n2 reads none");
  on = false;
  auto end = peer.connect();
  end.say(FakePeer::hello_frame(FakePeer::hello()));
  const auto answer = parse_hello(end.stream->said().at(0).payload);
  REQUIRE(answer);
  REQUIRE(answer->formats_size() == 1);
  CHECK(answer->formats(0) == "rows.2");
  end.say(frame(FrameKind::ready, Lane::control));
  CHECK(peer.links == Links{"+n2"});
  const auto check_formats = [&] { peer.core->links().front()->check_formats(); };
  check_formats();
  CHECK(peer.links == Links{"+n2"});
  on = true;
  check_formats();
  CHECK(peer.links == Links{"+n2", "-n2"});
  CHECK(end.stream->aborted);
}

TEST_CASE("a node may not call itself other than its stream has proved") {
  std::optional<std::string> proven = "n3";
  FakePeer peer{[&](MeshOptions& options) {
    options.proven_name = [&](const runtime::Stream&) { return proven; };
  }};
  CHECK(refusal_of(peer, FakePeer::hello()) == "IDENTITY_WRONG");
  proven = "n2";
  peer.link(22, 2);
  CHECK(peer.links == Links{"+n2"});
}

TEST_CASE("what is no node gets no answer") {
  FakePeer peer;
  auto browser = peer.connect();
  browser.say("GET / HTTP/1.1\r\nHost: n1\r\n\r\n");
  CHECK(browser.stream->aborted);
  CHECK(browser.stream->written.empty());
  auto hello = FakePeer::hello();
  hello.set_magic(1);
  auto other = peer.connect();
  other.say(FakePeer::hello_frame(hello));
  CHECK(other.stream->aborted);
  CHECK(other.stream->written.empty());
}

TEST_CASE("strangers that do not greet are bounded in number") {
  FakePeer peer{[](MeshOptions& options) { options.strangers_max = 3; }};
  std::vector<FakePeer::End> ends;
  for (int i = 0; i < 3; ++i) ends.push_back(peer.connect());
  CHECK(peer.core->accept(std::make_shared<FakeStream>()) == nullptr);
  ends.back().end();
  CHECK(peer.core->accept(std::make_shared<FakeStream>()) != nullptr);
}

TEST_CASE("another incarnation replaces the link, and so does a node that dials again") {
  FakePeer peer;
  auto first = peer.link(22, 5);
  auto second = peer.link(33, 1);
  CHECK(first.stream->aborted);
  CHECK(peer.links == Links{"+n2", "-n2", "+n2"});
  CHECK(peer.status().incarnation == 33);
  auto third = peer.link(33, 2);
  CHECK(second.stream->aborted);
  CHECK(peer.links == Links{"+n2", "-n2", "+n2", "-n2", "+n2"});
  first.end();  // what ends late changes nothing
  second.end();
  CHECK(peer.links.size() == 5);
  CHECK_FALSE(third.stream->over());
}

TEST_CASE("a hello that is older than the link is closed and changes nothing") {
  FakePeer peer;
  auto link = peer.link(22, 7);
  auto late = peer.connect();
  late.say(FakePeer::hello_frame(FakePeer::hello(22, 6)));
  CHECK(late.stream->closed);
  CHECK(late.stream->written.empty());
  CHECK_FALSE(link.stream->over());
  CHECK(peer.links == Links{"+n2"});
}

TEST_CASE("a link is not replaced before the dialling side is ready") {
  FakePeer peer;
  auto link = peer.link(22, 1);
  auto other = peer.connect();
  other.say(FakePeer::hello_frame(FakePeer::hello(33, 1)));
  CHECK_FALSE(link.stream->over());
  other.end();
  CHECK_FALSE(link.stream->over());
  CHECK(peer.links == Links{"+n2"});
}

// --- two nodes in a world -----------------------------------------------------------------------

namespace {

struct Misfit {
  std::string what;
  std::function<void(MeshOptions&)> change;  // of n2
  std::string reason;
};

}  // namespace

TEST_CASE("both sides say once why they have no link, however often they try") {
  const std::vector<Misfit> misfits{
      {"another cluster", [](MeshOptions& n2) { n2.cluster = "other"; }, "CLUSTER_FOREIGN"},
      {"another version", [](MeshOptions& n2) { n2.version_min = n2.version_max = 2; },
       "VERSION_UNSUPPORTED"},
      {"an unknown node", [](MeshOptions& n2) { n2.node = "x2"; }, "PEER_"},
      {"itself", [](MeshOptions& n2) { n2.node = "n1"; }, "PEER_IS_SELF"},
      {"a false name",
       [](MeshOptions& n2) {
         n2.proven_name = [](const runtime::Stream&) { return std::optional<std::string>{"n9"}; };
       },
       "IDENTITY_WRONG"},
  };
  for (const auto& misfit : misfits) {
    CAPTURE(misfit.what);
    MeshWorld cluster{2};
    misfit.change(cluster.node(2).options);
    cluster.start_all();
    cluster.world.run_for(30s);
    CHECK_FALSE(cluster.mesh(1).is_up("n2"));
    CHECK(cluster.status(1, "n2").last_error.find(misfit.reason) != std::string::npos);
    for (const std::string node : {"n1", "n2"}) {
      const auto refused = cluster.logged("mesh.refused", node);
      const auto unreachable = cluster.logged("mesh.unreachable", node);
      CHECK(refused <= 1);
      CHECK(unreachable <= 1);
      CHECK(refused + unreachable >= 1);
    }
  }
}

TEST_CASE("who connects and says nothing, or only half a hello, is cut off") {
  struct Silent final : runtime::StreamHandler {
    bool closed = false;
    std::shared_ptr<runtime::Stream> stream;
    void on_data(std::string_view) override {}
    void on_closed(const Result<void>&) override { closed = true; }
  };
  for (const std::string words : {"", "\x20"}) {
    MeshWorld cluster{1};
    cluster.start(1);
    const auto silent = std::make_shared<Silent>();
    cluster.world.outside().network().connect({"n1", 7000}, 1s, [&](auto stream) {
      REQUIRE(stream);
      silent->stream = *stream;
      (*stream)->write(words);
      return silent;
    });
    cluster.world.run_for(1900ms);
    CHECK_FALSE(silent->closed);
    cluster.world.run_for(200ms);
    CHECK(silent->closed);
  }
}

TEST_CASE("two nodes speak the highest version that both know") {
  MeshWorld cluster{2};
  cluster.node(1).options.version_max = 3;
  cluster.node(2).options.version_min = 2;
  cluster.node(2).options.version_max = 5;
  cluster.start_all();
  cluster.link();
  CHECK(cluster.status(1, "n2").version == 3);
  CHECK(cluster.status(2, "n1").version == 3);
}

}  // namespace troupe::cluster::tests

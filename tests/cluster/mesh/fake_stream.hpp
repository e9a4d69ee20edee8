// A peer that says what a test lets it say: a mesh's core without a network, and streams whose
// other end is the test.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cluster/mesh/connection.hpp"
#include "cluster/mesh/hello.hpp"
#include "cluster/mesh/mesh_core.hpp"
#include "cluster/mesh/mesh_link.hpp"
#include "simulations/world/world.hpp"

namespace troupe::cluster::tests {

class FakeStream final : public runtime::Stream {
 public:
  void write(std::string bytes) override {
    if (over()) return;
    written += bytes;
    ++writes;
  }
  std::size_t unsent() const override { return 0; }
  void pause_reading() override {}
  void resume_reading() override {}
  void expire_after(Duration time) override { expiry = time; }
  void wake_after(Duration) override {}
  void close() override { closed = true; }
  void abort() override { aborted = true; }
  runtime::Address remote() const override { return {"fake", 1}; }

  bool over() const { return closed || aborted; }

  // What was written since the last call. Copies, for the frames' sake.
  struct Said {
    FrameKind kind;
    Lane lane;
    std::string payload;
  };
  std::vector<Said> said() {
    std::vector<Said> all;
    const auto read = reader_.read(std::exchange(written, {}), [&](const Frame& frame) {
      all.push_back({frame.kind, frame.lane, std::string{frame.payload}});
      return Result<void>{};
    });
    CHECK(read);
    return all;
  }

  std::string written;
  int writes = 0;
  Duration expiry{};
  bool closed = false;
  bool aborted = false;

 private:
  FrameReader reader_;
};

inline std::string frame(FrameKind kind, Lane lane, std::string_view payload = {}) {
  std::string bytes;
  append_frame(bytes, kind, lane, payload);
  return bytes;
}

// Node n1 of cluster "c", whose only peer is n2, which is never reached by itself.
struct FakePeer {
  simulations::World world{{.seed = 1}};
  std::shared_ptr<MeshCore> core;
  std::vector<std::string> messages;
  std::vector<std::string> links;
  std::vector<IncomingCall> calls;
  std::vector<MeshMessage> kept;

  explicit FakePeer(const std::function<void(MeshOptions&)>& change = {}) {
    MeshOptions options;
    options.cluster = "c";
    options.node = "n1";
    options.incarnation = 11;
    if (change) change(options);
    core = std::make_shared<MeshCore>(world.outside(), std::move(options));
    core->messages[255] = [this](const std::string&, MeshMessage message) {
      messages.push_back(message.bytes);
      kept.push_back(std::move(message));
    };
    core->calls[255] = [this](IncomingCall call) { calls.push_back(std::move(call)); };
    core->link_handlers.push_back(
        [this](const std::string& node, bool up) { links.push_back((up ? "+" : "-") + node); });
    core->start([](Duration) {});
    core->set_peer("n2", {"nowhere", 1});
    core->tick();
  }
  ~FakePeer() {
    calls.clear();
    kept.clear();
    core->stop();
    core->gate.close();
  }

  struct End {
    std::shared_ptr<FakeStream> stream = std::make_shared<FakeStream>();
    std::shared_ptr<runtime::StreamHandler> handler;

    void say(std::string_view bytes) {
      if (!stream->over()) handler->on_data(bytes);
    }
    // As the network does when a stream has ended.
    void end() { handler->on_closed({}); }
  };
  End connect() {
    End end;
    end.handler = core->accept(end.stream);
    REQUIRE(end.handler);
    return end;
  }

  static wire::MeshHello hello(std::uint64_t incarnation = 22, std::uint64_t dial = 1) {
    MeshOptions theirs;
    theirs.cluster = "c";
    theirs.node = "n2";
    theirs.incarnation = incarnation;
    auto hello = make_hello(theirs);
    hello.set_dialled_node("n1");
    hello.set_dial(dial);
    return hello;
  }
  static std::string hello_frame(const wire::MeshHello& hello) {
    return frame(FrameKind::hello, Lane::control, hello.SerializeAsString());
  }

  // A link, up.
  End link(std::uint64_t incarnation = 22, std::uint64_t dial = 1) {
    auto end = connect();
    end.say(hello_frame(hello(incarnation, dial)));
    end.say(frame(FrameKind::ready, Lane::control));
    REQUIRE(core->find("n2")->is_up());
    end.stream->said();
    return end;
  }
  MeshLinkStatus status() { return core->find("n2")->status(); }
};

}  // namespace troupe::cluster::tests

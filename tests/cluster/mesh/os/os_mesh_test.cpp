// The mesh on loopback sockets and real threads.
#include <doctest/doctest.h>

#include <atomic>
#include <caf/all.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "cluster/mesh/frame.hpp"
#include "cluster/mesh/hello.hpp"
#include "cluster/mesh/mesh.hpp"
#include "cluster/mesh/mesh_actor.hpp"
#include "runtime/platform/os/os_platform.hpp"
#include "tests/runtime/platform/event.hpp"
#include "tests/runtime/platform/network_rig.hpp"

namespace troupe::cluster::tests {

namespace {

using namespace std::chrono_literals;
using troupe::tests::Event;

// One node of a cluster of this process.
class OsNode {
 public:
  explicit OsNode(const std::string& name, const std::string& cluster = "c")
      : platform_(runtime::make_os_platform(
            {.node = name, .log_level = runtime::LogLevel::error, .scheduler_threads = 1})) {
    MeshOptions options;
    options.cluster = cluster;
    options.node = name;
    options.incarnation = platform_->random().next();
    options.listen = {"127.0.0.1", 0};
    auto listening = Mesh::listen(*platform_, std::move(options));
    REQUIRE(listening);
    mesh_ = *std::move(listening);
    mesh_->on(FrameKind::test, [this](const std::string& from, MeshMessage message) {
      on_message();
      note([&] { messages_.emplace_back(from + ": " + message.bytes); });
    });
    mesh_->on_call(FrameKind::test, [](IncomingCall call) { call.answer("re: " + call.bytes()); });
    mesh_->on_link([this](const std::string& node, bool up) {
      note([&] { links_.push_back((up ? "+" : "-") + node); });
    });
    platform_->configure(config_);
    system_ = std::make_unique<caf::actor_system>(config_);
  }
  ~OsNode() {
    destroy_mesh();
    platform_.reset();
  }

  void destroy_mesh() {
    if (actor_) caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
    actor_ = nullptr;
    system_.reset();
    mesh_.reset();
  }
  std::function<void()> on_message = [] {};  // set before the start

  void start() { actor_ = spawn_mesh(*system_, *mesh_); }
  void knows(const OsNode& other, const std::string& name) {
    mesh_->set_peer(name, other.mesh_->local());
  }
  Mesh& mesh() { return *mesh_; }
  runtime::Platform& platform() { return *platform_; }
  MonotonicTime in(Duration time) { return platform_->clock().now() + time; }

  std::vector<std::string> wait_for_links(std::size_t count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return links_.size() >= count; });
    return links_;
  }
  std::vector<std::string> wait_for_messages(std::size_t count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return messages_.size() >= count; });
    return messages_;
  }

 private:
  template <class Change>
  void note(Change change) {
    const std::lock_guard lock{mutex_};
    change();
    changed_.notify_all();
  }

  std::unique_ptr<runtime::Platform> platform_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> links_;
  std::vector<std::string> messages_;
  std::unique_ptr<Mesh> mesh_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::actor actor_;
};

// Linked.
struct OsPair {
  OsNode one{"n1"};
  OsNode two{"n2"};

  OsPair() {
    one.knows(two, "n2");
    two.knows(one, "n1");
    one.start();
    two.start();
    one.wait_for_links(1);
  }
};

using Links = std::vector<std::string>;

}  // namespace

TEST_CASE("two nodes on loopback sockets link, and messages arrive in order") {
  OsPair pair;
  auto& [one, two] = pair;
  CHECK(one.wait_for_links(1) == Links{"+n2"});
  CHECK(two.wait_for_links(1) == Links{"+n1"});
  for (int i = 0; i < 1000; ++i)
    REQUIRE(one.mesh().send("n2", Lane::consensus, FrameKind::test, std::to_string(i)));
  const auto messages = two.wait_for_messages(1000);
  for (std::size_t i = 0; i < 1000; ++i) CHECK(messages[i] == "n1: " + std::to_string(i));
}

TEST_CASE("many calls in flight between two processes' worth of threads are all answered") {
  OsPair pair;
  auto& [one, two] = pair;
  constexpr int calls = 20'000;
  constexpr int in_flight = 64;
  std::atomic<int> sent{0};
  std::atomic<int> answered{0};
  std::atomic<int> wrong{0};
  Event<> done;
  std::function<void()> next = [&] {
    const int number = sent.fetch_add(1);
    if (number >= calls) return;
    const auto text = std::to_string(number);
    one.mesh().call("n2", FrameKind::test, text, one.in(60s), [&, text](Result<std::string> reply) {
      if (!reply || *reply != "re: " + text) ++wrong;
      if (answered.fetch_add(1) + 1 == calls) return done.set();
      next();
    });
  };
  for (int i = 0; i < in_flight; ++i) next();
  done.wait();
  CHECK(wrong == 0);
}

TEST_CASE("large messages of every lane pass while calls go on") {
  OsPair pair;
  auto& [one, two] = pair;
  Event<> sent;
  std::atomic<int> left{0};
  constexpr std::size_t pieces = 200;
  std::function<void()> next = [&] {
    const auto result = one.mesh().send("n2", Lane::bulk, FrameKind::test, std::string(60'000, 'b'),
                                        [&](const Result<void>& gone) {
                                          CHECK(gone);
                                          if (++left == pieces) return sent.set();
                                          next();
                                        });
    CHECK(result);
  };
  next();
  REQUIRE(one.mesh().send("n2", Lane::consensus, FrameKind::test, std::string(4 << 20, 'c')));
  Event<std::string> reply;
  one.mesh().call("n2", FrameKind::test, std::string(1 << 20, 'q'), one.in(60s),
                  [&](Result<std::string> answer) { reply.set(answer ? *answer : ""); });
  CHECK(reply.wait().size() == (1 << 20) + 4);
  sent.wait();
  std::size_t bytes = 0;
  for (const auto& message : two.wait_for_messages(pieces + 1)) bytes += message.size() - 4;
  CHECK(bytes == pieces * 60'000 + (4 << 20));
}

TEST_CASE("a node that ends is noticed at once, its open calls fail, and it is linked again") {
  OsNode one{"n1"};
  auto two = std::make_unique<OsNode>("n2");
  one.knows(*two, "n2");
  two->knows(one, "n1");
  one.start();
  two->start();
  one.wait_for_links(1);
  two->wait_for_links(1);
  two.reset();
  CHECK(one.wait_for_links(2) == Links{"+n2", "-n2"});
  Event<std::string> reason;
  one.mesh().call("n2", FrameKind::test, "x", one.in(60s),
                  [&](Result<std::string> reply) { reason.set(reply.error().reason); });
  CHECK(reason.wait() == "LINK_DOWN");
  two = std::make_unique<OsNode>("n2");
  one.knows(*two, "n2");
  two->knows(one, "n1");
  two->start();
  CHECK(one.wait_for_links(3) == Links{"+n2", "-n2", "+n2"});
}

TEST_CASE("a mesh that is destroyed waits for the handler that runs, and calls none after it") {
  OsNode one{"n1"};
  OsNode two{"n2"};
  Event<> entered;
  std::atomic<bool> ending{false};
  std::atomic<bool> left{false};
  two.on_message = [&] {
    entered.set();
    while (!ending) std::this_thread::yield();
    for (int i = 0; i < 20'000; ++i) std::this_thread::yield();
    left = true;
  };
  one.knows(two, "n2");
  two.knows(one, "n1");
  one.start();
  two.start();
  one.wait_for_links(1);
  REQUIRE(one.mesh().send("n2", Lane::consensus, FrameKind::test, "x"));
  entered.wait();
  ending = true;
  two.destroy_mesh();
  CHECK(left);
}

TEST_CASE("what is no node gets nothing from the port of a mesh, what greets is answered") {
  OsPair pair;  // a mesh that has not started ends every connection
  using troupe::tests::BareSocket;
  BareSocket client{pair.one.mesh().local()};
  // The connection may end before all of it was sent.
  static_cast<void>(client.try_send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  CHECK(client.receive_all().empty());
  MeshOptions stranger;
  stranger.cluster = "another";
  stranger.node = "n3";
  std::string hello;
  append_frame(hello, FrameKind::hello, Lane::control, make_hello(stranger).SerializeAsString());
  BareSocket greeter{pair.one.mesh().local()};
  greeter.send(hello);
  CHECK(greeter.receive_all().find("CLUSTER_FOREIGN") != std::string::npos);
}

}  // namespace troupe::cluster::tests

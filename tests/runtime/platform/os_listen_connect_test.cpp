#include <fcntl.h>
#include <sys/resource.h>

#include "tests/runtime/platform/network_rig.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::tests;

namespace {

std::shared_ptr<StreamHandler> refuse(std::shared_ptr<Stream>) {
  return nullptr;
}

bool has_ipv6() {
  const int number = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (number < 0) return false;
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool bound = ::bind(number, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  ::close(number);
  return bound;
}

}  // namespace

TEST_CASE("a port that is taken, a foreign address and an unknown name are refused in words") {
  Served served;
  const auto taken = served.network->listen(served.address, refuse);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == Code::unavailable);
  CHECK(taken.error().reason == "ADDRESS_IN_USE");
  CHECK(taken.error().message.find(served.address.to_string()) != std::string::npos);
  // 192.0.2.0/24 is for documentation and nobody's.
  CHECK(served.network->listen({"192.0.2.1", 0}, refuse).error().code == Code::invalid_argument);
  const auto unknown = served.network->listen({"no-such-name.invalid", 0}, refuse);
  CHECK(unknown.error().code == Code::invalid_argument);
  CHECK(unknown.error().reason == "NAME_NOT_RESOLVED");
}

TEST_CASE("a listener that is gone frees its port at once, and its streams live on") {
  Served served;
  const auto client = *connect(*served.network, served.address);
  const auto server = served.wait_for_stream();
  served.listener.reset();
  CHECK(connect(*served.network, served.address).error().reason == "CONNECTION_REFUSED");
  server->stream->write("alive");
  CHECK(client->wait_for_bytes(5) == "alive");
  CHECK(served.network->listen(served.address, refuse));
}

TEST_CASE("a connection without a handler is refused") {
  KeptLog log;
  auto network = make_os_network(1, log);
  auto listener = *network->listen({"127.0.0.1", 0}, refuse);
  auto throwing = *network->listen({"127.0.0.1", 0}, [](auto) -> std::shared_ptr<StreamHandler> {
    throw std::runtime_error{"boom"};
  });
  for (const auto& one : {listener->local(), throwing->local()}) {
    BareSocket peer{one};
    int failure = 0;
    CHECK(peer.receive_all(&failure).empty());
    CHECK(failure == ECONNRESET);
  }
  CHECK(log.count("network.accept_threw") == 1);
}

TEST_CASE("a listener may be destroyed while it accepts") {
  KeptLog log;
  auto network = make_os_network(2, log);
  std::unique_ptr<Listener> listener;
  Event<> listening, gone;
  listener = *network->listen({"127.0.0.1", 0}, [&](auto) -> std::shared_ptr<StreamHandler> {
    listening.wait();
    listener.reset();
    gone.set();
    return nullptr;
  });
  const auto address = listener->local();
  listening.set();
  BareSocket peer{address};
  gone.wait();
  CHECK(connect(*network, address).error().reason == "CONNECTION_REFUSED");
}

TEST_CASE("no connection is accepted after the listener was destroyed") {
  KeptLog log;
  auto network = make_os_network(2, log);
  for (int round = 0; round < 30; ++round) {
    auto alive = std::make_unique<std::atomic<bool>>(true);
    auto listener = *network->listen({"127.0.0.1", 0}, [flag = alive.get()](auto) {
      if (!*flag) std::abort();
      return std::make_shared<Handler>();
    });
    const auto address = listener->local();
    std::thread knocking{[&] {
      for (int i = 0; i < 20; ++i) (void)connect(*network, address);
    }};
    // After the first connection, somewhere in the midst of the others.
    (void)connect(*network, address);
    listener.reset();
    *alive = false;
    knocking.join();
  }
}

TEST_CASE("IPv6 works, and [::] serves IPv4 as well") {
  if (!has_ipv6()) {
    MESSAGE("skipped: this machine has no IPv6");
    return;
  }
  KeptLog log;
  auto network = make_os_network(1, log);
  Event<Address> remote;
  const auto accept = [&](std::shared_ptr<Stream> stream) {
    remote.set(stream->remote());
    return std::make_shared<Handler>();
  };
  auto listener = *network->listen({"::1", 0}, accept);
  CHECK(listener->local().to_string().starts_with("[::1]:"));
  const auto client = *connect(*network, listener->local());
  CHECK(client->stream->remote() == listener->local());
  CHECK(remote.wait().host == "::1");
  client->stream->close();

  Event<Address> other;
  auto all = *network->listen({"::", 0}, [&](std::shared_ptr<Stream> stream) {
    other.set(stream->remote());
    return std::make_shared<Handler>();
  });
  BareSocket peer{all->local()};
  CHECK(other.wait().host == "127.0.0.1");
}

TEST_CASE("names are resolved, by listen and by connect") {
  KeptLog log;
  auto network = make_os_network(1, log);
  auto listener =
      *network->listen({"localhost", 0}, [](auto) { return std::make_shared<Handler>(); });
  CHECK(listener->local().host == "127.0.0.1");
  CHECK(connect(*network, {"localhost", listener->local().port}));
  const auto unknown = connect(*network, {"no-such-name.invalid", 1});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == Code::unavailable);
  CHECK(unknown.error().reason == "NAME_NOT_RESOLVED");
  CHECK(unknown.error().message.find("no-such-name.invalid") != std::string::npos);
}

TEST_CASE("a connection that is not answered in time fails with DEADLINE_EXCEEDED") {
  // A socket with a full queue answers nobody.
  BareSocket silent;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  REQUIRE(::bind(silent.number(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(silent.number(), 0) == 0);
  REQUIRE(::getsockname(silent.number(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const Address peer{"127.0.0.1", ntohs(address.sin_port)};
  BareSocket filling{peer};

  KeptLog log;
  auto network = make_os_network(1, log);
  const auto late = connect(*network, peer, 50ms);
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Code::deadline_exceeded);
  CHECK(late.error().reason == "CONNECT_TIMEOUT");

  // And one that is under way when the network ends is told so.
  auto outcome = std::make_shared<Event<Code>>();
  network->connect(peer, 1h, [outcome](auto stream) {
    outcome->set(stream ? Code::ok : stream.error().code);
    return nullptr;
  });
  network.reset();
  CHECK(outcome->wait() == Code::cancelled);
}

TEST_CASE("a callback may connect, and one that retries at shutdown does not hold it up") {
  Served served{2};
  const auto again = std::make_shared<std::function<void()>>();
  auto cancelled = std::make_shared<Event<>>();
  auto first = std::make_shared<Event<>>();
  *again = [&network = *served.network, address = served.address, again, cancelled, first] {
    network.connect(address, 1h, [=](auto stream) -> std::shared_ptr<StreamHandler> {
      if (!stream) {
        cancelled->set();
        return nullptr;
      }
      auto handler = std::make_shared<Handler>();
      handler->stream = *stream;
      handler->closing = [again, handler = handler.get()] {
        handler->stream.reset();
        (*again)();
      };
      first->set();
      return handler;
    });
  };
  (*again)();
  first->wait();
  served.listener.reset();
  served.network.reset();
  cancelled->wait();
  *again = nullptr;
}

// UndefinedBehaviorSanitizer itself needs descriptors, to look at objects safely, and takes having
// none for a broken object.
#ifndef __SANITIZE_ADDRESS__
TEST_CASE("without descriptors the listener waits for some instead of spinning or dying") {
  Served served;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  BareSocket peer;  // made while there are descriptors
  const int highest = ::dup(peer.number());
  REQUIRE(highest >= 0);
  ::close(highest);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(highest);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
  peer.connect(served.address);
  served.log.wait_for("network.accept_failed");
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  served.wait_for_stream()->stream->write("at last");
  CHECK(peer.receive(7) == "at last");
  CHECK(served.log.count("network.accept_failed") == 1);
}
#endif

// gRPC's server before gRPC's own client, on loopback.
#include <doctest/doctest.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>
#include <vector>

#include "event.hpp"
#include "network_rig.hpp"
#include "runtime/platform/os/os_platform.hpp"
#include "runtime/platform/os/rpc/rpc_connections.hpp"

// ThreadSanitizer does not know what Debian's gRPC, compiled without it, locks.
#ifndef __SANITIZE_THREAD__

namespace troupe::runtime {
namespace {

using troupe::tests::BareSocket;
using troupe::tests::Event;

// Keeps calls and messages for a test to answer; or answers each message with itself.
class Calls {
 public:
  struct Taken {
    std::shared_ptr<RpcCall> call;
    std::string message;
  };

  RpcServers::Accept accept(bool echo) {
    return [this, echo](RpcRequest request, std::shared_ptr<RpcCall> call) {
      last_request = std::move(request);
      return std::make_shared<Handler>(*this, std::move(call), echo);
    };
  }
  Taken take() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return !taken_.empty(); });
    Taken taken = std::move(taken_.front());
    taken_.pop_front();
    return taken;
  }

  RpcRequest last_request;
  std::atomic<int> closed{0};

 private:
  struct Handler final : RpcHandler {
    Handler(Calls& owner, std::shared_ptr<RpcCall> its, bool echoes)
        : calls(owner), call(std::move(its)), echo(echoes) {}
    void on_message(std::string message) override {
      if (echo) return call->answer(message, {{"kind", "echo"}});
      const std::lock_guard guard{calls.mutex_};
      calls.taken_.push_back({call, std::move(message)});
      calls.changed_.notify_all();
    }
    void on_end() override { call->finish({Code::invalid_argument, "no message", {}}, {}); }
    void on_overdue() override { call->finish({Code::deadline_exceeded, "overdue", {}}, {}); }
    void on_closed() override { ++calls.closed; }
    Calls& calls;
    const std::shared_ptr<RpcCall> call;
    const bool echo;
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Taken> taken_;
};

grpc::ByteBuffer buffer(const std::string& text) {
  const grpc::Slice slice{text};
  return {&slice, 1};
}

struct Outcome {
  grpc::Status status;
  std::string reply;
};

// One call of a client, begun when it is made.
class Asking {
 public:
  Asking(const Address& server, const std::string& message,
         Duration timeout = std::chrono::minutes{1})
      : request_(buffer(message)),
        stub_(grpc::CreateChannel(server.to_string(), grpc::InsecureChannelCredentials())) {
    context_.set_deadline(std::chrono::system_clock::now() + timeout);
    context_.AddMetadata("name", "value");
    stub_.UnaryCall(&context_, "/a.B/C", grpc::StubOptions{}, &request_, &response_,
                    [this](grpc::Status status) { outcome_.set(std::move(status)); });
  }
  ~Asking() {
    context_.TryCancel();
    outcome_.wait();
  }
  Outcome wait() {
    Outcome outcome{outcome_.wait(), {}};
    std::vector<grpc::Slice> slices;
    if (outcome.status.ok() && response_.Dump(&slices).ok())
      for (const grpc::Slice& slice : slices)
        outcome.reply.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    return outcome;
  }
  grpc::StatusCode code() { return wait().status.error_code(); }
  void cancel() { context_.TryCancel(); }
  std::string peer() {  // of the server, as gRPC names it
    outcome_.wait();
    return context_.peer();
  }

 private:
  grpc::ByteBuffer request_, response_;
  grpc::ClientContext context_;
  grpc::GenericStub stub_;
  Event<grpc::Status> outcome_;
};

struct Serving {
  explicit Serving(RpcLimits limits = {}, bool echo = false, const char* host = "127.0.0.1") {
    RpcOptions options;
    options.limits = limits;
    auto made = platform->rpc()->listen({host, 0}, calls.accept(echo), options);
    REQUIRE(made);
    server = *std::move(made);
  }
  const Address& address() const { return server->local(); }

  std::unique_ptr<Platform> platform = make_os_platform({.log_level = LogLevel::error});
  Calls calls;
  std::unique_ptr<RpcServer> server;
};

TEST_CASE("messages, metadata and deadlines of gRPC reach the handler, and answers the client") {
  Serving serving;
  Asking asking{serving.address(), "question", std::chrono::seconds{50}};
  const auto taken = serving.calls.take();
  CHECK(taken.message == "question");
  const RpcRequest& request = serving.calls.last_request;
  CHECK(request.method == "/a.B/C");
  CHECK(std::ranges::count(request.metadata,
                           std::pair<std::string, std::string>{"name", "value"}) == 1);
  REQUIRE(request.timeout);
  CHECK(*request.timeout > std::chrono::seconds{1});
  CHECK(*request.timeout < std::chrono::seconds{55});  // gRPC rounds up what it sends
  std::thread{[call = taken.call] { call->answer("answer", {}); }}.join();
  CHECK(asking.wait().reply == "answer");

  Asking refused{serving.address(), "question"};
  serving.calls.take().call->finish({Code::aborted, "why", "details"}, {});
  const auto status = refused.wait().status;
  CHECK(status.error_code() == grpc::StatusCode::ABORTED);
  CHECK(status.error_message() == "why");
  CHECK(status.error_details() == "details");
}

TEST_CASE("hundreds of gRPC calls at once each get their own answer") {
  Serving serving{{}, true};
  std::deque<Asking> asked;
  for (int i = 0; i < 300; ++i)
    asked.emplace_back(serving.address(), "message " + std::to_string(i));
  int right = 0;
  for (int i = 0; i < 300; ++i)
    right += asked[static_cast<std::size_t>(i)].wait().reply == "message " + std::to_string(i);
  CHECK(right == 300);
}

TEST_CASE("gRPC calls that another thread answers together each get their own answer") {
  Serving serving;
  std::deque<Asking> asked;
  std::vector<Calls::Taken> taken;
  for (int i = 0; i < 300; ++i)
    asked.emplace_back(serving.address(), "message " + std::to_string(i));
  while (taken.size() < 300) taken.push_back(serving.calls.take());
  std::thread{[&taken] {
    for (const auto& one : taken) one.call->answer("answer to " + one.message, {});
  }}.join();
  int right = 0;
  for (int i = 0; i < 300; ++i)
    right +=
        asked[static_cast<std::size_t>(i)].wait().reply == "answer to message " + std::to_string(i);
  CHECK(right == 300);
}

TEST_CASE("a message that is too long ends its call, and one call too many is refused") {
  RpcLimits limits;
  limits.message_bytes_max = 1000;
  Serving brief{limits};
  CHECK(Asking{brief.address(), std::string(2000, 'x')}.code() ==
        grpc::StatusCode::RESOURCE_EXHAUSTED);

  limits.calls_max = 1;
  Serving serving{limits};
  Asking first{serving.address(), "first"};
  const auto taken = serving.calls.take();
  CHECK(Asking{serving.address(), "second"}.code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  taken.call->answer("answer", {});
  CHECK(first.wait().reply == "answer");
}

TEST_CASE("a call whose message does not come is ended") {
  struct Silent final : grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
    void OnDone(const grpc::Status& status) override { done.set(status); }
    Event<grpc::Status> done;
  } silent;
  RpcLimits limits;
  limits.message_time = std::chrono::milliseconds{10};
  Serving serving{limits};
  grpc::GenericStub stub{
      grpc::CreateChannel(serving.address().to_string(), grpc::InsecureChannelCredentials())};
  grpc::ClientContext context;
  stub.PrepareBidiStreamingCall(&context, "/a.B/C", grpc::StubOptions{}, &silent);
  silent.StartCall();
  CHECK_FALSE(silent.done.wait().ok());
}

TEST_CASE("a handler is told of a call that is not answered in time") {
  RpcLimits limits;
  limits.answer_time = std::chrono::milliseconds{10};
  Serving serving{limits};
  Asking asking{serving.address(), "one"};
  const auto taken = serving.calls.take();  // and not answered
  CHECK(asking.wait().status.error_message() == "overdue");
}

TEST_CASE("a gRPC server that stops lets calls finish, and takes no more") {
  Serving serving;
  Asking before{serving.address(), "before"};
  const auto taken = serving.calls.take();
  Event<> stopped;
  serving.server->stop(std::chrono::minutes{1}, [&] { stopped.set(); });
  CHECK_FALSE(Asking{serving.address(), "after"}.wait().status.ok());
  CHECK_FALSE(stopped.is_set());
  taken.call->answer("answer", {});
  CHECK(before.wait().reply == "answer");
  stopped.wait();
  CHECK(serving.calls.closed == 1);
}

TEST_CASE("answers after a gRPC server's end, or to a client that has gone, do nothing") {
  Serving serving;
  Asking gone{serving.address(), "gone"};
  const auto one = serving.calls.take();
  Asking cut{serving.address(), "cut"};
  const auto other = serving.calls.take();
  gone.cancel();
  CHECK(gone.code() == grpc::StatusCode::CANCELLED);
  one.call->send("more");
  one.call->finish({}, {});
  serving.server.reset();
  CHECK(serving.calls.closed == 2);
  CHECK_FALSE(cut.wait().status.ok());
  other.call->answer("answer", {});
  other.call->receive();
}

// gRPC's server speaks first, once it has taken a connection.
bool is_taken(const BareSocket& connection) {
  char byte = 0;
  return ::recv(connection.number(), &byte, 1, 0) == 1;
}

TEST_CASE("gRPC connections beyond the most are closed, and taken again once one has gone") {
  RpcLimits limits;
  limits.connections_max = 2;
  Serving serving{limits};
  BareSocket first{serving.address()};
  const BareSocket second{serving.address()};
  CHECK(is_taken(first));
  CHECK(is_taken(second));
  CHECK_FALSE(is_taken(BareSocket{serving.address()}));
  first.close();
  while (!is_taken(BareSocket{serving.address()})) std::this_thread::yield();
}

TEST_CASE("a connection is found by the name that gRPC has for its peer") {
  for (const char* host : {"127.0.0.1", "::1"}) {
    CAPTURE(host);
    Serving serving{{}, true, host};
    const auto peer = Asking{serving.address(), "question"}.peer();
    // The same address, looked at from this side.
    sockaddr_storage address{};
    socklen_t size = sizeof(sockaddr_in);
    if (std::string_view{host} == "::1") {
      auto& inet = reinterpret_cast<sockaddr_in6&>(address);
      inet.sin6_family = AF_INET6;
      inet.sin6_addr = in6addr_loopback;
      inet.sin6_port = htons(serving.address().port);
      size = sizeof inet;
    } else {
      auto& inet = reinterpret_cast<sockaddr_in&>(address);
      inet.sin_family = AF_INET;
      inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      inet.sin_port = htons(serving.address().port);
    }
    const int number = ::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(number, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    RpcConnections connections;
    CHECK(connections.descriptor_of(peer) < 0);
    connections.add(number);
    CHECK(connections.descriptor_of(peer) == number);
    ::close(number);
    connections.add(number);  // the number is nobody's now
    CHECK(connections.descriptor_of(peer) < 0);
  }
}

TEST_CASE("a cork is on its connection until its end, and on no other") {
  const BareSocket one, other;
  const auto corked = [](const BareSocket& socket) {
    int on = -1;
    socklen_t size = sizeof on;
    REQUIRE(::getsockopt(socket.number(), IPPROTO_TCP, TCP_CORK, &on, &size) == 0);
    return on != 0;
  };
  {
    const RpcCork cork{one.number()};
    const RpcCork none{-1};
    CHECK(corked(one));
    CHECK_FALSE(corked(other));
  }
  CHECK_FALSE(corked(one));
}

TEST_CASE("a gRPC server says that its address is taken") {
  Serving serving;
  const auto second = serving.platform->rpc()->listen(serving.address(), {}, {});
  REQUIRE_FALSE(second);
  CHECK(second.error().reason == "ADDRESS_IN_USE");
}

}  // namespace
}  // namespace troupe::runtime

#endif

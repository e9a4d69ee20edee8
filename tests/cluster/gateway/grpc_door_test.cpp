// Calls of gRPC before a client that a test answers for; tests/integration/grpc_test.py has real
// ones.
#include <doctest/doctest.h>

#include "cluster/gateway/grpc/grpc_door.hpp"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "memory_platform.hpp"
#include "test_services.hpp"

namespace troupe::cluster::tests {
namespace {

using ServingStatus = grpc::health::v1::HealthCheckResponse;

struct MemoryCall final : runtime::RpcCall {
  void receive() override { ++asked; }
  void send(std::string message) override { sent.push_back(std::move(message)); }
  void finish(runtime::RpcStatus end, runtime::RpcMetadata with) override {
    REQUIRE_FALSE(status);
    status = std::move(end);
    metadata = std::move(with);
  }
  void answer(std::string message, runtime::RpcMetadata with) override {
    send(std::move(message));
    finish({}, std::move(with));
  }
  std::string named(const std::string& name) const {
    for (const auto& [known, value] : metadata)
      if (known == name) return value;
    return "";
  }
  template <class Message>
  Message reply() const {
    Message message;
    REQUIRE(message.ParseFromString(sent.back()));
    return message;
  }

  int asked = 0;
  std::vector<std::string> sent;
  std::optional<runtime::RpcStatus> status;
  runtime::RpcMetadata metadata;
};

struct MemoryRpc final : runtime::RpcServers {
  struct Server final : runtime::RpcServer {
    const runtime::Address& local() const override { return address; }
    void stop(Duration, std::function<void()> done) override { done(); }
    runtime::Address address{"127.0.0.1", 50'051};
  };
  Result<std::unique_ptr<runtime::RpcServer>> listen(const runtime::Address&, Accept taken,
                                                     const runtime::RpcOptions&) override {
    accept = std::move(taken);
    return std::unique_ptr<runtime::RpcServer>{std::make_unique<Server>()};
  }
  Accept accept;
};

struct Door {
  explicit Door(std::uint32_t in_flight_max = 100) {
    platform.rpc_servers = &rpc;
    GrpcOptions options;
    options.admission =
        std::make_shared<Admission>(platform, std::vector{&library()}, [&](const std::string&) {
          return config::Admission{true, std::chrono::milliseconds{50}, 1, in_flight_max};
        });
    options.call_timeout = std::chrono::seconds{7};
    auto started = GrpcDoor::start(
        platform, client, {&library()}, [this] { return ready; }, options);
    REQUIRE(started);
    door = *std::move(started);
  }

  std::shared_ptr<MemoryCall> call(const std::string& method, const std::string& message,
                                   runtime::RpcMetadata metadata = {},
                                   std::optional<Duration> timeout = std::nullopt) {
    auto made = std::make_shared<MemoryCall>();
    handler = rpc.accept({method, std::move(metadata), timeout}, made);
    if (handler) handler->on_message(message);
    return made;
  }
  FakeClient::Sent take() {
    REQUIRE(client.sent.size() == 1);
    auto sent = std::move(client.sent.front());
    client.sent.pop_front();
    return sent;
  }

  MemoryPlatform platform;
  MemoryRpc rpc;
  FakeClient client;
  bool ready = false;
  std::shared_ptr<runtime::RpcHandler> handler;
  std::unique_ptr<GrpcDoor> door;
};

std::string method_named(const std::string& name) {
  return "/" + library().name + "/" + name;
}

std::string lend(const std::string& book) {
  v1::LendRequest request;
  request.set_book(book);
  return request.SerializeAsString();
}

TEST_CASE("a call that hangs is answered once, and what comes after that is dropped") {
  Door door{1};
  const auto call = door.call(method_named("Lend"), lend("b"));
  const auto sent = door.take();
  door.handler->on_overdue();
  REQUIRE(call->status);
  CHECK(call->status->code == Code::deadline_exceeded);
  door.handler->on_overdue();
  REQUIRE(door.platform.log().lines.size() == 1);
  CHECK(door.platform.log().lines.front().starts_with("gateway.call_overdue: "));
  CHECK_FALSE(door.call(method_named("Lend"), lend("c"))->status);  // its place is free
  sent.reply_to(actors::Reply{"bytes", 5, true});                   // MemoryCall takes one end only
  CHECK(call->sent.empty());
  CHECK(door.call(method_named("Lend"), lend("d"))->status);  // which is not freed twice
}

TEST_CASE("a message goes to the service as it came, and the reply's bytes come back") {
  Door door;
  const auto call = door.call(method_named("Lend"), lend("b"), {{"idempotency-key", "k"}});
  const auto sent = door.take();
  CHECK(sent.call.payload == lend("b"));
  CHECK(sent.call.key == "b");
  CHECK(sent.options.id == actors::MessageId::from_key("k"));
  actors::Reply reply{"bytes", 5, true};
  reply.shard = 3;
  sent.reply_to(reply);
  REQUIRE(call->status);
  CHECK(call->status->code == Code::ok);
  CHECK(call->sent == std::vector<std::string>{"bytes"});
  CHECK(call->named("idempotency-replayed") == "true");
  CHECK(call->named("troupe-position") == library().name + "/3@5");
}

TEST_CASE("a gRPC call over the limit is refused before its message is read") {
  Door door{1};
  door.call(method_named("Lend"), lend("a"));
  const auto call = door.call(method_named("Lend"), "\xff");
  REQUIRE(call->status);
  CHECK(call->status->code == Code::resource_exhausted);
  google::rpc::Status status;
  REQUIRE(status.ParseFromString(call->status->details));
  google::rpc::ErrorInfo info;
  google::rpc::RetryInfo retry;
  REQUIRE(status.details(0).UnpackTo(&info));
  REQUIRE(status.details(1).UnpackTo(&retry));
  CHECK(info.reason() == "ADMISSION_LIMIT");
  CHECK(retry.retry_delay().seconds() == 1);
  door.take().reply_to(actors::Reply{});
  CHECK(door.call(method_named("Lend"), "\xff")->status->code == Code::invalid_argument);
  door.call(method_named("Lend"), lend("b"));
  CHECK(door.take().call.key == "b");
}

TEST_CASE("a client's deadline holds where it is the earlier one") {
  Door door;
  door.call(method_named("Lend"), lend("b"), {}, std::chrono::seconds{2});
  CHECK(door.take().options.timeout == std::chrono::seconds{2});
  door.call(method_named("Lend"), lend("b"), {}, std::chrono::hours{1});
  CHECK(door.take().options.timeout == std::chrono::seconds{7});
  door.call(method_named("Lend"), lend("b"));
  CHECK(door.take().options.timeout == std::chrono::seconds{7});
}

TEST_CASE("an error has its code, its reason and when to try again") {
  Door door;
  const auto call = door.call(method_named("Lend"), lend("b"));
  Error busy = resource_exhausted("SHARD_BUSY", "too much");
  busy.retry_after = std::chrono::milliseconds{1500};
  door.take().reply_to(busy);
  REQUIRE(call->status);
  CHECK(call->status->code == Code::resource_exhausted);
  google::rpc::Status status;
  REQUIRE(status.ParseFromString(call->status->details));
  CHECK(status.code() == 8);
  CHECK(status.message() == "too much");
  REQUIRE(status.details_size() == 2);
  google::rpc::ErrorInfo info;
  REQUIRE(status.details(0).UnpackTo(&info));
  CHECK(info.reason() == "SHARD_BUSY");
  CHECK(info.domain() == "troupe");
  google::rpc::RetryInfo retry;
  REQUIRE(status.details(1).UnpackTo(&retry));
  CHECK(retry.retry_delay().seconds() == 1);
  CHECK(retry.retry_delay().nanos() == 500'000'000);
}

TEST_CASE("what no contract has and what cannot be read is refused without a call") {
  Door door;
  CHECK(door.call(method_named("Steal"), "")->status->code == Code::unimplemented);
  CHECK(door.call(method_named("Lend"), "\xff\xff")->status->code == Code::invalid_argument);
  CHECK(door.call(method_named("Lend"), lend("b"), {{"idempotency-key", ""}})->status->code ==
        Code::invalid_argument);
  CHECK(door.client.sent.empty());
}

TEST_CASE("health follows the node, and who watches is told once of each change") {
  Door door;
  const auto watch = door.call("/grpc.health.v1.Health/Watch", "");
  CHECK(watch->reply<ServingStatus>().status() == ServingStatus::NOT_SERVING);
  const auto watcher = door.handler;
  door.door->health()->look();
  CHECK(watch->sent.size() == 1);
  door.ready = true;
  const auto check = door.call("/grpc.health.v1.Health/Check", "");
  CHECK(check->reply<ServingStatus>().status() == ServingStatus::SERVING);
  CHECK(watch->sent.size() == 2);
  CHECK(watch->reply<ServingStatus>().status() == ServingStatus::SERVING);
  bool stopped = false;
  door.door->stop(Duration::zero(), [&] { stopped = true; });
  CHECK(stopped);
  CHECK(watch->reply<ServingStatus>().status() == ServingStatus::NOT_SERVING);
  REQUIRE(watch->status);
  CHECK(watch->status->code == Code::unavailable);
  watcher->on_closed();
  CHECK(door.call("/grpc.health.v1.Health/Watch", "")->status->code == Code::unavailable);
}

TEST_CASE("reflection tells of what is served, and of nothing else that is compiled in") {
  Door door;
  const std::string method = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  using Question = grpc::reflection::v1alpha::ServerReflectionRequest;
  using Answer = grpc::reflection::v1alpha::ServerReflectionResponse;
  const auto ask = [&](auto set) {
    Question question;
    set(question);
    const auto call = door.call(method, question.SerializeAsString());
    CHECK(call->asked == 1);
    return call->reply<Answer>();
  };
  const auto listed = ask([](Question& question) { question.set_list_services(""); });
  REQUIRE(listed.list_services_response().service_size() == 3);
  CHECK(listed.list_services_response().service(0).name() == library().name);
  const auto told =
      ask([](Question& question) { question.set_file_containing_symbol(library().name); });
  CHECK(told.file_descriptor_response().file_descriptor_proto_size() > 1);
  const auto hidden = ask(
      [](Question& question) { question.set_file_containing_symbol("troupe.cluster.NodeStatus"); });
  CHECK(hidden.error_response().error_code() == 5);
}

TEST_CASE("a platform without gRPC refuses the address") {
  MemoryPlatform platform;
  FakeClient client;
  const auto door = GrpcDoor::start(platform, client, {&library()}, [] { return true; }, {});
  REQUIRE_FALSE(door);
  CHECK(door.error().reason == "GRPC_UNSUPPORTED");
}

}  // namespace
}  // namespace troupe::cluster::tests

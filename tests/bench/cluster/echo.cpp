#include "tests/bench/cluster/echo.hpp"

#include <absl/synchronization/mutex.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <atomic>
#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "cluster/mesh/mesh.hpp"
#include "cluster/mesh/mesh_actor.hpp"
#include "echo.grpc.pb.h"
#include "runtime/platform/os/os_platform.hpp"
#include "runtime/security/identity.hpp"
#include "tests/bench/cluster/grpc_loop.hpp"

namespace troupe::bench {
namespace {

unsigned short port_of(const std::string& text) {
  return static_cast<unsigned short>(std::stoul(text));
}

// SIGTERM, to every thread that is started later.
sigset_t block_term() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

void wait_for_term() {
  const sigset_t signals = block_term();
  int which = 0;
  sigwait(&signals, &which);
}

// --- mesh ---------------------------------------------------------------------------------------

class MeshNode {
 public:
  MeshNode(const std::string& name, unsigned short port, const std::string& other,
           unsigned short other_port, const std::string& certs)
      : platform_(runtime::make_os_platform(
            {.node = name, .log_level = runtime::LogLevel::warn, .scheduler_threads = 1})) {
    cluster::MeshOptions options;
    options.cluster = "bench";
    options.node = name;
    options.incarnation = platform_->random().next();
    options.listen = {"127.0.0.1", port};
    options.peers[other] = {"127.0.0.1", other_port};
    auto security = platform_->network().load_security({"bench", certs + "/authority.pem",
                                                        certs + "/nodes/" + name + ".pem",
                                                        certs + "/nodes/" + name + ".key", ""});
    if (!security) throw std::runtime_error(security.error().describe());
    options.security = *security;
    options.proven_name = [](const runtime::Stream& stream) -> std::optional<std::string> {
      const auto identity = runtime::NodeIdentity::parse(stream.peer_identity());
      return identity ? identity->node : std::string{};
    };
    auto mesh = cluster::Mesh::listen(*platform_, std::move(options));
    if (!mesh) throw std::runtime_error(mesh.error().describe());
    mesh_ = *std::move(mesh);
    mesh_->on_call(cluster::FrameKind::test, [](const cluster::IncomingCall& call) {
      if (call.begin()) call.answer(std::move(call.bytes()));
    });
    platform_->configure(config_);
    system_ = std::make_unique<caf::actor_system>(config_);
    actor_ = cluster::spawn_mesh(*system_, *mesh_);
  }
  ~MeshNode() {
    caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
    actor_ = nullptr;
    system_.reset();
    mesh_.reset();
  }
  cluster::Mesh& mesh() { return *mesh_; }
  runtime::Platform& platform() { return *platform_; }

 private:
  std::unique_ptr<runtime::Platform> platform_;
  std::unique_ptr<cluster::Mesh> mesh_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::actor actor_;
};

class MeshEcho final : public EchoLoop {
 public:
  MeshEcho(std::unique_ptr<Server> server, unsigned short port, unsigned short server_port,
           const std::string& certs)
      : EchoLoop(std::move(server)), node_("n1", port, "n2", server_port, certs) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (!node_.mesh().is_up("n2")) {
      if (std::chrono::steady_clock::now() > until)
        throw std::runtime_error("the nodes do not link; see echo.log");
      std::this_thread::yield();
    }
  }

 private:
  LoopResult loop(int callers, double seconds, const std::string& payload) override {
    return run_calls(callers, seconds, [&](int, std::uint64_t, CallDone done) {
      node_.mesh().call("n2", cluster::FrameKind::test, payload,
                        node_.platform().clock().now() + std::chrono::seconds{10},
                        [done = std::move(done)](const Result<std::string>& reply) {
                          done(reply ? std::string{} : reply.error().describe());
                        });
    });
  }
  MeshNode node_;
};

// --- gRPC ---------------------------------------------------------------------------------------

// One call after the other in a place of its own: asked for, answered, asked for again.
struct GrpcPlace {
  std::unique_ptr<grpc::ServerContext> context;
  wire::Payload payload;
  std::unique_ptr<grpc::ServerAsyncResponseWriter<wire::Payload>> writer;
  bool answering = false;

  void ask(wire::Echo::AsyncService& service, grpc::ServerCompletionQueue& queue) {
    answering = false;
    context = std::make_unique<grpc::ServerContext>();
    writer = std::make_unique<grpc::ServerAsyncResponseWriter<wire::Payload>>(context.get());
    service.RequestCall(context.get(), &payload, writer.get(), &queue, &queue, this);
  }
};

// Debian builds Abseil with its search for deadlocks, which costs each lock of gRPC time. The node
// does without it, and so does what it is measured against.
void search_no_deadlocks() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

// So many completion queues, each with a thread of its own.
int serve_grpc(unsigned short port, std::size_t threads) {
  const sigset_t signals = block_term();
  search_no_deadlocks();
  wire::Echo::AsyncService service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues;
  while (queues.size() < threads) queues.push_back(builder.AddCompletionQueue());
  const auto server = builder.BuildAndStart();
  if (!server) return 1;
  const auto run = [&service](grpc::ServerCompletionQueue& queue) {
    std::vector<GrpcPlace> places(256);
    for (GrpcPlace& place : places) place.ask(service, queue);
    void* tag = nullptr;
    bool ok = false;
    while (queue.Next(&tag, &ok)) {
      GrpcPlace& place = *static_cast<GrpcPlace*>(tag);
      if (ok && !place.answering) {
        place.answering = true;
        place.writer->Finish(place.payload, grpc::Status::OK, &place);
      } else if (place.answering && ok) {
        place.ask(service, queue);
      }
    }
  };
  std::vector<std::thread> running;
  for (const auto& queue : queues) running.emplace_back(run, std::ref(*queue));
  int which = 0;
  sigwait(&signals, &which);
  server->Shutdown(std::chrono::system_clock::now());
  for (const auto& queue : queues) queue->Shutdown();
  for (std::thread& thread : running) thread.join();
  return 0;
}

class CallbackEcho final : public wire::Echo::CallbackService {
  grpc::ServerUnaryReactor* Call(grpc::CallbackServerContext* context, const wire::Payload* request,
                                 wire::Payload* response) override {
    response->set_bytes(request->bytes());
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

int serve_grpc_callbacks(unsigned short port) {
  const sigset_t signals = block_term();
  search_no_deadlocks();
  CallbackEcho service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  if (!server) return 1;
  int which = 0;
  sigwait(&signals, &which);
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}

class GrpcEcho final : public EchoLoop {
 public:
  GrpcEcho(std::unique_ptr<Server> server, unsigned short port)
      : EchoLoop(std::move(server)),
        stub_(wire::Echo::NewStub(grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                                      grpc::InsecureChannelCredentials()))) {}

 private:
  LoopResult loop(int callers, double seconds, const std::string& payload) override {
    return grpc_loop<wire::Payload, wire::Payload>(
        callers, seconds,
        [this](auto... arguments) { return stub_->PrepareAsyncCall(arguments...); },
        [&payload](wire::Payload& request, int, std::uint64_t) { request.set_bytes(payload); });
  }
  std::unique_ptr<wire::Echo::Stub> stub_;
};

// --- CAF ----------------------------------------------------------------------------------------

struct CafConfig : caf::actor_system_config {
  CafConfig() {
    load<caf::io::middleman>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 1);  // the network has a thread of its own
  }
};

int serve_caf(unsigned short port) {
  block_term();
  CafConfig config;
  caf::actor_system system{config};
  auto echo = system.spawn(
      []() -> caf::behavior { return {[](std::string& text) { return std::move(text); }}; });
  if (!system.middleman().publish(echo, port, "127.0.0.1")) return 1;
  wait_for_term();
  system.middleman().unpublish(echo, port);
  caf::anon_send_exit(echo, caf::exit_reason::user_shutdown);
  return 0;
}

class CafEcho final : public EchoLoop {
 public:
  CafEcho(std::unique_ptr<Server> server, unsigned short port)
      : EchoLoop(std::move(server)), system_(config_) {
    auto remote = system_.middleman().remote_actor("127.0.0.1", port);
    if (!remote) throw std::runtime_error("no connection with the CAF server");
    remote_ = *remote;
    caller_ = system_.spawn([remote = remote_](caf::event_based_actor* self) -> caf::behavior {
      return {[self, remote](const std::string& payload, std::uint64_t done_address) {
        // Its own in the message: CAF sends nothing that it cannot copy.
        const std::shared_ptr<CallDone> done{reinterpret_cast<CallDone*>(done_address)};
        self->request(remote, caf::infinite, payload)
            .then([done](const std::string&) { (*done)({}); },
                  [done](const caf::error&) { (*done)("the CAF server does not answer"); });
      }};
    });
  }
  ~CafEcho() override {
    caf::anon_send_exit(caller_, caf::exit_reason::user_shutdown);
    caller_ = nullptr;
    remote_ = nullptr;
  }

 private:
  LoopResult loop(int callers, double seconds, const std::string& payload) override {
    return run_calls(callers, seconds, [&](int, std::uint64_t, CallDone done) {
      auto kept = std::make_unique<CallDone>(std::move(done));
      caf::anon_send(caller_, payload, reinterpret_cast<std::uint64_t>(kept.release()));
    });
  }
  CafConfig config_;
  caf::actor_system system_;
  caf::actor remote_, caller_;
};

}  // namespace

LoopResult EchoLoop::run(int callers, double seconds, std::size_t bytes) {
  const double cpu = own_cpu_seconds() + server_->cpu_seconds();
  LoopResult result = loop(callers, seconds, std::string(bytes, 'x'));
  result.cpu_us = (own_cpu_seconds() + server_->cpu_seconds() - cpu) * 1e6 /
                  static_cast<double>(result.latency_us.size());
  return result;
}

std::unique_ptr<Server> echo_server(const Options& options, std::vector<std::string> words) {
  words.insert(words.begin(), {options.self, "--serve"});
  auto server = std::make_unique<Server>(words, options.scratch + "/echo.log");
  server->wait_port(port_of(words.at(3)));
  return server;
}

std::unique_ptr<EchoLoop> mesh_echo(const Options& options) {
  const std::string certs = options.scratch + "/echo-certs";
  std::filesystem::remove_all(certs);
  run_command({options.binary, "certs", "init", "--cluster", "bench", "--dir", certs});
  for (const char* name : {"n1", "n2"})
    run_command({options.binary, "certs", "node", name, "--dir", certs});
  const unsigned short ours = free_port();
  const unsigned short theirs = free_port();
  auto server = echo_server(options, {"mesh", std::to_string(theirs), std::to_string(ours), certs});
  return std::make_unique<MeshEcho>(std::move(server), ours, theirs, certs);
}

std::unique_ptr<EchoLoop> grpc_echo(const Options& options) {
  const unsigned short port = free_port();
  auto server = echo_server(options, {"grpc", std::to_string(port)});
  return std::make_unique<GrpcEcho>(std::move(server), port);
}

std::unique_ptr<EchoLoop> caf_echo(const Options& options) {
  const unsigned short port = free_port();
  auto server = echo_server(options, {"caf", std::to_string(port)});
  return std::make_unique<CafEcho>(std::move(server), port);
}

int serve_echo(const std::vector<std::string>& words) {
  const unsigned short port = port_of(words.at(1));
  if (words[0] == "grpc") return serve_grpc(port, words.size() > 2 ? std::stoul(words[2]) : 1);
  if (words[0] == "grpc_callbacks") return serve_grpc_callbacks(port);
  if (words[0] == "caf") return serve_caf(port);
  block_term();
  const MeshNode node{"n2", port, "n1", port_of(words.at(2)), words.at(3)};
  wait_for_term();
  return 0;
}

}  // namespace troupe::bench

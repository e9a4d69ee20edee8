#include <absl/synchronization/mutex.h>
#include <grpc/support/log.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <condition_variable>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/platform/os/os_rpc.hpp"
#include "runtime/platform/os/rpc/rpc_call.hpp"
#include "runtime/platform/os/rpc/rpc_listener.hpp"
#include "runtime/platform/os/threads/threads.hpp"

namespace troupe::runtime {
namespace {

// Calls that a lane asks for in advance, so that gRPC need not queue those that arrive together.
constexpr int calls_asked_for = 64;
// How often credential files are; gRPC counts seconds.
constexpr unsigned reload_seconds = 1;
// Memory of all connections of a server; beyond it gRPC reads slower and closes those that are
// idle.
constexpr std::size_t memory_bytes = 256 << 20;

// gRPC has one log for the process. What it calls an error is what a client may cause, so it is for
// debugging here; a server that cannot listen tells its last words.
class GrpcLog {
 public:
  static GrpcLog& instance() {
    static GrpcLog log;
    return log;
  }
  void write_to(Logger* logger) {
    const std::lock_guard guard{mutex_};
    logger_ = logger;
  }
  void leave(const Logger* logger) {
    const std::lock_guard guard{mutex_};
    if (logger_ == logger) logger_ = nullptr;
  }
  std::string last_error() {
    const std::lock_guard guard{mutex_};
    return last_error_;
  }

 private:
  GrpcLog() {
    gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
    gpr_set_log_function([](gpr_log_func_args* line) { instance().write(*line); });
  }
  void write(const gpr_log_func_args& line) {
    const std::lock_guard guard{mutex_};
    if (line.severity == GPR_LOG_SEVERITY_ERROR) last_error_ = line.message;
    if (logger_) logger_->debug("rpc.library", line.message);
  }

  std::mutex mutex_;
  Logger* logger_ = nullptr;
  std::string last_error_;
};

int milliseconds(Duration time) {
  using std::chrono::milliseconds;
  return static_cast<int>(std::chrono::duration_cast<milliseconds>(time).count());
}

std::shared_ptr<grpc::ServerCredentials> credentials_of(const RpcOptions& options) {
  if (options.certificate.empty()) return grpc::InsecureServerCredentials();
  namespace tls = grpc::experimental;
  tls::TlsServerCredentialsOptions files{std::make_shared<tls::FileWatcherCertificateProvider>(
      options.key, options.certificate, reload_seconds)};
  files.watch_identity_key_cert_pairs();
  files.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  return tls::TlsServerCredentials(files);
}

void set_limits(grpc::ServerBuilder& builder, const RpcLimits& limits) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(limits.message_bytes_max));
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE,
                             static_cast<int>(limits.metadata_bytes_max));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, static_cast<int>(limits.streams_max));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, milliseconds(limits.idle_time));
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             milliseconds(limits.handshake_time));
  // A client that is gone without a word is noticed; one that pings too often is sent away, which
  // are gRPC's own settings: more than two pings within five minutes each without data.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, milliseconds(limits.idle_time));
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // A few bytes could become gigabytes.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  grpc::ResourceQuota quota{"rpc"};
  quota.Resize(memory_bytes);
  builder.SetResourceQuota(quota);
}

class OsRpcServer final : public RpcServer {
 public:
  OsRpcServer(RpcServers::Accept accept, const RpcOptions& options, Logger& log)
      : listener_(options.limits.connections_max, log) {
    shared_.accept = std::move(accept);
    shared_.together = options.together;
    shared_.limits = options.limits;
  }
  ~OsRpcServer() override {
    stop(Duration::zero(), [] {});
    for (Lane& lane : lanes_) lane.calls->cut = true;  // stop() may have been given time
    if (stopper_.joinable()) stopper_.join();
    listener_.stop();
    for (Lane& lane : lanes_) lane.calls->queue->Shutdown();
    for (Lane& lane : lanes_) {
      if (lane.thread.joinable()) lane.thread.join();
      lane.calls->drain();
    }
  }

  Result<void> start(const Address& address, std::size_t threads, const RpcOptions& options) {
    TROUPE_CHECK(listener_.open(address));
    grpc::ServerBuilder builder;
    set_limits(builder, options.limits);
    builder.RegisterAsyncGenericService(&shared_.service);
    using Experimental = grpc::ServerBuilder::experimental_type;
    acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
        Experimental::ExternalConnectionType::FROM_FD, credentials_of(options));
    for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i) {
      lanes_.push_back({std::make_unique<RpcLane>(shared_), {}});
      lanes_.back().calls->queue = builder.AddCompletionQueue();
    }
    server_ = builder.BuildAndStart();
    if (!server_)
      return internal("RPC_FAILED", "gRPC does not start: " + GrpcLog::instance().last_error());
    for (Lane& lane : lanes_) {
      for (int i = 0; i < calls_asked_for; ++i) RpcCallImpl::request(*lane.calls);
      lane.thread = std::thread{[calls = lane.calls.get()] {
        begin_thread("rpc");
        calls->run();
      }};
    }
    listener_.start([this](int descriptor) {
      grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
      connection.fd = descriptor;
      shared_.connections.add(descriptor);
      acceptor_->HandleNewConnection(&connection);
    });
    return {};
  }

  const Address& local() const override { return listener_.local(); }

  void stop(Duration deadline, std::function<void()> done) override {
    const std::lock_guard guard{mutex_};
    if (std::exchange(stopping_, true)) return;
    if (!server_) return;
    shared_.stopping = true;
    stopper_ = std::thread{[this, deadline, done = std::move(done)] {
      begin_thread("rpc-stop");
      listener_.stop();
      server_->Shutdown(std::chrono::system_clock::now() + deadline);
      // Operations may not begin on a queue that is shut down: so all calls end before.
      for (Lane& lane : lanes_) lane.calls->wait_until_idle();
      done();
    }};
  }

 private:
  struct Lane {
    std::unique_ptr<RpcLane> calls;
    std::thread thread;
  };

  RpcListener listener_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  RpcShared shared_;
  std::vector<Lane> lanes_;
  std::unique_ptr<grpc::Server> server_;
  std::mutex mutex_;
  bool stopping_ = false;
  std::thread stopper_;
};

class OsRpc final : public RpcServers {
 public:
  OsRpc(std::size_t threads, Network& network, Logger& log)
      : threads_(threads), network_(network), log_(log) {}
  ~OsRpc() override {
    if (used_) GrpcLog::instance().leave(&log_);
  }

  Result<std::unique_ptr<RpcServer>> listen(const Address& address, Accept accept,
                                            const RpcOptions& options) override {
    used_ = true;
    // Debian builds Abseil with its search for deadlocks: every lock of gRPC would take one lock of
    // the process.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    GrpcLog::instance().write_to(&log_);
    if (!options.certificate.empty()) {
      // gRPC only says later, and to its log, that files are wrong.
      TROUPE_TRY(checked, network_.load_security({{}, {}, options.certificate, options.key, {}}));
      (void)checked;
    }
    auto server = std::make_unique<OsRpcServer>(std::move(accept), options, log_);
    TROUPE_CHECK(server->start(address, threads_, options));
    return std::unique_ptr<RpcServer>{std::move(server)};
  }

 private:
  const std::size_t threads_;
  Network& network_;
  Logger& log_;
  std::atomic<bool> used_{false};
};

}  // namespace

std::unique_ptr<RpcServers> make_os_rpc(std::size_t threads, Network& network, Logger& log) {
  return std::make_unique<OsRpc>(threads, network, log);
}

}  // namespace troupe::runtime

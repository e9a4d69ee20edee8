// Credentials for tests of secured streams: authorities, nodes and their files in a temporary
// folder.
#pragma once

#include <doctest/doctest.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <string>

#include "runtime/security/certificates.hpp"
#include "runtime/security/openssl.hpp"
#include "tests/runtime/platform/network_rig.hpp"
#include "tests/runtime/platform/temporary_folder.hpp"

namespace troupe::tests {

inline WallTime wall() {
  return std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now());
}
inline runtime::Validity valid_now() {
  return {wall() - 1h, wall() + 24h};
}
inline runtime::Validity valid_before() {
  return {wall() - 48h, wall() - 1h};
}
inline runtime::Validity valid_later() {
  return {wall() + 1h, wall() + 48h};
}

// An authority with its own folder of files.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& cluster = "shop") : cluster_(cluster) {
    auto made = runtime::make_authority(cluster, valid_now());
    REQUIRE(made);
    pair_ = *std::move(made);
    write("authority.pem", pair_.certificate);
    revoke({});
  }

  // Files of a node. They lie in this authority's folder, whoever has signed them.
  runtime::CredentialFiles node(const std::string& name) { return node(name, valid_now()); }
  runtime::CredentialFiles node(const std::string& name, const runtime::Validity& validity) {
    return node({cluster_, name}, validity);
  }
  runtime::CredentialFiles node(const runtime::NodeIdentity& identity,
                                const runtime::Validity& validity) {
    auto made = runtime::make_node_certificate(pair_, {identity, validity});
    REQUIRE(made);
    return store(identity, *made);
  }
  runtime::CredentialFiles store(const runtime::NodeIdentity& identity,
                                 const runtime::KeyPair& pair) {
    write(identity.node + ".key", pair.key);
    write(identity.node + ".pem", pair.certificate);
    return {identity.cluster, path("authority.pem"), path(identity.node + ".pem"),
            path(identity.node + ".key"), path("revoked.pem")};
  }

  void revoke(const std::vector<std::string>& serials, runtime::Validity validity = valid_now()) {
    runtime::RevocationList list;
    list.number = ++lists_;
    list.validity = validity;
    for (const auto& serial : serials) list.revoked.push_back({serial, wall()});
    auto made = runtime::make_revocation_list(pair_, list);
    REQUIRE(made);
    write("revoked.pem", *made);
  }

  static std::string serial(const runtime::CredentialFiles& files) {
    std::ifstream stream{files.certificate};
    const std::string text{std::istreambuf_iterator<char>{stream}, {}};
    const auto info = runtime::read_certificate(text);
    REQUIRE(info);
    return info->serial;
  }

  // Replaced as a whole, as operators' tools do.
  void write(const std::string& name, const std::string& text) {
    {
      std::ofstream stream{path(name + ".new"), std::ios::binary};
      stream << text;
    }
    REQUIRE(::rename(path(name + ".new").c_str(), path(name).c_str()) == 0);
    ::chmod(path(name).c_str(), 0600);
  }
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  const runtime::KeyPair& pair() const { return pair_; }

 private:
  TemporaryFolder folder_;
  std::string cluster_;
  runtime::KeyPair pair_;
  std::uint64_t lists_ = 0;
};

// The network of one node with its credentials.
struct SecuredNode {
  explicit SecuredNode(const runtime::CredentialFiles& files, std::size_t threads = 1)
      : network(runtime::make_os_network(threads, log)) {
    auto loaded = network->load_security(files);
    REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().describe()));
    security = *std::move(loaded);
  }
  ~SecuredNode() {
    listener.reset();
    network.reset();
    for (auto& handler : accepted) handler->stream.reset();
  }

  void listen(std::function<void(Handler&)> prepare = [](Handler&) {}) {
    auto made = network->listen(
        {"127.0.0.1", 0},
        [this, prepare](std::shared_ptr<runtime::Stream> stream) {
          auto handler = std::make_shared<Handler>();
          handler->stream = std::move(stream);
          prepare(*handler);
          const std::lock_guard lock{mutex};
          accepted.push_back(handler);
          changed.notify_all();
          return handler;
        },
        security);
    REQUIRE(made);
    listener = *std::move(made);
  }

  Result<std::shared_ptr<Handler>> connect(
      const runtime::Address& address, Duration timeout = 1h,
      std::shared_ptr<Handler> handler = std::make_shared<Handler>()) {
    auto outcome = std::make_shared<Event<Result<std::shared_ptr<Handler>>>>();
    network->connect(
        address, timeout,
        [outcome, handler](auto stream) -> std::shared_ptr<runtime::StreamHandler> {
          if (!stream) {
            outcome->set(stream.error());
            return nullptr;
          }
          handler->stream = *stream;
          outcome->set(handler);
          return handler;
        },
        security);
    return outcome->wait();
  }
  std::string reason_of_connecting(const runtime::Address& address) {
    const auto made = connect(address);
    return made ? "connected" : made.error().reason;
  }

  std::shared_ptr<Handler> wait_for_stream(std::size_t number = 0) {
    std::unique_lock lock{mutex};
    changed.wait(lock, [&] { return accepted.size() > number; });
    return accepted[number];
  }
  std::size_t streams() {
    const std::lock_guard lock{mutex};
    return accepted.size();
  }
  runtime::Address address() const { return listener->local(); }

  KeptLog log;
  std::unique_ptr<runtime::Network> network;
  std::shared_ptr<runtime::Security> security;
  std::unique_ptr<runtime::Listener> listener;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::shared_ptr<Handler>> accepted;
};

// A peer that uses OpenSSL as it likes, over a blocking socket.
class BareTls {
 public:
  // Without a certificate unless files are given; believes everyone.
  explicit BareTls(const runtime::Address& peer, const runtime::CredentialFiles* files = nullptr,
                   int version_max = TLS1_3_VERSION)
      : socket_(peer), context_(SSL_CTX_new(TLS_client_method())) {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets that may be closed
    SSL_CTX_set_max_proto_version(context_.get(), version_max);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
    if (files != nullptr) {
      REQUIRE(SSL_CTX_use_certificate_file(context_.get(), files->certificate.c_str(),
                                           SSL_FILETYPE_PEM) == 1);
      REQUIRE(SSL_CTX_use_PrivateKey_file(context_.get(), files->key.c_str(), SSL_FILETYPE_PEM) ==
              1);
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), socket_.number());
  }
  bool shake_hands() { return SSL_connect(ssl_.get()) == 1; }
  // What is read until the peer ends; its alert, if it sent one.
  std::string read_all() {
    std::string bytes;
    char buffer[4096];
    for (;;) {
      const int count = SSL_read(ssl_.get(), buffer, sizeof buffer);
      if (count <= 0) return bytes;
      bytes.append(buffer, static_cast<std::size_t>(count));
    }
  }
  bool write(std::string_view bytes) {
    return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
  }
  bool ended_in_order() const {
    return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }
  void say_goodbye() { SSL_shutdown(ssl_.get()); }
  SSL* ssl() { return ssl_.get(); }
  BareSocket& socket() { return socket_; }

 private:
  BareSocket socket_;
  std::unique_ptr<SSL_CTX, runtime::FreedBy<SSL_CTX_free>> context_;
  std::unique_ptr<SSL, runtime::FreedBy<SSL_free>> ssl_;
};

}  // namespace troupe::tests

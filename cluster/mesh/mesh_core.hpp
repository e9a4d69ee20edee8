// What a mesh shares with its links and connections, which may outlive it by a moment.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cluster/mesh/hello.hpp"
#include "cluster/mesh/mesh.hpp"
#include "cluster/mesh/mesh_metrics.hpp"
#include "runtime/gate.hpp"

namespace troupe::cluster {

class MeshConnection;
class MeshLink;

struct MeshCore : std::enable_shared_from_this<MeshCore> {
  MeshCore(runtime::Platform& the_platform, MeshOptions the_options)
      : platform{the_platform}, options{std::move(the_options)}, metrics_{the_platform.metrics()} {}

  runtime::Platform& platform;
  const MeshOptions options;
  runtime::Gate gate;  // around what the mesh's owner gave it to call

  // Fixed once it has started.
  std::array<MessageHandler, 256> messages;
  std::array<CallHandler, 256> calls;
  std::vector<LinkHandler> link_handlers;
  MeshFormats formats;

  wire::MeshHello hello() const;  // of ours
  // Whether we may be linked with who says this: check_hello(), and its formats.
  Result<Agreement> judge(const wire::MeshHello& theirs, const std::optional<std::string>& proven);
  Result<void> may_link(const std::string& node, const std::vector<std::string>& read);

  MonotonicTime now() const { return platform.clock().now(); }
  std::uint64_t next_call() { return ++calls_made_; }

  // tick() is needed then.
  void wake_at(MonotonicTime when);

  std::shared_ptr<runtime::StreamHandler> accept(std::shared_ptr<runtime::Stream> stream);
  std::shared_ptr<MeshLink> find(const std::string& node) const;  // null: no such peer
  std::vector<std::shared_ptr<MeshLink>> links() const;
  // It has greeted, or is gone.
  void no_stranger(const MeshConnection* connection);
  // Logs that somebody is refused, unless the same was logged before.
  void log_refused(const std::string& node, const std::string& remote, const Error& why);
  void forget_refused(const std::string& node);

  void start(std::function<void(Duration)> wake_after);
  void tick();
  void stop();
  void set_peer(const std::string& node, runtime::Address address);
  void remove_peer(const std::string& node);

  bool running() const { return running_; }

 private:
  // Metrics, at most once a second. By tick() alone.
  void publish(MonotonicTime now);

  std::atomic<std::uint64_t> calls_made_{0};
  std::atomic<bool> running_{false};

  MeshMetrics metrics_;
  MonotonicTime published_at_{};
  std::map<std::string, MeshLinkStatus> published_;

  mutable std::mutex mutex_;  // of what follows; taken inside a link's, never around it
  std::map<std::string, std::shared_ptr<MeshLink>> links_;
  std::map<const MeshConnection*, std::weak_ptr<MeshConnection>> strangers_;
  std::set<std::pair<std::string, std::string>> refused_;  // node and reason, as logged
  std::function<void(Duration)> wake_after_;
  MonotonicTime armed_ = MonotonicTime::max();
};

// Calls into subscribers that have to wait until a mutex is free: declare it before the lock. What
// they throw is a bug of theirs; it is logged.
class Later {
 public:
  explicit Later(MeshCore& core) : core_{core} {}
  ~Later();
  Later(const Later&) = delete;
  Later& operator=(const Later&) = delete;
  void add(std::function<void()> job) { jobs_.push_back(std::move(job)); }

 private:
  MeshCore& core_;
  std::vector<std::function<void()>> jobs_;
};

}  // namespace troupe::cluster

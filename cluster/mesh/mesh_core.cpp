#include "cluster/mesh/mesh_core.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "cluster/mesh/connection.hpp"
#include "cluster/mesh/mesh_link.hpp"

namespace troupe::cluster {
namespace {

// Refusals that are remembered as logged; strangers may invent any number of names.
constexpr std::size_t refused_max = 256;

}  // namespace

Later::~Later() {
  if (jobs_.empty()) return;
  const runtime::Gate::Visit visit{core_.gate};
  if (!visit) return;
  for (const auto& job : jobs_) {
    try {
      job();
    } catch (const std::exception& mistake) {
      core_.platform.log().error("mesh.handler_failed", "what the mesh called threw",
                                 {{"what", mistake.what()}});
    }
  }
}

std::shared_ptr<runtime::StreamHandler> MeshCore::accept(std::shared_ptr<runtime::Stream> stream) {
  if (!running()) return nullptr;
  const std::lock_guard lock{mutex_};
  if (strangers_.size() >= options.strangers_max) return nullptr;
  const auto connection =
      std::make_shared<MeshConnection>(shared_from_this(), std::move(stream), nullptr, 0);
  strangers_.emplace(connection.get(), connection);
  return connection;
}

void MeshCore::no_stranger(const MeshConnection* connection) {
  const std::lock_guard lock{mutex_};
  strangers_.erase(connection);
}

std::shared_ptr<MeshLink> MeshCore::find(const std::string& node) const {
  const std::lock_guard lock{mutex_};
  const auto found = links_.find(node);
  return found == links_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<MeshLink>> MeshCore::links() const {
  const std::lock_guard lock{mutex_};
  std::vector<std::shared_ptr<MeshLink>> all;
  all.reserve(links_.size());
  for (const auto& [node, link] : links_) all.push_back(link);
  return all;
}

void MeshCore::log_refused(const std::string& node, const std::string& remote, const Error& why) {
  {
    const std::lock_guard lock{mutex_};
    if (refused_.size() >= refused_max || !refused_.emplace(node, why.reason).second) return;
  }
  platform.log().warn("mesh.refused", "a connection was refused: " + why.message,
                      {{"peer", node}, {"address", remote}, {"reason", why.reason}});
}

void MeshCore::forget_refused(const std::string& node) {
  const std::lock_guard lock{mutex_};
  refused_.erase(refused_.lower_bound({node, {}}), refused_.lower_bound({node + '\0', {}}));
}

wire::MeshHello MeshCore::hello() const {
  auto hello = make_hello(options);
  for (const auto& format : formats.read) hello.add_formats(format);
  return hello;
}

Result<Agreement> MeshCore::judge(const wire::MeshHello& theirs,
                                  const std::optional<std::string>& proven) {
  TROUPE_TRY(agreed, check_hello(options, theirs, proven));
  TROUPE_CHECK(may_link(theirs.node(), {theirs.formats().begin(), theirs.formats().end()}));
  return agreed;
}

Result<void> MeshCore::may_link(const std::string& node, const std::vector<std::string>& read) {
  const runtime::Gate::Visit visit{gate};
  return visit && formats.may_link ? formats.may_link(node, read) : Result<void>{};
}

// --- time ---------------------------------------------------------------------------------------

void MeshCore::wake_at(MonotonicTime when) {
  const std::lock_guard lock{mutex_};
  if (when >= armed_ || !wake_after_) return;
  armed_ = when;
  wake_after_(std::max<Duration>(when - now(), Duration{0}));
}

void MeshCore::start(std::function<void(Duration)> wake_after) {
  {
    const std::lock_guard lock{mutex_};
    wake_after_ = std::move(wake_after);
    armed_ = MonotonicTime::max();
    running_ = true;
  }
  wake_at(now());
}

void MeshCore::tick() {
  const auto time = now();
  bool stalled = false;
  {
    const std::lock_guard lock{mutex_};
    // A wake-up that was asked for before an earlier one.
    if (!running() || time < armed_) return;
    stalled = time - armed_ > options.silence_max / 2;
    armed_ = MonotonicTime::max();
  }
  auto next = MonotonicTime::max();
  for (const auto& link : links()) next = std::min(next, link->tick(time, stalled));
  publish(time);
  if (next != MonotonicTime::max()) wake_at(next);
}

void MeshCore::publish(MonotonicTime time) {
  if (time - published_at_ < std::chrono::seconds{1}) return;
  published_at_ = time;
  std::size_t up = 0;
  std::size_t calls_open = 0;
  std::uint64_t queued = 0;
  std::map<std::string, MeshLinkStatus> now;  // without peers that were removed
  for (const auto& link : links()) {
    auto& before = now[link->node()] = published_[link->node()];
    const auto status = link->status();
    metrics_.add(status, before);
    up += status.state == MeshLinkStatus::State::up ? 1 : 0;
    calls_open += status.calls_open;
    for (const auto bytes : status.queued_bytes) queued += bytes;
  }
  published_ = std::move(now);
  metrics_.set_links(up, calls_open, queued);
}

void MeshCore::stop() {
  std::map<const MeshConnection*, std::weak_ptr<MeshConnection>> strangers;
  {
    const std::lock_guard lock{mutex_};
    running_ = false;
    wake_after_ = nullptr;
    strangers = std::exchange(strangers_, {});
  }
  for (const auto& [name, stranger] : strangers)
    if (const auto connection = stranger.lock()) connection->stream->abort();
  const auto why = unavailable("NODE_STOPPING", "node " + options.node + " ends its links");
  for (const auto& link : links()) link->stop(why, false);
}

// --- peers --------------------------------------------------------------------------------------

void MeshCore::set_peer(const std::string& node, runtime::Address address) {
  if (node == options.node) return;
  std::shared_ptr<MeshLink> link;
  {
    const std::lock_guard lock{mutex_};
    auto& known = links_[node];
    if (known) {
      link = known;
    } else {
      known = std::make_shared<MeshLink>(*this, node, address);
    }
  }
  if (link) return link->set_address(std::move(address));
  wake_at(now());
}

void MeshCore::remove_peer(const std::string& node) {
  std::shared_ptr<MeshLink> link;
  {
    const std::lock_guard lock{mutex_};
    const auto found = links_.extract(node);
    if (!found) return;
    link = found.mapped();
  }
  link->stop(unavailable("PEER_REMOVED", "node " + node + " is no peer any more"), true);
}

}  // namespace troupe::cluster

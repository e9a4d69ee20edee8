// How a link comes up: dials, hellos, and which of several connections it will be.
#include <algorithm>
#include <utility>

#include "actors/restart_policy.hpp"
#include "cluster/mesh/hello.hpp"
#include "cluster/mesh/mesh_link.hpp"
#include "runtime/rehearsal/marks.hpp"

namespace troupe::cluster {
namespace {

using Phase = MeshConnection::Phase;

constexpr std::uint64_t window_max = std::uint64_t{1} << 40;

void remember(MeshConnection& connection, const wire::MeshHello& hello) {
  connection.incarnation = hello.incarnation();
  connection.call_window = std::min(hello.call_window(), window_max);
  connection.bulk_window = std::min(hello.bulk_window(), window_max);
  connection.formats.assign(hello.formats().begin(), hello.formats().end());
}

Error duplicate(const std::string& node) {
  return aborted("LINK_DUPLICATE", node + " makes a link of its own with this node");
}

}  // namespace

// --- dialling -----------------------------------------------------------------------------------

void MeshLink::dial(MonotonicTime) {
  connecting_ = true;
  const auto number = ++dials_;
  core_.platform.network().connect(
      address_, core_.options.connect_time_max,
      [core = core_.shared_from_this(), link = weak_from_this(),
       number](Result<std::shared_ptr<runtime::Stream>> stream) {
        std::shared_ptr<runtime::StreamHandler> handler;
        const auto self = link.lock();
        if (!self) return handler;
        const std::lock_guard lock{self->mutex_};
        if (number != self->dials_ || !self->connecting_) return handler;  // abandoned
        self->connecting_ = false;
        if (stream) {
          self->connected(number, *std::move(stream), handler);
        } else {
          self->dial_failed(stream.error());
        }
        return handler;
      },
      core_.options.security);
}

void MeshLink::connected(std::uint64_t number, std::shared_ptr<runtime::Stream> stream,
                         std::shared_ptr<runtime::StreamHandler>& handler) {
  const auto connection = std::make_shared<MeshConnection>(
      core_.shared_from_this(), std::move(stream), shared_from_this(), number);
  auto hello = core_.hello();
  hello.set_dialled_node(node_);
  hello.set_dialled_address(address_.to_string());
  hello.set_dial(number);
  connection->send(FrameKind::hello, hello.SerializeAsString());
  dialling_ = connection;
  handler = connection;
}

void MeshLink::dial_failed(const Error& why) {
  if (why.reason != "LINK_DUPLICATE") note("mesh.unreachable", why);
  redial_later();
}

void MeshLink::abandon_dial() {
  connecting_ = false;
  if (const auto connection = std::exchange(dialling_, nullptr)) {
    connection->phase = Phase::over;
    connection->stream->close();
  }
}

void MeshLink::redial_later() {
  if (stopped_) return;
  const auto now = core_.now();
  dial_at_ =
      now + actors::backoff_delay(core_.options.redial, ++failures_, core_.platform.random());
  core_.wake_at(dial_at_);
}

void MeshLink::answered(const Connection& connection, const wire::MeshHello& hello) {
  Later later{core_};
  const std::lock_guard lock{mutex_};
  if (dialling_ != connection) return;
  dialling_ = nullptr;
  remember(*connection, hello);
  connection->send(FrameKind::ready, {});
  come_up(connection, later);
}

void MeshLink::refused(const Connection& connection, const Error& why) {
  Later later{core_};
  const std::lock_guard lock{mutex_};
  connection->phase = Phase::over;
  connection->stream->close();
  const Error told{why.code, why.reason, "refused by node " + node_ + ": " + why.message};
  if (told.reason == "FORMAT_UNREADABLE" && core_.formats.refused)
    later.add([&refused = core_.formats.refused, told] { refused(told); });
  if (dialling_ == connection) {
    dialling_ = nullptr;
    dial_failed(told);
  } else if (greeting_ == connection) {
    greeting_ = nullptr;
    dial_failed(told);
  }
}

// --- being dialled ------------------------------------------------------------------------------

void MeshLink::greeted(const Connection& connection, const wire::MeshHello& hello) {
  const std::lock_guard lock{mutex_};
  connection->phase = Phase::over;
  if (stopped_)
    return connection->refuse(
        node_, unavailable("NODE_STOPPING", core_.options.node + " is not taking links now"));
  if (hello.incarnation() == answered_incarnation_ && hello.dial() <= answered_dial_) {
    TROUPE_SOMETIMES("a hello came after a later one of its node");
    return connection->stream->close();
  }
  TROUPE_SOMETIMES_IF(dialling_, "two nodes dialled each other at once");
  if (dialling_ && core_.options.node < node_) {
    connection->send(FrameKind::refusal, refusal_bytes(duplicate(core_.options.node)));
    return connection->stream->close();
  }
  abandon_dial();
  if (const auto older = std::exchange(greeting_, connection)) {
    older->phase = Phase::over;
    older->stream->close();
  }
  answered_incarnation_ = hello.incarnation();
  answered_dial_ = hello.dial();
  connection->phase = Phase::greeted;
  connection->dial = hello.dial();
  remember(*connection, hello);
  auto answer = core_.hello();
  answer.set_dial(hello.dial());
  connection->send(FrameKind::hello, answer.SerializeAsString());
}

void MeshLink::confirmed(const Connection& connection) {
  Later later{core_};
  const std::lock_guard lock{mutex_};
  if (greeting_ != connection) return;
  greeting_ = nullptr;
  come_up(connection, later);
}

// --- up -----------------------------------------------------------------------------------------

void MeshLink::come_up(const Connection& connection, Later& later) {
  if (const auto older = up_) {
    TROUPE_SOMETIMES("a link was replaced by a newer one");
    const bool restarted = older->incarnation != connection->incarnation;
    go_down(unavailable("LINK_REPLACED", restarted ? "node " + node_ + " was started again"
                                                   : "node " + node_ + " made a new link"),
            later);
    older->stream->abort();
  }
  up_ = connection;
  connection->phase = Phase::up;
  connection->stream->expire_after(Duration{0});
  outbox_.open(static_cast<std::int64_t>(connection->call_window),
               static_cast<std::int64_t>(connection->bulk_window));
  heard_at_ = wrote_at_ = up_at_ = core_.now();
  core_.wake_at(up_at_ + core_.options.heartbeat);
  noted_.clear();
  core_.forget_refused(node_);
  status_.state = MeshLinkStatus::State::up;
  status_.since = core_.platform.clock().wall();
  status_.last_error.clear();
  status_.incarnation = connection->incarnation;
  status_.version = connection->version;
  status_.dialled = connection->dialled;
  ++status_.times_up;
  core_.platform.log().info("mesh.link_up", "there is a link to node " + node_,
                            {{"peer", node_}, {"address", connection->remote.to_string()}});
  for (const auto& handler : core_.link_handlers)
    later.add([&handler, node = node_] { handler(node, true); });
}

}  // namespace troupe::cluster

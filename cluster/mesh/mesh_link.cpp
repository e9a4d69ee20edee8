#include "cluster/mesh/mesh_link.hpp"

#include <algorithm>
#include <utility>

#include "actors/restart_policy.hpp"
#include "cluster/mesh/mesh_turn.hpp"
#include "runtime/rehearsal/marks.hpp"

namespace troupe::cluster {
namespace {

// What waits for the end of a turn at most.
constexpr std::size_t gathered_bytes_max = std::size_t{16} << 10;

}  // namespace

using State = MeshLinkStatus::State;

MeshLink::MeshLink(MeshCore& core, std::string node, runtime::Address address)
    : core_{core}, node_{std::move(node)}, address_{std::move(address)}, outbox_{core.options} {
  status_.node = node_;
  status_.since = core.platform.clock().wall();
}

// --- sending ------------------------------------------------------------------------------------

Result<void> MeshLink::send(Lane lane, FrameKind kind, std::string bytes, Sent sent) {
  if (bytes.size() > payload_bytes_max(lane))
    return invalid_argument("MESSAGE_TOO_LARGE", "a message of " + std::to_string(bytes.size()) +
                                                     " bytes for " + node_ + "; at most " +
                                                     std::to_string(payload_bytes_max(lane)) +
                                                     " go in this lane: divide it");
  Later later{core_};
  const std::lock_guard lock{mutex_};
  if (!up_) return unavailable("LINK_DOWN", "there is no link to node " + node_ + " now");
  Outbox::Item item{kind, std::move(bytes), std::move(sent)};
  if (!outbox_.push(lane, std::move(item))) {
    ++(lane == Lane::consensus ? status_.consensus_dropped : status_.calls_refused);
    TROUPE_SOMETIMES_IF(lane == Lane::consensus, "a consensus message did not fit into its link");
    return resource_exhausted("LINK_FULL", "too much waits for node " + node_ + "; try again");
  }
  flush_soon(later);
  return {};
}

void MeshLink::call(FrameKind kind, std::string request, MonotonicTime deadline, Answer answer) {
  Later later{core_};
  const std::lock_guard lock{mutex_};
  const auto fail = [&](Error why) {
    later.add([answer = std::move(answer), why = std::move(why)] { answer(why); });
  };
  if (request.size() + 64 > payload_bytes_max(Lane::call))
    return fail(invalid_argument(
        "MESSAGE_TOO_LARGE", "a call of " + std::to_string(request.size()) + " bytes for " + node_ +
                                 " is too large for one message"));
  if (!up_) return fail(unavailable("LINK_DOWN", "there is no link to node " + node_ + " now"));
  const auto now = core_.now();
  if (deadline <= now) {
    ++status_.late_before_sent;
    return fail(
        deadline_exceeded("CALL_LATE", "the call's time was over before it was sent to " + node_));
  }
  const auto id = core_.next_call();
  Outbox::Item item{kind, std::move(request), {}, id, deadline};
  if (calls_.size() >= core_.options.calls_open_max || !outbox_.push(Lane::call, std::move(item))) {
    ++status_.calls_refused;
    TROUPE_SOMETIMES("a call did not fit into its link");
    return fail(
        resource_exhausted("LINK_FULL", "too many calls wait for node " + node_ + "; try again"));
  }
  calls_.open(id, deadline, std::move(answer));
  if (deadline != MonotonicTime::max()) core_.wake_at(deadline);
  flush_soon(later);
}

void MeshLink::flush_soon(Later& later) {
  if (auto* turn = MeshTurn::current(); turn && outbox_.queued() < gathered_bytes_max) {
    turn->add(shared_from_this());
  } else {
    flush(later);
  }
}

void MeshLink::write_out() {
  Later later{core_};
  const std::lock_guard lock{mutex_};
  flush(later);
}

void MeshLink::flush(Later& later) {
  if (!up_) return;
  auto& connection = *up_;
  const auto most = core_.options.unsent_bytes_max;
  if (connection.unsent >= most) connection.unsent = connection.stream->unsent();
  while (connection.unsent < most) {
    const auto now = core_.now();
    auto batch = outbox_.gather(most - connection.unsent, now, calls_);
    if (batch.bytes.empty()) return;
    wrote_at_ = now;
    ++status_.out.batches;
    for (std::size_t lane = 0; lane < batch.frames.size(); ++lane) {
      status_.out.frames[lane] += batch.frames[lane];
      status_.out.bytes[lane] += batch.sizes[lane];
    }
    for (auto& sent : batch.sent) later.add([sent = std::move(sent)] { sent({}); });
    connection.unsent += batch.bytes.size();
    connection.stream->write(std::move(batch.bytes));
    if (batch.credit > 0) return_credit(connection, Lane::call, batch.credit);
  }
}

// --- time ---------------------------------------------------------------------------------------

MonotonicTime MeshLink::tick(MonotonicTime now, bool stalled) {
  Later later{core_};
  const std::lock_guard lock{mutex_};
  const auto& options = core_.options;
  if (gone_) return MonotonicTime::max();
  if (std::exchange(stopped_, false)) dial_at_ = now;
  for (auto& call : calls_.take_late(now)) {
    if (!call.sent) ++status_.late_before_sent;
    later.add([answer = std::move(call.answer), sent = call.sent, node = node_] {
      answer(sent ? deadline_exceeded("CALL_TIMEOUT", "node " + node +
                                                          " did not answer in time; whether the "
                                                          "call took effect is unknown")
                  : deadline_exceeded("CALL_LATE",
                                      "the call's time was over before it was sent to " + node));
    });
  }
  if (up_ && stalled) heard_at_ = now;
  if (up_ && now - heard_at_ >= options.silence_max) {
    TROUPE_SOMETIMES("a link was given up because its peer was silent");
    const auto connection = up_;
    go_down(unavailable("PEER_SILENT", "nothing came from node " + node_ + " for too long"), later);
    connection->stream->abort();
  }
  if (up_ && now - wrote_at_ >= options.heartbeat) {
    wrote_at_ = now;  // also if the stream takes nothing
    if (outbox_.queued(Lane::control) == 0) outbox_.push_control(FrameKind::heartbeat, {});
    flush(later);
  }
  if (!up_ && !greeting_ && !dialling_ && !connecting_ && now >= dial_at_) dial(now);

  auto next = calls_.next_deadline();
  if (up_) {
    next = std::min({next, wrote_at_ + options.heartbeat, heard_at_ + options.silence_max});
  } else if (!greeting_ && !dialling_ && !connecting_) {
    next = std::min(next, dial_at_);
  }
  return next;
}

void MeshLink::set_address(runtime::Address address) {
  const std::lock_guard lock{mutex_};
  if (address_ == address) return;
  address_ = std::move(address);
  failures_ = 0;
  dial_at_ = core_.now();
  core_.wake_at(dial_at_);
}

// --- ends ---------------------------------------------------------------------------------------

void MeshLink::go_down(const Error& why, Later& later) {
  const auto connection = std::exchange(up_, nullptr);
  connection->phase = MeshConnection::Phase::over;
  // A link that does not stay up counts as a dial that failed.
  if (core_.now() - up_at_ >= core_.options.redial.max) failures_ = 0;
  status_.state = State::down;
  status_.since = core_.platform.clock().wall();
  status_.version = 0;
  note("mesh.link_down", why);
  for (auto& item : outbox_.close()) {
    if (item.sent)
      later.add([sent = std::move(item.sent), node = node_] {
        sent(unavailable("LINK_DOWN", "the link to node " + node + " ended before it was sent"));
      });
  }
  for (auto& call : calls_.take_all()) {
    later.add([answer = std::move(call.answer), sent = call.sent, node = node_,
               why = why.describe()] {
      answer(sent ? unavailable("LINK_LOST", "the link to node " + node +
                                                 " ended before the answer came; whether the call "
                                                 "took effect is unknown (" +
                                                 why + ")")
                  : unavailable("LINK_DOWN",
                                "the link to node " + node + " ended before the call was sent"));
    });
  }
  for (const auto& handler : core_.link_handlers)
    later.add([&handler, node = node_] { handler(node, false); });
  redial_later();
}

void MeshLink::closed(const Connection& connection, const Error& why) {
  Later later{core_};
  const std::lock_guard lock{mutex_};
  connection->phase = MeshConnection::Phase::over;
  if (up_ == connection) {
    go_down(why, later);
  } else if (dialling_ == connection) {
    dialling_ = nullptr;
    dial_failed(why);
  } else if (greeting_ == connection) {
    greeting_ = nullptr;
    redial_later();
  }
}

void MeshLink::stop(const Error& why, bool for_good) {
  Later later{core_};
  const std::lock_guard lock{mutex_};
  gone_ = gone_ || for_good;
  stopped_ = true;
  abandon_dial();
  if (const auto connection = std::exchange(greeting_, nullptr)) {
    connection->phase = MeshConnection::Phase::over;
    connection->stream->close();
  }
  if (const auto connection = up_) {
    go_down(why, later);
    connection->stream->close();
  }
}

void MeshLink::check_formats() {
  Later later{core_};
  const std::lock_guard lock{mutex_};
  if (!up_) return;
  const auto connection = up_;
  const auto fits = core_.may_link(node_, connection->formats);
  if (fits) return;
  TROUPE_SOMETIMES("a link ended because its node cannot read a format");
  go_down(fits.error(), later);
  connection->stream->abort();
}

// --- looking ------------------------------------------------------------------------------------

bool MeshLink::is_up() const {
  const std::lock_guard lock{mutex_};
  return up_ != nullptr;
}

void MeshLink::count_late() {
  const std::lock_guard lock{mutex_};
  ++status_.late_before_run;
  TROUPE_SOMETIMES("a call was dropped because its time was over");
}

MeshLinkStatus MeshLink::status() const {
  const std::lock_guard lock{mutex_};
  auto status = status_;
  status.address = address_;
  if (!up_ && (connecting_ || dialling_ || greeting_)) status.state = State::connecting;
  for (std::size_t lane = 0; lane < status.queued_bytes.size(); ++lane)
    status.queued_bytes[lane] = outbox_.queued(static_cast<Lane>(lane));
  status.calls_open = calls_.size();
  return status;
}

// A failure is logged when it begins, not at every try.
void MeshLink::note(std::string_view event, const Error& why) {
  status_.last_error = why.describe();
  if (std::exchange(noted_, why.reason) == why.reason) return;
  core_.platform.log().warn(
      event, why.message,
      {{"peer", node_}, {"address", address_.to_string()}, {"reason", why.reason}});
}

}  // namespace troupe::cluster

// What comes over a link that is up: frames to subscribers, credits, calls and replies.
#include <utility>

#include "cluster/mesh/hello.hpp"
#include "cluster/mesh/incoming_ticket.hpp"
#include "cluster/mesh/mesh_link.hpp"
#include "runtime/rehearsal/marks.hpp"

namespace troupe::cluster {
namespace {

std::size_t index(Lane lane) {
  return static_cast<std::size_t>(lane);
}

// The frame of a reply. Its error texts are cut so that it fits.
Outbox::Item reply_item(std::uint64_t call, Result<std::string> reply, std::size_t credit) {
  constexpr std::size_t text_bytes_max = 8 * 1024;
  if (reply && reply->size() + 64 > payload_bytes_max(Lane::call))
    reply = resource_exhausted("MESSAGE_TOO_LARGE",
                               "the reply has " + std::to_string(reply->size()) +
                                   " bytes, too many for one message; what was asked for was done");
  wire::MeshReply head;
  head.set_id(call);
  if (!reply) {
    const auto& error = reply.error();
    head.set_code(static_cast<std::uint32_t>(error.code));
    head.set_reason(error.reason.substr(0, text_bytes_max));
    head.set_message(error.message.substr(0, text_bytes_max));
    if (error.retry_after) {
      using std::chrono::microseconds;
      const auto time = std::chrono::duration_cast<microseconds>(*error.retry_after).count();
      head.set_retry_after_us(static_cast<std::uint64_t>(std::max<std::int64_t>(time, 1)));
    }
  }
  auto payload = with_head(head.SerializeAsString());
  if (reply) payload += *reply;
  Outbox::Item item{FrameKind::reply, std::move(payload)};
  item.credit = credit;
  return item;
}

Result<std::string> read_reply(const wire::MeshReply& head, std::string_view body) {
  if (head.code() == 0) return std::string{body};
  Error error{static_cast<Code>(head.code()), head.reason(), head.message()};
  if (head.retry_after_us() != 0)
    error.retry_after = std::chrono::microseconds{head.retry_after_us()};
  return error;
}

// Beyond it a peer is not believed (two centuries); it keeps times from overflowing.
constexpr std::uint64_t remaining_us_max = std::uint64_t{1} << 52;

}  // namespace

void MeshLink::heard(const Connection& connection) {
  const std::lock_guard lock{mutex_};
  if (up_ != connection) return;
  heard_at_ = core_.now();
  ++status_.in.batches;
}

void MeshLink::drained(const Connection& connection) {
  Later later{core_};
  const std::lock_guard lock{mutex_};
  if (up_ != connection) return;
  connection->unsent = connection->stream->unsent();
  flush(later);
}

// --- credits ------------------------------------------------------------------------------------

Result<void> MeshLink::charge(MeshConnection& connection, const Frame& frame) {
  if (frame.lane != Lane::call && frame.lane != Lane::bulk) return {};
  auto& inward = connection.inward[index(frame.lane)];
  const auto window =
      frame.lane == Lane::call ? core_.options.call_window : core_.options.bulk_window;
  if (inward.held >= window)
    return frame_malformed("node " + node_ + " sends more than it has credit for");
  inward.held += frame.size();
  return {};
}

void MeshLink::give_back(const Connection& connection, Lane lane, std::size_t bytes) {
  Later later{core_};
  const std::lock_guard lock{mutex_};
  if (up_ != connection) return;
  return_credit(*connection, lane, bytes);
  flush_soon(later);
}

void MeshLink::return_credit(MeshConnection& connection, Lane lane, std::size_t bytes) {
  auto& inward = connection.inward[index(lane)];
  inward.held -= bytes;
  inward.to_tell += bytes;
  const auto window = lane == Lane::call ? core_.options.call_window : core_.options.bulk_window;
  if (inward.to_tell < window / 4 + 1) return;  // many small ones make one frame
  wire::MeshCredit credit;
  credit.set_call_bytes(std::exchange(connection.inward[index(Lane::call)].to_tell, 0));
  credit.set_bulk_bytes(std::exchange(connection.inward[index(Lane::bulk)].to_tell, 0));
  outbox_.push_control(FrameKind::credit, credit.SerializeAsString());
}

Result<void> MeshLink::take_credit(const Frame& frame, Later& later) {
  wire::MeshCredit credit;
  if (!credit.ParseFromArray(frame.payload.data(), static_cast<int>(frame.payload.size())))
    return frame_malformed("a credit that cannot be parsed");
  if (!outbox_.grant(credit.call_bytes(), credit.bulk_bytes()))
    return frame_malformed("node " + node_ + " grants more than was sent");
  flush_soon(later);
  return {};
}

// --- frames -------------------------------------------------------------------------------------

Result<void> MeshLink::take(const Connection& connection, const Frame& frame) {
  Later later{core_};
  const std::lock_guard lock{mutex_};
  if (up_ != connection) return {};
  ++status_.in.frames[index(frame.lane)];
  status_.in.bytes[index(frame.lane)] += frame.size();
  if (frame.lane == Lane::control) {
    if (frame.kind == FrameKind::heartbeat) return {};
    if (frame.kind == FrameKind::credit) return take_credit(frame, later);
    if (frame.kind < FrameKind::raft && frame.kind > FrameKind::reply) {
      ++status_.unknown_frames;  // a later version's
      return {};
    }
    return frame_malformed("a frame of kind " + std::to_string(static_cast<int>(frame.kind)) +
                           " where none belongs");
  }
  if (frame.lane == Lane::call && frame.kind == FrameKind::reply) return take_reply(frame, later);
  TROUPE_CHECK(charge(*connection, frame));
  if (frame.lane == Lane::call && frame.kind == FrameKind::request)
    return take_request(connection, frame, later);
  if (frame.kind < FrameKind::raft)
    return frame_malformed("a frame of the mesh's own in a lane of its users");
  Credit credit;
  if (frame.lane != Lane::consensus) credit = Credit{connection, frame.lane, frame.size()};
  const auto& handler = core_.messages[static_cast<std::size_t>(frame.kind)];
  if (!handler) ++status_.unknown_frames;
  auto message = std::make_shared<MeshMessage>(
      MeshMessage{handler ? std::string{frame.payload} : std::string{}, std::move(credit)});
  later.add([&handler, message = std::move(message), node = &node_] {
    if (handler) handler(*node, std::move(*message));
  });
  return {};
}

Result<void> MeshLink::take_request(const Connection& connection, const Frame& frame,
                                    Later& later) {
  TROUPE_TRY(parts, split_head(frame.payload));
  wire::MeshRequest head;
  if (!head.ParseFromArray(parts.head.data(), static_cast<int>(parts.head.size())))
    return frame_malformed("the head of a call cannot be parsed");
  if (head.remaining_us() > remaining_us_max)
    return frame_malformed("a call that may take for ever and more");
  auto ticket = std::make_shared<IncomingCall::Ticket>();
  ticket->core = core_.weak_from_this();
  ticket->link = weak_from_this();
  ticket->connection = connection;
  ticket->id = head.id();
  ticket->node = core_.options.node;
  ticket->from = node_;
  ticket->bytes = parts.body;
  if (head.remaining_us() != 0)
    ticket->deadline = core_.now() + std::chrono::microseconds{head.remaining_us()};
  ticket->credit = Credit{connection, frame.lane, frame.size()};
  later.add([&core = core_, kind = head.kind(), call = IncomingCall{std::move(ticket)}] {
    if (kind < core.calls.size() && core.calls[kind]) return core.calls[kind](call);
    call.answer(unimplemented("CALL_UNKNOWN",
                              "node " + core.options.node + " takes no calls of kind " +
                                  std::to_string(kind) + "; it may be of an older version"));
  });
  return {};
}

Result<void> MeshLink::take_reply(const Frame& frame, Later& later) {
  TROUPE_TRY(parts, split_head(frame.payload));
  wire::MeshReply head;
  if (!head.ParseFromArray(parts.head.data(), static_cast<int>(parts.head.size())))
    return frame_malformed("the head of a reply cannot be parsed");
  if (head.code() > static_cast<unsigned>(Code::unauthenticated) ||
      head.retry_after_us() > remaining_us_max)
    return frame_malformed("the head of a reply says what cannot be");
  if (auto call = calls_.take(head.id()))  // else it was too late
    later.add([answer = std::move(call->answer),
               reply = std::make_shared<Result<std::string>>(read_reply(head, parts.body))] {
      answer(std::move(*reply));
    });
  return {};
}

void MeshLink::reply(const Connection& connection, std::uint64_t call, Result<std::string> reply,
                     std::size_t credit) {
  auto item = reply_item(call, std::move(reply), credit);
  Later later{core_};
  const std::lock_guard lock{mutex_};
  if (up_ != connection) return;
  if (!outbox_.fits_reply(item)) {
    TROUPE_SOMETIMES("a reply did not fit into its link");
    item = reply_item(
        call,
        unavailable("CALL_DROPPED", "node " + core_.options.node +
                                        " had no room for the answer; what was asked for was done"),
        credit);
  }
  outbox_.push_reply(std::move(item));
  flush_soon(later);
}

}  // namespace troupe::cluster

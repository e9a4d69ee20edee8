#include "cluster/mesh/connection.hpp"

#include <utility>

#include "cluster/mesh/hello.hpp"
#include "cluster/mesh/mesh_link.hpp"
#include "cluster/mesh/mesh_turn.hpp"

namespace troupe::cluster {

MeshConnection::MeshConnection(std::shared_ptr<MeshCore> the_core,
                               std::shared_ptr<runtime::Stream> the_stream,
                               std::shared_ptr<MeshLink> the_link, std::uint64_t the_dial)
    : core{std::move(the_core)},
      stream{std::move(the_stream)},
      remote{stream->remote()},
      dialled{the_link != nullptr},
      link{std::move(the_link)},
      phase{dialled ? Phase::dialled : Phase::accepted},
      dial{the_dial} {
  stream->expire_after(core->options.greeting_time_max);
}

std::optional<std::string> MeshConnection::proven() const {
  return core->options.proven_name ? core->options.proven_name(*stream) : std::nullopt;
}

void MeshConnection::send(FrameKind kind, std::string_view payload) {
  std::string bytes;
  append_frame(bytes, kind, Lane::control, payload);
  stream->write(std::move(bytes));
}

void MeshConnection::refuse(const std::string& node, const Error& why) {
  core->log_refused(node, remote.to_string(), why);
  send(FrameKind::refusal, refusal_bytes(why));
  stream->close();
}

void MeshConnection::on_data(std::string_view bytes) {
  const MeshTurn turn;  // answers to what came together leave together
  if (link) link->heard(shared_from_this());
  const auto read = reader_.read(bytes, [this](const Frame& frame) { return take(frame); });
  if (read) return;
  if (link) {
    link->closed(shared_from_this(), read.error());
  } else {
    core->log_refused("", remote.to_string(), read.error());
  }
  // Whoever does not speak the protocol gets no answer.
  stream->abort();
}

void MeshConnection::on_closed(const Result<void>& why) {
  core->no_stranger(this);
  if (!link) return;
  link->closed(
      shared_from_this(),
      why ? unavailable("CONNECTION_ENDED", link->node() + " ended the connection") : why.error());
}

void MeshConnection::on_drained() {
  if (link) link->drained(shared_from_this());
}

Result<void> MeshConnection::take(const Frame& frame) {
  Phase now = phase;
  if (link) {
    const std::lock_guard lock{link->mutex()};
    now = phase;
  }
  switch (now) {
    case Phase::accepted:
      return take_hello(frame);
    case Phase::dialled:
      return take_answer(frame);
    case Phase::greeted:
      if (frame.lane != Lane::control) break;
      if (frame.kind == FrameKind::ready) {
        link->confirmed(shared_from_this());
        return {};
      }
      if (frame.kind == FrameKind::refusal) {
        link->refused(shared_from_this(), parse_refusal(frame.payload));
        return {};
      }
      break;
    case Phase::up:
      return link->take(shared_from_this(), frame);
    case Phase::over:
      return {};
  }
  return frame_malformed("something else than ready after a hello");
}

Result<void> MeshConnection::take_hello(const Frame& frame) {
  if (frame.kind != FrameKind::hello || frame.lane != Lane::control)
    return invalid_argument("PEER_NOT_A_NODE", "what connected does not begin with a hello");
  TROUPE_TRY(hello, parse_hello(frame.payload));
  core->no_stranger(this);
  const auto agreed = core->judge(hello, proven());
  const auto found = agreed ? core->find(hello.node()) : nullptr;
  if (!found) {
    phase = Phase::over;
    refuse(hello.node(),
           agreed ? permission_denied("PEER_UNKNOWN", core->options.node + " knows of no node " +
                                                          hello.node() +
                                                          "; name it in the manifest of both")
                  : agreed.error());
    return {};
  }
  version = agreed->version;
  link = found;
  link->greeted(shared_from_this(), hello);
  return {};
}

Result<void> MeshConnection::take_answer(const Frame& frame) {
  if (frame.lane == Lane::control && frame.kind == FrameKind::refusal) {
    link->refused(shared_from_this(), parse_refusal(frame.payload));
    return {};
  }
  if (frame.kind != FrameKind::hello || frame.lane != Lane::control)
    return invalid_argument("PEER_NOT_A_NODE", "what was reached at " + remote.to_string() +
                                                   " does not answer with a hello");
  TROUPE_TRY(hello, parse_hello(frame.payload));
  Result<void> fits;
  if (const auto agreed = core->judge(hello, proven()); !agreed) {
    fits = agreed.error();
  } else if (hello.node() != link->node()) {
    fits = failed_precondition("PEER_MISTAKEN", core->options.node + " looked for " + link->node() +
                                                    " at " + remote.to_string() + " and found " +
                                                    hello.node() + "; correct the address");
  } else if (hello.dial() != dial) {
    return frame_malformed("an answer to another hello");
  } else {
    version = agreed->version;
    link->answered(shared_from_this(), hello);
    return {};
  }
  send(FrameKind::refusal, refusal_bytes(fits.error()));
  stream->close();
  link->closed(shared_from_this(), fits.error());
  return {};
}

void MeshConnection::give_back(Lane lane, std::size_t bytes) {
  link->give_back(shared_from_this(), lane, bytes);
}

void MeshConnection::reply(std::uint64_t call, Result<std::string> reply, std::size_t credit) {
  link->reply(shared_from_this(), call, std::move(reply), credit);
}

}  // namespace troupe::cluster

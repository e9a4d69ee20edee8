#include "cluster/mesh/messages.hpp"

#include <cstdlib>

#include "cluster/mesh/incoming_ticket.hpp"
#include "cluster/mesh/mesh_link.hpp"

namespace troupe::cluster {

Credit& Credit::operator=(Credit&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  connection_ = std::move(other.connection_);
  lane_ = other.lane_;
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void Credit::give_back() {
  const auto bytes = release();
  if (bytes == 0) return;
  if (const auto connection = connection_.lock()) connection->give_back(lane_, bytes);
}

IncomingCall::Ticket::~Ticket() {
  if (!answered)
    answer(unavailable("CALL_DROPPED", "node " + node +
                                           " dropped the call without an answer; whether it took "
                                           "effect is unknown"));
}

void IncomingCall::Ticket::answer(Result<std::string> reply) {
  if (answered.exchange(true)) std::abort();
  if (const auto to = connection.lock()) to->reply(id, std::move(reply), credit.release());
}

const std::string& IncomingCall::from() const {
  return ticket_->from;
}

std::string& IncomingCall::bytes() const {
  return ticket_->bytes;
}

MonotonicTime IncomingCall::deadline() const {
  return ticket_->deadline;
}

bool IncomingCall::begin() const {
  const auto core = ticket_->core.lock();
  if (!core) return false;  // the mesh is gone
  if (ticket_->deadline > core->now()) return true;
  if (const auto link = ticket_->link.lock()) link->count_late();
  answer(deadline_exceeded("CALL_LATE", "the call's time was over before node " + ticket_->node +
                                            " ran it; it did not run"));
  return false;
}

void IncomingCall::answer(Result<std::string> reply) const {
  ticket_->answer(std::move(reply));
}

}  // namespace troupe::cluster

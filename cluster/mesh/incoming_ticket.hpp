// What the copies of one IncomingCall share.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "cluster/mesh/connection.hpp"
#include "cluster/mesh/messages.hpp"

namespace troupe::cluster {

struct IncomingCall::Ticket {
  std::weak_ptr<MeshCore> core;
  std::weak_ptr<MeshLink> link;  // only while there is a core
  std::weak_ptr<MeshConnection> connection;
  std::uint64_t id = 0;
  std::string node;  // ours
  std::string from;
  std::string bytes;
  MonotonicTime deadline = MonotonicTime::max();
  Credit credit;
  std::atomic<bool> answered{false};

  Ticket() = default;
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  ~Ticket();
  void answer(Result<std::string> reply);
};

}  // namespace troupe::cluster

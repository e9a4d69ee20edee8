// What a frame is about: one number per subject, so that subscribers do not take each other's.
//
// Numbers go over the wire: add at the end, never renumber. Messages and calls share them.
#pragma once

#include <cstdint>

namespace troupe::cluster {

enum class FrameKind : std::uint8_t {
  // The mesh's own, lane control.
  hello = 1,
  refusal = 2,
  ready = 3,  // the dialling side takes the link
  heartbeat = 4,
  credit = 5,
  // The mesh's own, lane call.
  request = 8,
  reply = 9,

  // Subscribers'. A node that does not know one drops the message, or answers the call with
  // CALL_UNKNOWN.
  raft = 16,       // messages between replicas of groups
  command = 17,    // calls of entities
  transfer = 18,   // chunks of files
  admin = 19,      // what an operator asks of all nodes
  directory = 20,  // a node's long call to whoever keeps the directory
  backup = 21,     // steps of a backup
  test = 255,
};

}  // namespace troupe::cluster

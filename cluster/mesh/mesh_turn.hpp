// Gathers what one thread sends in one go: while a turn lives, frames wait, and at its end each
// link writes them at once. Links do it for what is sent while they take in bytes; an actor that
// has many messages to send makes one around them.
//
//   MeshTurn turn;
//   for (const auto& peer : peers) mesh.send(peer, ...);
//
// Other threads' messages do not wait. What has gathered leaves earlier when it is much. A turn
// inside another one is a part of it. Ends before the mesh does.
#pragma once

#include <memory>
#include <vector>

namespace troupe::cluster {

class MeshLink;

class MeshTurn {
 public:
  MeshTurn();
  ~MeshTurn();
  MeshTurn(const MeshTurn&) = delete;
  MeshTurn& operator=(const MeshTurn&) = delete;

  // Of this thread, or null.
  static MeshTurn* current();
  // Has something to write at the end.
  void add(const std::shared_ptr<MeshLink>& link);

 private:
  const bool outermost_;
  std::vector<std::shared_ptr<MeshLink>> links_;
};

}  // namespace troupe::cluster

#include "cluster/mesh/mesh_turn.hpp"

#include <algorithm>

#include "cluster/mesh/mesh_link.hpp"

namespace troupe::cluster {
namespace {

thread_local MeshTurn* turn_of_thread = nullptr;

}  // namespace

MeshTurn::MeshTurn() : outermost_{turn_of_thread == nullptr} {
  if (outermost_) turn_of_thread = this;
}

MeshTurn::~MeshTurn() {
  if (!outermost_) return;
  // What is sent while the links write leaves by itself.
  turn_of_thread = nullptr;
  for (const auto& link : links_) link->write_out();
}

MeshTurn* MeshTurn::current() {
  return turn_of_thread;
}

void MeshTurn::add(const std::shared_ptr<MeshLink>& link) {
  if (std::ranges::find(links_, link) == links_.end()) links_.push_back(link);
}

}  // namespace troupe::cluster

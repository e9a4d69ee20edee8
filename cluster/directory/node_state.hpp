// How the state of a node is called. For nodes and for the command line, which links nothing of
// them.
#pragma once

#include <string>

#include "cluster/directory/table.pb.h"

namespace troupe::cluster {

// For people, with what restricts it: "up", "draining", "joining", "down, draining",
// "up, cordoned".
inline std::string state_of(const DirectoryNode& node) {
  const bool up = node.state() == DirectoryNode::UP;
  std::string text = up && node.draining()                    ? "draining"
                     : up                                     ? "up"
                     : node.state() == DirectoryNode::DOWN    ? "down"
                     : node.state() == DirectoryNode::JOINING ? "joining"
                     : node.state() == DirectoryNode::REMOVED ? "removed"
                                                              : "unknown";
  if (!up && node.draining()) text += ", draining";
  if (node.cordoned() && node.state() != DirectoryNode::REMOVED) text += ", cordoned";
  return text;
}

}  // namespace troupe::cluster

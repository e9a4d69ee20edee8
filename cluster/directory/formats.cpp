#include "cluster/directory/formats.hpp"

#include "runtime/rehearsal/planted.hpp"

namespace troupe::cluster {

const DirectoryNode* who_cannot_read(const DirectoryTable& table, std::string_view format) {
  const DirectoryNode* unable = nullptr;
  int unable_ones = 0;
  int nodes = 0;
  for (const DirectoryNode& node : table.nodes()) {
    if (node.state() == DirectoryNode::REMOVED) continue;
    ++nodes;
    if (std::ranges::find(node.formats(), format) != node.formats().end()) continue;
    ++unable_ones;
    if (!unable) unable = &node;
  }
  // Planted: a majority is enough.
  if (unable && 2 * unable_ones < nodes && TROUPE_PLANTED(format_switched_on_early)) return nullptr;
  return unable;
}

Error not_readable(const DirectoryNode& node, const std::string& format) {
  return failed_precondition(
      "FORMAT_NOT_READABLE",
      node.state() == DirectoryNode::JOINING
          ? "node " + node.name() +
                " has not been heard of yet, and nobody knows whether it can read " + format +
                "; start it, or order this again in a moment"
          : "node " + node.name() + " cannot read " + format +
                "; every node must: run a version on it that can");
}

}  // namespace troupe::cluster

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

}  // namespace troupe::cluster

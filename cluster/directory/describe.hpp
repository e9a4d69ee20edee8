// What a node says of itself to the directory, as its manifest has it. For nodes and for the
// command line, which links nothing of them.
#pragma once

#include <string>
#include <vector>

#include "cluster/directory/table.pb.h"
#include "config/manifest.hpp"

namespace troupe::cluster {

// Of batches with a shard's range, and all that goes with it.
inline constexpr char split_format[] = "shard-split";

// `services`: full names of those of the binary. Nothing is said of what only a process knows.
inline DirectoryNode describe_node(const config::Node& node,
                                   const std::vector<std::string>& services) {
  DirectoryNode said;
  said.set_name(node.name);
  said.set_mesh(node.mesh.to_string());
  said.set_admin(node.admin.to_string());
  for (const auto& [name, value] : node.labels) {
    DirectoryLabel& label = *said.add_labels();
    label.set_name(name);
    label.set_value(value);
  }
  for (const std::string& service : services)
    if (node.hosts(service)) said.add_services(service);
  said.add_formats(split_format);
  return said;
}

}  // namespace troupe::cluster

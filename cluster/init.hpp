// The creation of a cluster: the one act that gives data folders an identity.
//
// It happens once. Every member's folder gets the cluster's id, all on one machine at once, or
// machine by machine under the same id. After that a node only starts in a folder that has it, and
// a folder that lost it does not get it back here by chance: whoever asks must know that the node
// never took part. Nodes of two clusters refuse each other by the id.
//
// Blocks. Only before nodes start.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/data_folder.hpp"
#include "config/manifest.hpp"
#include "runtime/platform/disk.hpp"
#include "runtime/result.hpp"

namespace troupe::cluster {

// A node of the manifest and what its folder says now.
struct Member {
  std::string node;
  std::string folder;
  Result<std::optional<FolderIdentity>> identity;  // nullopt: the folder is nobody's
};

// The folders of all nodes, as this disk has them. Changes nothing.
std::vector<Member> members(runtime::Disk& disk, const config::Manifest& manifest);

// Writes the id into the folders of these nodes of the manifest: founders when the cluster is
// created, replacements for nodes that have run before and lost their folders, joiners for nodes
// that a cluster that runs has admitted. All or none: every
// folder is looked at before the first is written, and what was written is taken back if a later
// one fails. Errors: NODE_UNKNOWN, RESTORED_CLUSTER, NOBODY_ELSE, FOLDER_TAKEN,
// FOLDER_UNIDENTIFIED, FOLDER_IN_USE, and the disk's.
Result<void> create_cluster(runtime::Disk& disk, const config::Manifest& manifest,
                            const std::vector<std::string>& nodes, const std::string& cluster_id,
                            Membership membership = Membership::founder);

}  // namespace troupe::cluster

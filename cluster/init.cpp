#include "cluster/init.hpp"

#include "cluster/cluster_id.hpp"

namespace troupe::cluster {

std::vector<Member> members(runtime::Disk& disk, const config::Manifest& manifest) {
  std::vector<Member> found;
  for (const config::Node& node : manifest.nodes)
    found.push_back({node.name, node.data, DataFolder::look(disk, node.data)});
  return found;
}

Result<void> create_cluster(runtime::Disk& disk, const config::Manifest& manifest,
                            const std::vector<std::string>& nodes, const std::string& cluster_id,
                            Membership membership) {
  std::vector<const config::Node*> chosen;
  for (const std::string& name : nodes) {
    const config::Node* node = manifest.find_node(name);
    if (!node)
      return invalid_argument("NODE_UNKNOWN",
                              "the manifest has no node '" + name + "'; add it under [[nodes]]");
    chosen.push_back(node);
  }
  if (membership == Membership::founder && is_restored_cluster_id(cluster_id))
    return failed_precondition(
        "RESTORED_CLUSTER", "the cluster " + cluster_id +
                                " was made from a backup, with which all its nodes begin: run "
                                "'troupe restore' with the backup and --id, or 'troupe init' with "
                                "--replace or --join");
  if (membership == Membership::replacement && manifest.nodes.size() == 1)
    return failed_precondition(
        "NOBODY_ELSE",
        "the manifest has no other node from which a replacement could get the "
        "data of " +
            manifest.nodes.front().name +
            ": name the cluster's other nodes, begin with a backup ('troupe "
            "restore'), or anew, with nothing ('troupe init')");
  for (const config::Node* node : chosen) TROUPE_CHECK(DataFolder::check_free(disk, node->data));
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    auto made = DataFolder::create(
        disk, chosen[i]->data, {manifest.cluster.name, cluster_id, chosen[i]->name, membership});
    if (made) continue;
    for (std::size_t written = 0; written < i; ++written)
      TROUPE_CHECK(disk.remove(chosen[written]->data + "/node.txt"));
    return made;
  }
  return {};
}

}  // namespace troupe::cluster

#include "simulations/models/cluster_manifest.hpp"

namespace troupe::simulations {

ClusterShape draw_cluster_shape(RandomStream random) {
  if (random.between(0, 3) > 0) return {};
  return {5, random.between(0, 1) == 0 ? 3U : 5U};
}

std::vector<std::string> node_names(const ClusterShape& shape) {
  std::vector<std::string> names;
  for (unsigned i = 1; i <= shape.nodes; ++i) names.push_back('n' + std::to_string(i));
  return names;
}

std::string cluster_manifest(const ClusterShape& shape, RandomStream random) {
  // No file is read in a world.
  std::string text =
      "[cluster]\nname = \"rehearsal\"\n\n[cluster.tls]\nauthority = \"/authority.pem\"\n"
      "certificate = \"/{node}.pem\"\nkey = \"/{node}.key\"\n";
  const auto nodes = node_names(shape);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::string& node = nodes[i];
    text += "\n[[nodes]]\nname = \"" + node + "\"\nmesh = \"" + node + ":7400\"\ngateway = \"" +
            node + ":8080\"\nadmin = \"" + node +
            ":7480\"\ndata = \"/data\"\nservices = [\"banking.v1.Accounts\"]\n";
    if (!shape.zones.empty()) text += "labels = { zone = \"" + shape.zones.at(i) + "\" }\n";
  }
  if (shape.repair_after > Duration{0})
    text += "\n[balancer]\nrepair_after = \"" +
            std::to_string(shape.repair_after / std::chrono::milliseconds{1}) + "ms\"\n";
  const std::string shards = shape.shards == 0 ? "" : "\nshards = " + std::to_string(shape.shards);
  // A key that is set aside when all is healed comes back while the run waits for it.
  return text + "\n[service_defaults]\nreplication_factor = " + std::to_string(shape.replicas) +
         shards + "\n\n[service_defaults.quarantine]\nbackoff_max = \"10s\"\n\n[storage]\n" +
         "checkpoint_entries = " + std::to_string(random.between(100, 300)) + '\n';
}

}  // namespace troupe::simulations

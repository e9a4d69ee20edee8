#include "cluster/replication/placement.hpp"

#include <algorithm>

#include "runtime/storage/checksum.hpp"

namespace troupe::cluster {

std::vector<RaftVoter> first_voters(runtime::GroupId group, const std::vector<std::string>& nodes) {
  std::vector<RaftVoter> voters;
  for (const std::string& node : nodes) {
    // Positive as a signed number, too, and not 0.
    const std::uint64_t id =
        runtime::checksum_of_numbers(group, 0, runtime::checksum(node)) & ~(1ull << 63);
    voters.push_back({std::max<std::uint64_t>(id, 1), node});
  }
  return voters;
}

std::vector<std::string> nodes_of_shard(const std::vector<std::string>& nodes, std::uint32_t shard,
                                        std::uint32_t factor) {
  std::vector<std::string> chosen;
  for (std::size_t i = 0; i < std::min<std::size_t>(factor, nodes.size()); ++i)
    chosen.push_back(nodes[(shard + i) % nodes.size()]);
  return chosen;
}

}  // namespace troupe::cluster

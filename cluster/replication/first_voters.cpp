#include "cluster/replication/first_voters.hpp"

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

}  // namespace troupe::cluster

#include "cluster/replication/raft_members.hpp"

#include "cluster/replication/engine/configuration.h"

namespace troupe::cluster {

runtime::SharedBytes encode_members(const std::vector<RaftMember>& members) {
  std::vector<ConfigurationServer> servers;
  servers.reserve(members.size());
  for (const RaftMember& one : members)
    servers.push_back(
        {one.replica,
         static_cast<std::uint8_t>(one.voter ? CONFIGURATION_VOTER : CONFIGURATION_STANDBY),
         one.node.c_str()});
  const int n = static_cast<int>(servers.size());
  std::string bytes(configuration_encode(servers.data(), n, nullptr, 0), '\0');
  if (bytes.empty()) return nullptr;
  configuration_encode(servers.data(), n, bytes.data(), bytes.size());
  return std::make_shared<const std::string>(std::move(bytes));
}

std::vector<RaftMember> decode_members(const std::string& bytes) {
  ConfigurationServer servers[CONFIGURATION_SERVERS_MAX];
  const int n = configuration_decode(bytes.data(), bytes.size(), servers);
  std::vector<RaftMember> members;
  for (int i = 0; i < n; ++i)
    members.push_back(
        {servers[i].replica, servers[i].address, servers[i].role == CONFIGURATION_VOTER});
  return members;
}

}  // namespace troupe::cluster

// What the directory says to orders that it does not carry out. Pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "cluster/directory/table.hpp"
#include "runtime/result.hpp"

namespace troupe::cluster {

inline Error outdated(const std::string& what, std::uint64_t version, std::uint64_t based_on) {
  return failed_precondition("DIRECTORY_CHANGED",
                             what + " changed in version " + std::to_string(version) +
                                 ", the order is based on " + std::to_string(based_on));
}

inline Error shard_unknown(const std::string& what) {
  return not_found("SHARD_UNKNOWN", "the cluster has no " + what +
                                        "; 'troupe directory --shards' shows those that it has");
}

inline Error control_unsuitable(const std::string& why) {
  return failed_precondition("CONTROL_UNSUITABLE", why);
}

inline Error foreign(const DirectoryTable& own, const DirectoryTable& wanted) {
  return failed_precondition("DIRECTORY_FOREIGN", "the directory is of the cluster " +
                                                      own.cluster_id() + ", the table of " +
                                                      wanted.cluster_id());
}

inline Error still_needed(const DirectoryTable& table, const DirectoryNode& node) {
  return failed_precondition(
      "NODE_STILL_NEEDED",
      "node " + node.name() +
          (node.control()
               ? " keeps the directory; let another one do that: troupe control replace " +
                     node.name() + " --by NODE"
           : has_places(table, node.name())
               ? " holds replicas; drain it first, or wait until they have been replaced"
               : " is up; drain it first, or stop it"));
}

}  // namespace troupe::cluster

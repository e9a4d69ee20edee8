// The nodes that keep the directory, and how that set may change. Pure functions, for whoever keeps
// it: it alone knows both the wish, which is in the table, and the members of the directory's
// group.
//
// The group follows the wish as any other does (replication/raft_members.hpp). What is checked here
// is that an order does not bring it to where it cannot go on: one change after the other, and at
// each step more than half of the voters are up.
#pragma once

#include <string>
#include <vector>

#include "cluster/directory/table.hpp"
#include "runtime/result.hpp"

namespace troupe::cluster {

// By the committed configuration of the directory's group.
struct ControlGroup {
  struct Member {
    std::string node;
    bool voter = false;  // else it catches up
  };
  std::vector<Member> members;
  std::string leader;  // node
};

ControlReport control_report(const DirectoryTable& table, const ControlGroup& group);

// DIRECTORY_NODE_UNKNOWN: who is to come is no node of the cluster. CONTROL_UNSUITABLE: it is not
// up or nothing is to come to it; it keeps the directory already; who is to go does not; none or
// more than five would be left. CONTROL_CHANGING: the change before is not done. CONTROL_MAJORITY:
// no more than half of the voters would be up.
Result<void> check_control_change(const DirectoryTable& table, const ControlReport& now,
                                  const ControlChange& change);

// What would be better than the nodes that will keep the directory then; empty: nothing.
std::string control_advice(const DirectoryTable& table, const ControlChange& change);

}  // namespace troupe::cluster

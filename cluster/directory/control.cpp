#include "cluster/directory/control.hpp"

#include <algorithm>
#include <set>

namespace troupe::cluster {
namespace {

constexpr std::size_t keepers_max = 5;  // voters of a group

using Names = std::set<std::string>;

std::string listed(const Names& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

bool is_up(const DirectoryTable& table, const std::string& node) {
  const DirectoryNode* known = find_node(table, node);
  return known && known->state() == DirectoryNode::UP;
}

Error unsuitable(const std::string& why) {
  return failed_precondition("CONTROL_UNSUITABLE", why);
}

// The nodes that are to keep the directory after the change.
Names wished_after(const DirectoryTable& table, const ControlChange& change) {
  const auto now = control_nodes(table);
  Names after{now.begin(), now.end()};
  after.erase(change.remove());
  if (!change.add().empty()) after.insert(change.add());
  return after;
}

Result<void> may_come(const DirectoryTable& table, const std::string& name) {
  const DirectoryNode* node = find_node(table, name);
  if (!node || node->state() == DirectoryNode::REMOVED)
    return not_found("DIRECTORY_NODE_UNKNOWN", "the cluster has no node " + name +
                                                   (node ? " any more" : "") +
                                                   "; 'troupe directory' shows those that it has");
  if (node->control()) return unsuitable("node " + name + " keeps the directory already");
  if (node->state() != DirectoryNode::UP || node->draining() || node->cordoned())
    return unsuitable("node " + name + " is " + state_of(*node) +
                      "; a node that comes to keep the directory is up, and neither draining nor "
                      "cordoned");
  return {};
}

// The change before is done: who was to come votes, who was to go is gone. Of a node that is down
// nothing is waited for, and whoever has not come yet may be called back.
Result<void> is_settled(const DirectoryTable& table, const ControlReport& now,
                        const ControlChange& change) {
  for (const auto& member : now.members()) {
    const bool leaving = !member.wished() && (member.voter() || member.catching_up());
    const bool coming = member.wished() && !member.voter() && is_up(table, member.node());
    if (!leaving && !(coming && member.node() != change.remove())) continue;
    return failed_precondition(
        "CONTROL_CHANGING",
        "the last change of the nodes that keep the directory is not done: " + member.node() +
            (leaving ? " is still to leave its group"
                     : " is still to come into its group, and may be called "
                       "back with 'troupe control remove " +
                           member.node() + "'") +
            "; 'troupe control' shows it. Order it again when that is over");
  }
  return {};
}

Result<void> has_majority(const DirectoryTable& table, const Names& voters, const char* when) {
  const auto up = static_cast<std::size_t>(
      std::ranges::count_if(voters, [&](const std::string& node) { return is_up(table, node); }));
  if (2 * up > voters.size()) return {};
  return failed_precondition("CONTROL_MAJORITY",
                             std::string{when} + " " + listed(voters) +
                                 " would keep the directory, of which " + std::to_string(up) +
                                 " are up: that is no majority, and nothing could be changed any "
                                 "more. Start those that are down, or let others come first");
}

}  // namespace

ControlReport control_report(const DirectoryTable& table, const ControlGroup& group) {
  const auto wished = control_nodes(table);
  Names names{wished.begin(), wished.end()};
  for (const auto& member : group.members) names.insert(member.node);
  ControlReport report;
  report.set_version(table.control_version());
  for (const std::string& name : names) {
    auto& one = *report.add_members();
    one.set_node(name);
    if (const DirectoryNode* node = find_node(table, name)) one.set_state(state_of(*node));
    one.set_wished(std::ranges::find(wished, name) != wished.end());
    const auto member = std::ranges::find(group.members, name, &ControlGroup::Member::node);
    if (member == group.members.end()) continue;
    one.set_voter(member->voter);
    one.set_catching_up(!member->voter);
    one.set_leader(name == group.leader);
  }
  report.set_advice(control_advice(table, {}));
  return report;
}

Result<void> check_control_change(const DirectoryTable& table, const ControlReport& now,
                                  const ControlChange& change) {
  if (change.add().empty() && change.remove().empty()) return {};
  if (!change.add().empty()) TROUPE_CHECK(may_come(table, change.add()));
  const auto keep = control_nodes(table);
  if (!change.remove().empty() && std::ranges::find(keep, change.remove()) == keep.end())
    return unsuitable("node " + change.remove() + " does not keep the directory; " +
                      listed({keep.begin(), keep.end()}) + " do");
  TROUPE_CHECK(is_settled(table, now, change));
  const Names after = wished_after(table, change);
  if (after.empty())
    return unsuitable("node " + change.remove() +
                      " is the last that keeps the directory; put another in its place: troupe "
                      "control replace " +
                      change.remove() + " --by NODE");
  if (after.size() > keepers_max)
    return unsuitable(
        "five nodes keep the directory already, and more do not; put the node in "
        "the place of one: troupe control replace NODE --by " +
        change.add());
  Names voters;
  for (const auto& member : now.members())
    if (member.voter()) voters.insert(member.node());
  if (!change.add().empty()) {
    voters.insert(change.add());
    // One that is up goes when the new one votes, one that is down before it comes.
    if (change.remove().empty() || is_up(table, change.remove()))
      TROUPE_CHECK(has_majority(table, voters, "for a while"));
  }
  voters.erase(change.remove());
  return has_majority(table, voters, "then");
}

std::string control_advice(const DirectoryTable& table, const ControlChange& change) {
  const std::size_t after = wished_after(table, change).size();
  const auto members = std::ranges::count_if(table.nodes(), [](const DirectoryNode& node) {
    return node.state() != DirectoryNode::REMOVED;
  });
  if (after == 1 && members >= 3)
    return "one node alone keeps the directory: without it nothing moves and no order is carried "
           "out. Three are better";
  if (after % 2 == 0)
    return std::to_string(after) +
           " nodes that keep the directory survive the loss of no more of "
           "them than " +
           std::to_string(after - 1) + " do: an odd number is better";
  return {};
}

}  // namespace troupe::cluster

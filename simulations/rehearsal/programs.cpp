#include "simulations/rehearsal/programs.hpp"

#include <algorithm>
#include <utility>

#include "cluster/directory/formats.hpp"
#include "cluster/directory/service.hpp"
#include "runtime/wire/batch.pb.h"

namespace troupe::simulations {

namespace {

std::string listed(const std::set<std::string>& formats) {
  std::string text;
  for (const auto& one : formats) text += (text.empty() ? "" : ", ") + one;
  return text.empty() ? "none" : text;
}

}  // namespace

void Programs::say(const std::string& what) {
  if (!std::exchange(said_, true)) wrong_(what);
}

bool Programs::can_read(const std::string& node, const std::string& format) const {
  const auto found = reads_.find(node);
  return found != reads_.end() && found->second.contains(format);
}

bool Programs::is_refused(const std::string& node) const {
  return std::ranges::any_of(on_, [&](const auto& format) { return !can_read(node, format); });
}

void Programs::handed(const std::string& node, runtime::GroupId group,
                      const runtime::SharedBytes& payload) {
  if (!payload || payload->empty()) return;
  wire::Batch batch;
  if (!batch.ParseFromString(*payload)) return;
  for (const wire::Row& row : batch.rows()) {
    if (group == cluster::directory_group) {
      wire::EntityState state;
      cluster::DirectoryTable table;
      if (row.kind() == wire::Row::STATE && state.ParseFromString(row.value()) &&
          table.ParseFromString(state.state()))
        look(table);
    } else if (row.kind() == wire::Row::RANGE) {
      const std::string format = cluster::split_format;
      if (!on_.contains(format))
        say("node " + node + " was handed an entry of the format " + format +
            ", which is not switched on");
      else if (!can_read(node, format))
        say("node " + node + " was handed an entry of the format " + format +
            ", which its program cannot read");
    }
  }
}

// Entries come again after restarts: the newest table counts.
void Programs::look(const cluster::DirectoryTable& table) {
  if (table.version() <= version_) return;
  version_ = table.version();
  for (const auto& format : table.formats()) {
    const bool fresh = on_.insert(format.name()).second;
    for (const auto& node : table.nodes()) {
      if (node.state() == cluster::DirectoryNode::REMOVED) continue;
      const std::set<std::string> told{node.formats().begin(), node.formats().end()};
      if (!told.contains(format.name()))
        say("the format " + format.name() + " is switched on, and node " + node.name() +
            " of the cluster says that it reads " + listed(told));
      else if (fresh && !can_read(node.name(), format.name()))
        say("the format " + format.name() + " was switched on while the program of node " +
            node.name() + " could not read it");
    }
  }
}

}  // namespace troupe::simulations

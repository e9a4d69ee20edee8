// `troupe tree`: supervisors and the actors under them.
#include "cluster/admin.pb.h"
#include "cluster/cli/command/ask.hpp"
#include "cluster/cli/command/human.hpp"
#include "cluster/cli/command/table.hpp"

namespace troupe::cluster {
namespace {

struct Branches {
  const char* middle;  // a child with siblings after it
  const char* last;
  const char* through;  // beside the children of such a child
  const char* nothing;
};
constexpr Branches box{"├─ ", "└─ ", "│  ", "   "};
constexpr Branches ascii{"+- ", "`- ", "|  ", "   "};

// `name` is how the node is called here: at the root that may be more than its own id.
void add(Table& table, const Branches& branches, const std::string& name, const std::string& indent,
         const TreeNode& node) {
  table.add({name,
             {node.state(), tint_of_state(node.state())},
             node.restarts() == 0 ? Cell{""} : Cell{human_count(node.restarts()), Tint::warning},
             node.last_failure()});
  for (int i = 0; i < node.children_size(); ++i) {
    const bool last = i + 1 == node.children_size();
    add(table, branches, indent + (last ? branches.last : branches.middle) + node.children(i).id(),
        indent + (last ? branches.nothing : branches.through), node.children(i));
  }
}

}  // namespace

int run_tree(const CliIo& io, const AskOptions& options) {
  const auto targets = targets_of(io, options);
  if (!targets) return exit_usage;
  const auto answers = ask_all<TreeNode>(io, options, *targets, "/v1/tree");
  if (!options.json) {
    Table table{{{"ACTOR"}, {"STATE"}, {"RESTARTS", Table::Align::right}, {"LAST FAILURE"}}};
    for (const auto& [target, answer] : answers) {
      if (answer)
        add(table, io.unicode ? box : ascii, target.node.empty() ? answer->id() : target.node, "",
            *answer);
      else if (!target.node.empty())
        table.add({target.node, {"unreachable", Tint::bad}, "", ""});
    }
    if (!table.empty()) table.print(io);
  }
  return exit_status(answers);
}

}  // namespace troupe::cluster

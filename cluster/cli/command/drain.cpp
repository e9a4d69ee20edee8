// `troupe drain`: orders it, and waits until nothing is left on the node.
#include "cluster/cli/command/operate.hpp"

namespace troupe::cluster {
namespace {

std::string number_of(std::uint32_t count, const std::string& one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

std::string left_text(const LeftOnNodeReport& left) {
  std::string text = number_of(left.members(), "replica") + " and " +
                     number_of(left.leaders(), "leader") + " left";
  if (left.wished() > 0)
    text += ", " + std::to_string(left.wished()) + " still without another place";
  if (left.unknown() > 0) text += ", " + number_of(left.unknown(), "shard") + " not known yet";
  return text;
}

bool is_nothing(const LeftOnNodeReport& left) {
  return left.wished() + left.members() + left.leaders() + left.unknown() == 0;
}

// `version`: of the table in which it is draining.
int wait_until_empty(const CliIo& io, const OperateOptions& options, const Targets& targets,
                     std::uint64_t version) {
  DirectoryOrder order;
  DirectoryQuestion& question = *order.mutable_question();
  question.set_left_on(options.node);
  question.set_version(version);
  Patient patient{io, targets};
  for (;;) {
    const auto outcome = patient.ask(order);
    if (!outcome) {
      *io.err << "troupe: node " << options.node << " is draining still. 'troupe drain "
              << options.node << "' goes on waiting\n";
      return exit_failed;
    }
    const LeftOnNodeReport& left = outcome->left();
    if (!left.draining()) {
      *io.err << "troupe: node " << options.node << " is not draining any more\n";
      return exit_failed;
    }
    if (is_nothing(left)) {
      if (options.ask.json)
        *io.out << to_json(*outcome) << "\n";
      else
        *io.out << "Node " << options.node
                << " has nothing left and may be stopped. To give it up for good, stop it, then "
                   "'troupe remove "
                << options.node << "'\n";
      return exit_done;
    }
    const std::string before = question.has_known() ? left_text(question.known()) : "";
    if (const std::string text = left_text(left); text != before)
      *io.err << "troupe: node " << options.node << ": " << text << "\n" << std::flush;
    *question.mutable_known() = left;
  }
}

}  // namespace

int run_drain(const CliIo& io, const OperateOptions& options, const Targets& targets) {
  DirectoryOrder order;
  order.mutable_drain()->set_node(options.node);
  order.mutable_drain()->set_cancel(options.cancel);
  order.set_why(options.why);
  const auto ordered = order_cluster(io, targets, order);
  if (!ordered) return exit_failed;
  if (options.cancel || options.no_wait)
    return print_done(io, options, *ordered,
                      "Node " + options.node + (options.cancel ? " is not" : " is") + " draining" +
                          (options.cancel ? " any more" : ""));
  *io.err << "troupe: node " << options.node << " is draining; Ctrl-C leaves it so\n" << std::flush;
  return wait_until_empty(io, options, targets, ordered->version());
}

}  // namespace troupe::cluster

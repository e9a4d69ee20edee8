// `troupe control`: which nodes keep the directory.
#include "cluster/cli/command/operate.hpp"
#include "cluster/cli/command/table.hpp"

namespace troupe::cluster {
namespace {

bool settled(const ControlReport& report) {
  for (const auto& member : report.members()) {
    if (member.wished() ? !member.voter() && !member.state().starts_with("down")
                        : member.voter() || member.catching_up())
      return false;
  }
  return true;
}

std::string part_of(const ControlReport::Member& member) {
  if (!member.wished()) return "leaving";
  if (member.leader()) return "leader";
  if (member.voter()) return "follower";
  return member.catching_up() ? "catching up" : "absent";
}

void print_advice(const CliIo& io, const ControlReport& report) {
  if (!report.advice().empty()) *io.err << "troupe: " << harmless(report.advice()) << "\n";
}

int print_control(const CliIo& io, const OperateOptions& options, const ControlReport& report) {
  if (options.ask.json) {
    *io.out << to_json(report) << "\n";
    return exit_done;
  }
  Table members{{{"NODE"}, {"STATE"}, {"ROLE"}}};
  for (const auto& member : report.members()) {
    const std::string part = part_of(member);
    const bool good = part == "leader" || part == "follower";
    members.add({{member.node(), Tint::strong},
                 {member.state(), member.state() == "up" ? Tint::good : Tint::warning},
                 {part, good ? Tint::none : Tint::warning}});
  }
  members.print(io);
  print_advice(io, report);
  return exit_done;
}

// Until the group is as the table wishes it, of this version or a later one.
bool wait_until_done(const CliIo& io, const Targets& targets, std::uint64_t version) {
  DirectoryOrder order;
  DirectoryQuestion& question = *order.mutable_question();
  question.mutable_control();
  question.set_version(version);
  Patient patient{io, targets};
  std::string told;
  for (;;) {
    const auto outcome = patient.ask(order);
    if (!outcome) return false;
    const ControlReport& report = outcome->control();
    if (settled(report)) return true;
    std::string text;
    for (const auto& member : report.members())
      text += (text.empty() ? "" : ", ") + member.node() + " " + part_of(member);
    if (text != told) *io.err << "troupe: " << harmless(text) << "\n" << std::flush;
    told = text;
    *question.mutable_known_control() = report;
  }
}

std::string what_is_done(const OperateOptions& options) {
  if (options.from.empty()) return "Node " + options.to + " keeps the directory";
  if (options.to.empty()) return "Node " + options.from + " does not keep the directory any more";
  return "Node " + options.to + " keeps the directory instead of " + options.from;
}

}  // namespace

int run_control(const CliIo& io, const OperateOptions& options, const Targets& targets) {
  DirectoryOrder order;
  order.mutable_control()->set_add(options.to);
  order.mutable_control()->set_remove(options.from);
  order.set_why(options.why);
  if (!options.from.empty() && options.from == options.to) {
    *io.err << "troupe: a node does not replace itself: name another with --by\n";
    return exit_usage;
  }
  const auto outcome = order_cluster(io, targets, order);
  if (!outcome) return exit_failed;
  if (options.from.empty() && options.to.empty())
    return print_control(io, options, outcome->control());
  if (!options.no_wait && !wait_until_done(io, targets, outcome->version())) {
    *io.err
        << "troupe: it is ordered, and goes on by itself when a majority of the nodes that keep "
           "the directory is up; 'troupe control show' shows it\n";
    return exit_failed;
  }
  const int status =
      print_done(io, options, *outcome,
                 options.no_wait ? "Ordered; 'troupe control show' shows what becomes of it"
                                 : what_is_done(options));
  print_advice(io, outcome->control());
  return status;
}

}  // namespace troupe::cluster

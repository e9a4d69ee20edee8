// `troupe formats`: what the cluster writes that older programs cannot read.
#include <algorithm>
#include <istream>
#include <map>

#include "cluster/cli/command/operate.hpp"
#include "cluster/cli/command/report.pb.h"
#include "cluster/cli/command/table.hpp"
#include "cluster/directory/formats.hpp"

namespace troupe::cluster {
namespace {

FormatReport format_report(const DirectoryTable& table) {
  std::map<std::string, FormatReport::Format> formats;
  const auto named = [&](const std::string& name) -> FormatReport::Format& {
    formats[name].set_name(name);
    return formats[name];
  };
  for (const auto& format : table.formats()) named(format.name()).set_on(true);
  for (const auto& node : table.nodes())
    for (const auto& format : node.formats()) named(format);
  FormatReport report;
  for (auto& [name, format] : formats) {
    for (const auto& node : table.nodes())
      if (node.state() != DirectoryNode::REMOVED &&
          std::ranges::find(node.formats(), name) == node.formats().end())
        format.add_unreadable_on(node.name());
    *report.add_formats() = format;
  }
  return report;
}

void print_formats(const CliIo& io, const FormatReport& report) {
  if (report.formats_size() == 0) {
    *io.out << "The cluster uses the first version of everything, and its nodes read no other.\n";
    return;
  }
  Table table{{{"FORMAT"}, {"STATE"}, {"NODES THAT CANNOT READ IT"}}};
  for (const auto& format : report.formats()) {
    std::string nodes;
    for (const auto& node : format.unreadable_on())
      nodes += (nodes.empty() ? "" : ", ") + harmless(node);
    table.add({{harmless(format.name()), Tint::strong},
               format.on()                      ? Cell{"on", Tint::good}
               : format.unreadable_on().empty() ? Cell{"can be switched on", Tint::warning}
                                                : Cell{"not yet", Tint::faint},
               nodes});
  }
  table.print(io);
}

int switch_on(const CliIo& io, const OperateOptions& options, const Targets& targets) {
  std::string typed = options.yes;
  if (typed.empty()) {
    *io.err << "From then on no node can run a program that does not read "
            << harmless(options.format) << ", for ever. Type its name to do it: " << std::flush;
    if (io.in) std::getline(*io.in, typed);
  }
  if (typed != options.format) {
    *io.err << "troupe: not confirmed: that is not the format's name (--yes NAME says it in a "
               "script). Nothing was changed\n";
    return options.yes.empty() ? exit_failed : exit_usage;
  }
  DirectoryOrder order;
  order.mutable_switch_on()->set_format(options.format);
  order.set_why(options.why);
  const auto outcome = order_cluster(io, targets, order);
  if (!outcome) return exit_failed;
  *io.out << (options.ask.json ? to_json(*outcome)
                               : "Format " + options.format + " is used from now on (version " +
                                     std::to_string(outcome->version()) + ")")
          << "\n";
  return exit_done;
}

}  // namespace

int run_formats(const CliIo& io, const OperateOptions& options, const Targets& targets) {
  if (!options.format.empty()) return switch_on(io, options, targets);
  for (const Target& target : targets.targets) {
    DirectoryView view;
    const auto asked = ask_node(target.address, "/v1/directory", targets.timeout, view);
    if (!asked) {
      complain(io, target, asked.error());
      continue;
    }
    const FormatReport report = format_report(view.table());
    if (options.ask.json)
      *io.out << to_json(report) << "\n";
    else
      print_formats(io, report);
    return exit_done;
  }
  return exit_failed;
}

}  // namespace troupe::cluster

// `troupe status`: nodes, their services and their logs.
#include <sstream>
#include <thread>

#include "cluster/admin.pb.h"
#include "cluster/cli/command/ask.hpp"
#include "cluster/cli/command/human.hpp"
#include "cluster/cli/command/table.hpp"

namespace troupe::cluster {
namespace {

using Answers = std::vector<Answered<NodeStatus>>;
constexpr auto right = Table::Align::right;

std::string or_none(const std::string& text) {
  return text.empty() ? "none" : text;
}

void print_nodes(const CliIo& io, const Answers& answers) {
  Table table{{{"NODE"},
               {"CLUSTER"},
               {"STATE"},
               {"UPTIME", right},
               {"MEMORY", right},
               {"GATEWAY"},
               {"GRPC", Table::Align::left, true},
               {"ADMIN"},
               {"VERSION"}}};
  for (const auto& [target, answer] : answers) {
    if (!answer) {
      if (!target.node.empty())
        table.add({{target.node, Tint::strong},
                   "",
                   {"unreachable", Tint::bad},
                   "",
                   "",
                   "",
                   "",
                   target.address.host.empty() ? "" : target.address.to_string(),
                   ""});
      continue;
    }
    table.add({{answer->node(), Tint::strong},
               answer->cluster(),
               {answer->state(), tint_of_state(answer->state())},
               human_seconds(answer->uptime_seconds()),
               human_bytes(answer->memory_bytes()),
               or_none(answer->gateway()),
               answer->grpc(),
               answer->admin(),
               answer->version()});
  }
  if (!table.empty()) table.print(io);
}

void print_services(const CliIo& io, const Answers& answers) {
  Table table{{{"SERVICE"},
               {"NODE"},
               {"KIND"},
               {"SHARDS", right},
               {"SERVING", right},
               {"STORED", right},
               {"RESIDENT", right},
               {"COMMANDS", right},
               {"READS", right},
               {"ERRORS", right}}};
  for (const auto& [target, answer] : answers) {
    if (!answer) continue;
    for (const auto& service : answer->services())
      table.add({{service.service(), Tint::strong},
                 answer->node(),
                 service.kind(),
                 std::to_string(service.shards()),
                 {std::to_string(service.serving()),
                  service.serving() == service.shards() ? Tint::none : Tint::warning},
                 human_count(service.entities_stored()),
                 human_count(service.entities_resident()),
                 human_count(service.commands()),
                 human_count(service.reads()),
                 human_count(service.errors())});
  }
  if (table.empty()) return;
  *io.out << "\n";
  table.print(io);
}

void print_logs(const CliIo& io, const Answers& answers) {
  Table table{{{"LOG OF"},
               {"COMMITS", right},
               {"ENTRIES", right},
               {"FILES", right},
               {"SIZE", right},
               {"DISK"}}};
  for (const auto& [target, answer] : answers) {
    if (!answer || !answer->has_log()) continue;
    const auto& log = answer->log();
    table.add({{answer->node(), Tint::strong},
               human_count(log.commits()),
               human_count(log.entries()),
               human_count(log.segments()),
               human_bytes(log.bytes()),
               log.disk_full() ? Cell{"full", Tint::bad} : Cell{"ok", Tint::good}});
  }
  if (table.empty()) return;
  *io.out << "\n";
  table.print(io);
}

void print_problems(const CliIo& io, const Answers& answers) {
  bool first = true;
  for (const auto& [target, answer] : answers) {
    if (!answer) continue;
    for (const auto& problem : answer->problems()) {
      if (first) *io.out << "\n";
      first = false;
      *io.out << tinted("problem on " + harmless(answer->node()) + ":", Tint::bad, io.colour) << " "
              << harmless(problem) << "\n";
    }
  }
}

int ask_and_print(const CliIo& io, const AskOptions& options, const Targets& targets) {
  const Answers answers = ask_all<NodeStatus>(io, options, targets, "/v1/status");
  if (!options.json) {
    print_nodes(io, answers);
    print_services(io, answers);
    print_logs(io, answers);
    print_problems(io, answers);
  }
  return exit_status(answers);
}

// Again and again, on a terminal each time in the place of the time before, until whoever reads it
// is gone.
int watch(const CliIo& io, const AskOptions& options, const Targets& targets) {
  int status = exit_done;
  while (io.out->good()) {
    std::ostringstream picture;
    CliIo painter = io;
    painter.out = &picture;
    if (io.clearable) painter.err = &picture;
    status = ask_and_print(painter, options, targets);
    // From the top left corner, then nothing of the time before.
    *io.out << (io.clearable ? "\x1b[H\x1b[2J" : "") << picture.str()
            << (io.clearable || options.json ? "" : "\n") << std::flush;
    if (io.out->good()) std::this_thread::sleep_for(targets.interval);
  }
  return status;
}

}  // namespace

int run_status(const CliIo& io, const AskOptions& options) {
  const auto targets = targets_of(io, options);
  if (!targets) return exit_usage;
  return options.watch ? watch(io, options, *targets) : ask_and_print(io, options, *targets);
}

}  // namespace troupe::cluster

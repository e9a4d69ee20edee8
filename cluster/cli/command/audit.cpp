// `troupe audit`: who did what to the cluster.
#include <unistd.h>

#include <array>
#include <ctime>

#include "cluster/cli/command/operate.hpp"
#include "cluster/cli/command/table.hpp"

namespace troupe::cluster {
namespace {

// "2026-11-26 12:30:05Z"
std::string audit_time(std::int64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm parts{};
  std::array<char, 32> text{};
  if (!gmtime_r(&seconds, &parts) ||
      std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%SZ", &parts) == 0)
    return "?";
  return text.data();
}

void print_audit(const CliIo& io, const AuditView& view) {
  Table table{{{"NUMBER", Table::Align::right}, {"TIME"}, {"WHO"}, {"AT"}, {"WHAT"}, {"WHY"}}};
  for (const auto& record : view.records())
    table.add({std::to_string(record.number()),
               audit_time(record.time_ms()),
               {record.who() == "operator" ? harmless(record.by().empty() ? "?" : record.by())
                                           : "node " + harmless(record.who()),
                Tint::strong},
               harmless(record.at()),
               harmless(record.what()),
               harmless(record.why())});
  if (!table.empty()) table.print(io);
  if (view.records_size() == 0) *io.out << "Nobody has done anything yet.\n";
  if (view.more())
    *io.out << "\nOlder ones:  troupe audit --before "
            << view.records(view.records_size() - 1).number() << "\n";
}

}  // namespace

std::string whoever_runs(const CliIo& io) {
  std::string name = io.environment("USER").value_or("");
  if (name.empty()) name = io.environment("LOGNAME").value_or("");
  if (name.empty()) name = "uid-" + std::to_string(geteuid());
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) == 0 && host[0] != '\0')
    name += "@" + std::string{host.data()};
  std::string word;  // of one line
  for (const char c : harmless(name)) word += c == ' ' ? '_' : c;
  return word;
}

void note_in_audit(const CliIo& io, const Targets& targets, const std::string& what) {
  DirectoryOrder order;
  order.mutable_note()->set_what(what);
  CliIo quiet = io;
  std::ostream nowhere{nullptr};
  quiet.err = &nowhere;
  const auto noted = order_cluster(quiet, targets, order);
  if (noted) return;
  *io.err << "troupe: the audit log could not be told: " << harmless(noted.error().message) << "\n";
}

int run_audit(const CliIo& io, const OperateOptions& options, const Targets& targets) {
  DirectoryOrder order;
  if (!options.note.empty()) {
    order.mutable_note()->set_what(options.note);
    const auto noted = order_cluster(io, targets, order);
    if (noted) *io.out << (options.ask.json ? to_json(*noted) + "\n" : "Noted.\n");
    return noted ? exit_done : exit_failed;
  }
  order.mutable_audit()->set_before(options.before);
  order.mutable_audit()->set_limit(options.limit);
  order.mutable_audit()->set_everything(options.everything);
  const auto outcome = order_cluster(io, targets, order);
  if (!outcome) return exit_failed;
  if (options.ask.json)
    *io.out << to_json(outcome->audit()) << "\n";
  else
    print_audit(io, outcome->audit());
  return exit_done;
}

}  // namespace troupe::cluster

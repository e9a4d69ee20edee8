// `troupe check`: every mistake in a manifest. The problems are the data, so they go to standard
// output.
#include "cluster/cli/command/commands.hpp"
#include "cluster/cli/command/json.hpp"
#include "cluster/cli/command/manifest_file.hpp"
#include "cluster/cli/command/report.pb.h"

namespace troupe::cluster {
namespace {

std::string summary(const config::Manifest& manifest) {
  const auto count = manifest.nodes.size();
  return "cluster " + manifest.cluster.name + ", " + std::to_string(count) +
         (count == 1 ? " node" : " nodes");
}

}  // namespace

int run_check(const CliIo& io, const CliHooks& hooks, const CheckOptions& options) {
  const ManifestFile file = read_manifest(io, options.file, hooks.services);
  if (!file.unreadable.empty()) {
    *io.err << "troupe: " << file.unreadable << "\n";
    return exit_usage;
  }
  if (options.json) {
    CheckReport report;
    report.set_file(options.file);
    report.set_ok(file.manifest.has_value());
    for (const auto& problem : file.problems) {
      auto* entry = report.add_problems();
      entry->set_line(problem.line);
      entry->set_column(problem.column);
      entry->set_path(problem.path);
      entry->set_message(problem.message);
      entry->set_hint(problem.hint);
    }
    *io.out << to_json(report) << "\n";
  } else if (file.manifest) {
    *io.out << options.file << ": " << tinted("ok", Tint::good, io.colour) << ", "
            << summary(*file.manifest) << "\n";
  } else {
    for (const auto& problem : file.problems) *io.out << harmless_lines(problem.describe()) << "\n";
    *io.err << problem_count(options.file, file.problems.size()) << "\n";
  }
  return file.manifest ? exit_done : exit_usage;
}

}  // namespace troupe::cluster

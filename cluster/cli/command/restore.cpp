// `troupe restore`: creates a cluster from a backup, once, in empty data folders.
#include <algorithm>

#include "cluster/cli/command/backup.hpp"
#include "cluster/cli/command/folders.hpp"
#include "cluster/cli/command/human.hpp"
#include "cluster/cli/command/json.hpp"
#include "cluster/cli/command/operate.hpp"
#include "cluster/cli/command/report.pb.h"

namespace troupe::cluster {
namespace {

RestoreReport report_of(const config::Manifest& manifest, const std::vector<std::string>& nodes,
                        const RestoreDone& done) {
  RestoreReport report;
  report.set_cluster(manifest.cluster.name);
  report.set_cluster_id(done.cluster_id);
  report.set_from(done.from);
  report.set_from_id(done.from_id);
  report.set_made_ms(done.made_ms);
  report.set_files(done.files);
  report.set_bytes(done.bytes);
  for (const auto& service : done.empty) report.add_empty(service);
  for (const auto& node : manifest.nodes) {
    if (std::ranges::find(nodes, node.name) == nodes.end())
      report.add_remaining(node.name);
    else
      report.add_restored(node.name);
  }
  return report;
}

void print_restore(const CliIo& io, const RestoreOptions& options, const RestoreReport& report) {
  *io.out << "Created the cluster " << report.cluster() << " (" << report.cluster_id()
          << ") from a backup of " << harmless(report.from()) << " (" << harmless(report.from_id())
          << "): " << report.files() << " files, " << human_bytes(report.bytes()) << ", for "
          << report.restored_size() << " nodes.\n";
  for (const auto& service : report.empty())
    *io.out << service << " is not in the backup and begins empty.\n";
  for (const auto& node : report.remaining())
    *io.out << "Where node " << node << " will run:  troupe restore " << options.file
            << " --from FOLDER --node " << node << " --id " << report.cluster_id() << "\n";
  *io.out << "To start:  troupe "
          << (report.remaining().empty() ? "up " + options.file
                                         : "node " + options.file + " --name NAME")
          << "\n"
          << "The old cluster must not run beside it: clients would meet two.\n";
}

}  // namespace

int run_restore(const CliIo& io, const CliHooks& hooks, const RestoreOptions& options) {
  const auto chosen = folders_to_fill(io, hooks,
                                      {"troupe restore " + options.file + " --from " + options.from,
                                       options.file, options.nodes, options.data});
  if (!chosen) return exit_usage;
  const auto& [manifest, nodes] = *chosen;
  RestoreSpec spec;
  spec.folder = options.from;
  spec.manifest = &manifest;
  spec.services = hooks.services;
  spec.nodes = nodes;
  spec.cluster_id = options.id;
  spec.by = whoever_runs(io);
  spec.tell = [&](const std::string& doing) {
    if (io.rewritable) *io.err << "\r\x1b[K" << harmless(doing) << std::flush;
  };
  const auto done = hooks.restore(std::move(spec));
  if (io.rewritable) *io.err << "\r\x1b[K" << std::flush;
  if (!done) {
    *io.err << "troupe: " << harmless_lines(done.error().describe()) << "\n";
    return done.error().code == Code::invalid_argument ? exit_usage : exit_failed;
  }
  const RestoreReport report = report_of(manifest, nodes, *done);
  if (options.json)
    *io.out << to_json(report) << "\n";
  else
    print_restore(io, options, report);
  return exit_done;
}

}  // namespace troupe::cluster

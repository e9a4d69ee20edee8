// `troupe backup`: copies every shard of a cluster that runs into a folder.
#include "cluster/cli/command/backup.hpp"

#include <chrono>
#include <thread>

#include "cluster/backup/backup_run.hpp"
#include "cluster/cli/command/human.hpp"
#include "cluster/cli/command/json.hpp"
#include "cluster/cli/command/operate.hpp"

namespace troupe::cluster {
namespace {

constexpr const char* backup_path = "/v1/backup";

std::int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Questions to whichever of the targets answers, the last one that did first.
class BackupCourier {
 public:
  explicit BackupCourier(const Targets& targets) : targets_(targets) {}

  Result<BackupSurvey> survey(const CliIo& io) {
    Error last = unavailable("NODE_UNREACHABLE", "there is no node to ask");
    for (at_ = 0; at_ < targets_.targets.size(); ++at_) {
      BackupSurvey survey;
      const auto asked =
          ask_node(targets_.targets[at_].address, backup_path, targets_.timeout, survey);
      if (asked) return survey;
      last = asked.error();
      complain(io, targets_.targets[at_], last);
    }
    return last;
  }

  // A refusal is an answer as well: it comes from the node that is to take the step.
  Result<BackupAnswer> ask(const BackupRequest& request) {
    Error last = unavailable("NODE_UNREACHABLE", "there is no node to ask");
    for (std::size_t tried = 0; tried < targets_.targets.size(); ++tried) {
      BackupAnswer answer;
      const auto asked =
          order_node(targets_.targets[at_].address, backup_path, request, targets_.timeout, answer);
      if (asked) return answer;
      last = asked.error();
      if (last.reason == "NODE_REFUSED") break;
      at_ = (at_ + 1) % targets_.targets.size();
    }
    return last;
  }

 private:
  const Targets& targets_;
  std::size_t at_ = 0;
};

// One line that is written over, on a terminal; elsewhere nothing.
void show_progress(const CliIo& io, const BackupRun& run) {
  if (!io.rewritable) return;
  const auto progress = run.progress();
  *io.err << "\r\x1b[K" << progress.files << "/" << progress.of_files << " shards, "
          << human_bytes(progress.bytes) << "  " << harmless(progress.shard) << std::flush;
}

void clear_progress(const CliIo& io) {
  if (io.rewritable) *io.err << "\r\x1b[K" << std::flush;
}

int print_backup(const CliIo& io, const BackupOptions& options, const BackupCatalogue& catalogue) {
  if (options.ask.json) {
    *io.out << to_json(catalogue) << "\n";
    return exit_done;
  }
  std::uint64_t bytes = 0;
  for (const auto& file : catalogue.files()) bytes += file.bytes();
  *io.out << "Backed up " << catalogue.files_size() << " shards of the cluster "
          << harmless(catalogue.cluster()) << " (" << harmless(catalogue.cluster_id()) << "), "
          << human_bytes(bytes) << ", into " << options.to << ".\n"
          << "Each shard is whole as of a moment between the beginning and the end of this; two "
             "shards are of different moments.\n"
          << "To make a new cluster of it:  troupe restore FILE --from " << options.to << "\n";
  return exit_done;
}

}  // namespace

int run_backup(const CliIo& io, const CliHooks& hooks, const BackupOptions& options) {
  const auto targets = targets_of(io, options.ask);
  if (!targets) return exit_usage;
  BackupCourier courier{*targets};
  const auto survey = courier.survey(io);
  if (!survey) return exit_failed;
  const auto disk = hooks.disk();
  BackupRun run{*disk, options.to, unix_ms};
  const auto give_up = [&](const Error& why) {
    clear_progress(io);
    *io.err << "troupe: " << harmless_lines(why.describe()) << "\n";
    return exit_failed;
  };
  if (const auto begun = run.begin(*survey); !begun) return give_up(begun.error());
  note_in_audit(io, *targets, "back up to " + options.to);
  while (const auto request = run.next()) {
    show_progress(io, run);
    if (run.pause() > Duration::zero()) std::this_thread::sleep_for(run.pause());
    if (const auto heard = run.heard(courier.ask(*request)); !heard) return give_up(heard.error());
  }
  clear_progress(io);
  return print_backup(io, options, run.catalogue());
}

}  // namespace troupe::cluster

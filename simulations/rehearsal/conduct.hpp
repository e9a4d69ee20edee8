// One run from its first event to its last: builds the world, drives clients and faults through it,
// heals it, and gathers everything that did not hold. Used by run() alone.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/backup.pb.h"
#include "simulations/faults/injector.hpp"
#include "simulations/rehearsal/event_table.hpp"
#include "simulations/rehearsal/hosting.hpp"
#include "simulations/rehearsal/knobs.hpp"
#include "simulations/rehearsal/losses.hpp"
#include "simulations/rehearsal/programs.hpp"
#include "simulations/rehearsal/rehearsal.hpp"
#include "simulations/rehearsal/replicas.hpp"
#include "simulations/rehearsal/restart_check.hpp"
#include "simulations/rehearsal/watcher.hpp"

namespace troupe::simulations {

class Conduct {
 public:
  // Everything but the manifest is as the options and the seed say.
  Conduct(Rehearsal::Declared declared, const RunOptions& options, config::Manifest manifest,
          const Draw& draw);
  ~Conduct();

  void run();

  World& world() { return world_; }
  const History& history() const { return history_; }
  const Injector& injector() const { return *injector_; }
  const std::vector<KnownLoss>& losses() const { return losses_; }
  // Groups that an operator let go on from one replica, and when.
  const std::map<runtime::GroupId, Duration>& alone() const { return alone_; }
  // What clients saw of the cluster that was made of a backup: before the backup, and afterwards.
  // Null: none was made.
  const History* restored() const { return restored_ ? &*restored_ : nullptr; }
  const std::vector<Failure>& failures() const { return failures_; }
  // More was lost than the replicas make up for, and no operator did: what clients were told need
  // not hold any more.
  bool promises_nothing() const;
  // Duration::max(): it did not come so far.
  Duration healed_at() const { return healed_at_; }
  const std::vector<RunEvent>& events() const { return events_; }

 private:
  struct Role {
    std::unique_ptr<Client> client;
    Rehearsal::ClientScript begin;
    std::optional<Script> running;
    bool ended() const { return running && running->done(); }
  };

  void install(const std::string& node, const std::vector<std::string>& formats);
  Operator::Tools operating_tools();
  void begin_clients();
  void tick();
  void start_nodes();
  void node_failed(Machine& machine, const Error& why);
  bool names_rotten_file(const Error& why, const std::string& node) const;
  void observe(const Operation& operation);
  void watch();

  // --- conduct_end.cpp
  void settle();            // everything that is pending ends
  void ask_every_entity();  // a fresh command each
  void run_finals(Duration limit = std::chrono::minutes{1});
  void read_what_is_left();
  void catch_up();  // all replicas
  std::optional<std::string> misplaced();
  void stop_and_inspect();

  // --- conduct_restore.cpp
  void restore_backup();
  bool everything_acknowledged_is_in(const cluster::BackupCatalogue& catalogue);
  bool start_restored(const cluster::BackupCatalogue& catalogue, RandomStream& random);
  void repeat_commands(const cluster::BackupCatalogue& catalogue, RandomStream& random);
  bool finish(Script& script, Duration limit);
  void fail(std::string check, std::string what);
  void note(const std::string& column, std::string text);

  const Rehearsal::Declared declared_;
  const RunOptions& options_;
  const config::Manifest manifest_;
  const config::Manifest founding_;                       // without latecomers
  std::map<std::string, config::Manifest> manifests_of_;  // of latecomers: with them alone
  const Duration duration_;

  HandlerFaults handler_faults_;
  const actors::ServiceRegistry services_;
  World world_;
  History history_;
  ClientSetting setting_;
  std::vector<std::unique_ptr<Hosting>> hosts_;
  std::unique_ptr<Injector> injector_;
  std::vector<std::unique_ptr<Watcher>> watchers_;
  const Voters voters_;
  const std::size_t survivable_;
  RestartCheck restarts_;
  std::vector<Role> roles_;
  std::vector<RunEvent> events_;
  std::vector<KnownLoss> losses_;
  std::map<runtime::GroupId, Duration> alone_;
  std::vector<Failure> failures_;
  std::optional<Programs> programs_;   // of several versions
  std::optional<std::string> backup_;  // a folder of the operator's
  std::optional<History> restored_;
  bool over_ = false;
  Duration healed_at_ = Duration::max();
};

}  // namespace troupe::simulations

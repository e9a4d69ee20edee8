// One run from its first event to its last: builds the world, drives clients and faults through it,
// heals it, and gathers everything that did not hold. Used by run() alone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "simulations/rehearsal/event_table.hpp"
#include "simulations/rehearsal/hosting.hpp"
#include "simulations/rehearsal/knobs.hpp"
#include "simulations/rehearsal/rehearsal.hpp"
#include "simulations/rehearsal/watcher.hpp"

namespace troupe::simulations {

class Conduct {
 public:
  // Everything but the manifest is as the options and the seed say.
  Conduct(Rehearsal::Declared declared, const RunOptions& options, config::Manifest manifest);
  ~Conduct();

  void run();

  World& world() { return world_; }
  const History& history() const { return history_; }
  const Injection& injection() const { return *injection_; }
  const std::vector<Failure>& failures() const { return failures_; }
  const std::vector<RunEvent>& events() const { return events_; }

 private:
  struct Role {
    std::unique_ptr<Client> client;
    const Rehearsal::ClientScript* script = nullptr;
    std::optional<Script> running;
    bool ended() const { return running && running->done(); }
  };

  void begin_clients();
  void tick();
  void keep_up(Hosting& host);
  bool explained(const Error& why) const;
  void observe(const Operation& operation);
  void watch();

  void settle();            // everything that is pending ends
  void ask_every_entity();  // a fresh command each
  void run_finals();
  void stop_and_inspect();
  bool finish(Script& script, Duration limit);
  void fail(std::string check, std::string what);
  void note(const std::string& column, std::string text);

  const Rehearsal::Declared declared_;
  const RunOptions& options_;
  const config::Manifest manifest_;
  const Duration duration_;

  World world_;
  History history_;
  ClientSetting setting_;
  std::vector<std::unique_ptr<Hosting>> hosts_;
  std::unique_ptr<Injection> injection_;
  std::vector<std::unique_ptr<Watcher>> watchers_;
  std::vector<Role> roles_;
  std::vector<RunEvent> events_;
  std::vector<Failure> failures_;
  std::map<std::string, std::uint32_t> crash_seen_;  // machine -> life whose crash was looked at
  std::map<std::string, Duration> start_at_;         // machine -> when its manager starts it
  RandomStream random_;                              // of the service manager
  bool over_ = false;
  bool healed_ = false;
};

}  // namespace troupe::simulations

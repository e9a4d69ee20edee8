// How a simulation is declared. One file of simulations/ holds one:
//
//   SIMULATION(ledger, "concurrent deposits and withdrawals neither lose nor double money") {
//     sim.faults(Faults::everything());
//     sim.duration(30s);
//     sim.model<AccountModel>("banking.v1.Accounts");
//     sim.clients(8, [](Client& client) -> Script {
//       while (client.running()) {
//         co_await client.call(AccountsRef{"ann"}.Deposit(euros(1)));
//         co_await client.wait(20ms);
//       }
//     });
//     sim.always("no balance is negative", [](const v1::Account& account) {
//       return account.balance().minor_units() >= 0;
//     });
//     sim.finally("the balances add up", [](Reading& read) -> Script {
//       const auto account = co_await read.call(AccountsRef{"ann"}.Get());
//       read.expect(account.ok(), "ann has an account");
//     });
//   }
//
// What is not said: one node "n1" that hosts the services with a model; knobs, faults and clients'
// choices come from the seed. Checked without being declared: checks.hpp (what clients were told),
// conduct.cpp (nodes that end by themselves, liveness, an orderly stop, the files).
//
// Scripts outlive the declaration: what they capture by reference must too, so capture by value.
// A coroutine must not be a lambda that captures and is temporary; those given here are kept.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "simulations/faults/draw.hpp"
#include "simulations/rehearsal/checks.hpp"
#include "simulations/rehearsal/client.hpp"
#include "simulations/rehearsal/operator.hpp"
#include "simulations/rehearsal/run.hpp"

namespace troupe::simulations {

// A patient client that looks at the end of a run, when all is healed and the clients have ended.
class Reading : public Client {
 public:
  using Client::Client;

  // A run in which this does not hold has failed.
  void expect(bool holds, const std::string& what) {
    if (!holds && !broken_) broken_ = what;
  }
  const std::optional<std::string>& broken() const { return broken_; }

 private:
  std::optional<std::string> broken_;
};

// A run that is over, as its clients saw it.
struct Past {
  const History& history;
  const FaultPlan& took_place;  // each at the time at which it did
  Duration healed;              // when all faults ended
  // Groups that went on without their majority, and since when; again if they did so twice.
  const std::map<runtime::GroupId, Duration>& alone;
};

class Rehearsal {
 public:
  explicit Rehearsal(std::uint64_t seed) : seed_(seed) {}

  std::uint64_t seed() const { return seed_; }
  // For what a scenario draws itself; `sequence` tells several streams apart.
  RandomStream random(std::uint64_t sequence = 0) const {
    return {seed_, Domain::scenario, 0, sequence};
  }

  // TOML text of a manifest. Keys that it gives stay; others are drawn.
  void manifest(std::string toml) { manifest_ = std::move(toml); }
  // Nodes of the manifest that are not there when the cluster is made: the operator has them
  // admitted and starts them.
  void latecomers(std::set<std::string> nodes) { latecomers_ = std::move(nodes); }
  // What a message costs the processors of each node, for who asks about loads.
  void processors(const ProcessorTimes& times) { processor_times_ = times; }
  // The formats that a node's program reads at first, if it is of an older version: the operator
  // installs others (cluster/directory/formats.hpp).
  void program_reads(const std::string& node, std::vector<std::string> formats) {
    formats_[node] = std::move(formats);
  }
  // Within so long everything that is pending ends when all is healed, the operator's work as well.
  void settles_within(Duration time) { settle_max_ = time; }
  // Of the part with faults; then all is healed and everything must end.
  void duration(Duration time) { duration_ = time; }
  void faults(FaultMix mix) { faults_ = std::move(mix); }
  // One fault that every seed has besides those that are drawn, at its own time.
  void incident(Fault fault) { incidents_.push_back(std::move(fault)); }

  using ClientScript = std::function<Script(Client&)>;
  // May be said several times, for clients that do different things.
  void clients(unsigned count, ClientScript script) {
    clients_.push_back({count, std::move(script)});
  }

  // What an operator does meanwhile, also when running() is over: machines that are gone when it
  // ends stay so. Its recoveries (`troupe recover`) excuse what they say is lost, and nothing else;
  // if it has none, it says so.
  using OperatorScript = std::function<Script(Operator&)>;
  void operated(OperatorScript script, bool recovers = true) {
    operator_ = std::move(script);
    recovers_ = recovers;
  }

  // When the run is over and everything held, all machines lose their disks, and a new cluster is
  // made of the operator's newest backup (conduct_restore.cpp).
  void restored() { restored_ = true; }

  template <class M>
  void model(const std::string& service) {
    models_[service] = M::maker();
  }
  void model(const std::string& service, MakeModel make) { models_[service] = std::move(make); }

  // `holds` takes a reply message; it is asked of every reply of that type that a client gets.
  template <class Holds>
  void always(std::string name, Holds holds) {
    always_of(std::move(name), std::function{std::move(holds)});
  }

  using FinalScript = std::function<Script(Reading&)>;
  void finally(std::string name, FinalScript script) {
    finals_.push_back({std::move(name), std::move(script)});
  }

  // Handlers throw by themselves: what a client is told of it means that nothing was done.
  void handlers_throw() { handlers_throw_ = true; }

  // Looks at the whole run when it is over, also one in which data was harmed. A failure says what
  // and when; its check is "hindsight: NAME".
  using LookBack = std::function<std::optional<Failure>(const Past&)>;
  void in_hindsight(std::string name, LookBack look) {
    hindsights_.push_back({std::move(name), std::move(look)});
  }

  // The services of the nodes, in place of those that the binary registers. Outlives the run.
  void services(const actors::ServiceRegistry& registry) { registry_ = &registry; }

  // --- for run() --------------------------------------------------------------------------------
  struct Clients {
    unsigned count;
    ClientScript script;
  };
  struct Invariant {
    std::string name;
    std::string message;                            // full name of the reply type
    std::function<bool(const std::string&)> holds;  // of its bytes
  };
  struct Final {
    std::string name;
    FinalScript script;
  };
  struct Hindsight {
    std::string name;
    LookBack look;
  };
  struct Declared {
    std::optional<std::string> manifest;
    Duration duration;
    FaultMix faults;
    FaultPlan incidents;
    std::vector<Clients> clients;
    OperatorScript operates;
    Models models;
    std::vector<Invariant> invariants;
    std::vector<Final> finals;
    std::vector<Hindsight> hindsights;
    const actors::ServiceRegistry* registry;
    bool handlers_throw;
    bool recovers;  // the operator
    bool restored;
    std::set<std::string> latecomers;
    Duration settle_max;
    std::map<std::string, std::vector<std::string>> formats;  // by node, of older programs
    ProcessorTimes processor_times;
  };
  Declared take() {
    return {std::move(manifest_),
            duration_,
            std::move(faults_),
            std::move(incidents_),
            std::move(clients_),
            std::move(operator_),
            std::move(models_),
            std::move(always_),
            std::move(finals_),
            std::move(hindsights_),
            registry_,
            handlers_throw_,
            recovers_,
            restored_,
            std::move(latecomers_),
            settle_max_,
            std::move(formats_),
            processor_times_};
  }

 private:
  template <class Message>
  void always_of(std::string name, std::function<bool(const Message&)> holds) {
    using Reply = std::remove_cvref_t<Message>;
    always_.push_back({std::move(name), Reply::descriptor()->full_name(),
                       [holds = std::move(holds)](const std::string& bytes) {
                         Reply reply;
                         return !reply.ParseFromString(bytes) || holds(reply);
                       }});
  }

  std::uint64_t seed_;
  std::optional<std::string> manifest_;
  Duration duration_ = std::chrono::seconds{30};
  FaultMix faults_;
  FaultPlan incidents_;
  std::vector<Clients> clients_;
  OperatorScript operator_;
  bool recovers_ = false;
  Models models_;
  std::vector<Invariant> always_;
  std::vector<Final> finals_;
  std::vector<Hindsight> hindsights_;
  const actors::ServiceRegistry* registry_ = &actors::ServiceRegistry::global();
  bool handlers_throw_ = false;
  bool restored_ = false;
  std::set<std::string> latecomers_;
  Duration settle_max_ = std::chrono::seconds{30};
  std::map<std::string, std::vector<std::string>> formats_;
  ProcessorTimes processor_times_;
};

struct SimulationRegistration {
  explicit SimulationRegistration(Simulation simulation);
};

// Declares a simulation; its body sees `sim`, a Rehearsal. The name is an identifier that is unique
// in the binary, "_" stands for "-" on the command line.
#define SIMULATION(identifier, about)                                                \
  static void troupe_simulation_##identifier(::troupe::simulations::Rehearsal& sim); \
  static const ::troupe::simulations::SimulationRegistration                         \
      troupe_simulation_registration_##identifier{                                   \
          {::troupe::simulations::name_of_simulation(#identifier), about,            \
           troupe_simulation_##identifier}};                                         \
  static void troupe_simulation_##identifier([[maybe_unused]] ::troupe::simulations::Rehearsal& sim)

// "full_disk" becomes "full-disk".
std::string name_of_simulation(std::string identifier);

}  // namespace troupe::simulations

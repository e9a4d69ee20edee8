// Handlers that throw at their beginning, in their midst and at their end, keys that keep failing,
// shards that fail as a whole, and nodes that end because it happens too often.
//
// A shard fails as a whole when an entity cannot be made (the fault shard_fails), or its file
// cannot be read. Its supervisor restarts it; supervisors that restart too often give up, up to the
// root, which ends the node, and a service manager starts that again. That they do so in time is
// checked in every simulation ("supervision").
#include <algorithm>
#include <stdexcept>

#include "runtime/rehearsal/marks.hpp"
#include "simulations/models/tally_model.hpp"
#include "simulations/rehearsal/rehearsal.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;
using clumsy::TalliesRef;
using Request = clumsy::AddRequest;

class ClumsyTally final : public clumsy::TalliesEntity {
  Result<clumsy::Tally> Add(const Request& request, Effects& effects) const override {
    if (request.mishap() == Request::THROW_AT_ONCE) throw std::runtime_error{"at once"};
    clumsy::Added added;
    added.set_amount(request.amount());
    effects.emit(added);
    if (request.mishap() == Request::THROW_HALFWAY) throw std::runtime_error{"halfway"};
    effects.emit(clumsy::Counted{});
    if (request.mishap() == Request::THROW_AT_THE_END) throw std::runtime_error{"at the end"};
    return view();
  }
  Result<clumsy::Tally> Get(const clumsy::GetRequest&) const override { return view(); }

  void apply(const clumsy::Added& event) override {
    state().set_sum(state().sum() + event.amount());
  }
  void apply(const clumsy::Counted&) override { state().set_additions(state().additions() + 1); }

  clumsy::Tally view() const {
    clumsy::Tally tally;
    tally.set_tally(key());
    tally.set_sum(state().sum());
    tally.set_additions(state().additions());
    return tally;
  }
};

const actors::ServiceRegistry& services() {
  static const auto registry = [] {
    actors::ServiceRegistry made;
    made.add({&ClumsyTally::service_type(), [] { return std::make_unique<ClumsyTally>(); }});
    return made;
  }();
  return registry;
}

constexpr std::uint64_t keys_each = 4;

std::string steady(std::uint64_t number) {
  return "steady " + std::to_string(number);
}
std::string careless(std::uint64_t number) {
  return "careless " + std::to_string(number);
}

Task<Operation> add(Client& client, const std::string& tally, Request::Mishap mishap) {
  Request request;
  request.set_amount(static_cast<std::int64_t>(client.between(1, 1000)));
  request.set_mishap(mishap);
  const actors::CallBase call = TalliesRef{tally}.Add(request);
  const auto done = co_await client.perform(call);
  co_return done;
}

Task<Operation> get(Client& client, const std::string& tally) {
  const actors::CallBase call = TalliesRef{tally}.Get();
  const auto done = co_await client.perform(call);
  co_return done;
}

bool heard(const Operation& operation, const std::string& reason) {
  return operation.reason == reason ||
         std::ranges::find(operation.heard, reason, &Operation::Heard::reason) !=
             operation.heard.end();
}

// Its keys never make a handler throw, so that it may not notice those that do.
Script steady_caller(Client& client) {
  const auto pace = client.between(5ms, 100ms);
  while (client.running()) {
    const auto tally = steady(client.between(1, keys_each));
    Operation done;
    if (client.one_in(4)) {
      done = co_await get(client, tally);
    } else {
      done = co_await add(client, tally, Request::NONE);
    }
    for (const auto* reason : {"HANDLER_FAILED", "ENTITY_QUARANTINED"})
      if (heard(done, reason))
        client.complain("other keys go on", done.text() + " heard " + reason +
                                                ", which only another key gave cause for");
    co_await client.wait(client.between(0ms, 2 * pace));
  }
}

// Fails now and then, at times so often that its key is quarantined.
Script careless_caller(Client& client) {
  const auto pace = client.between(5ms, 100ms);
  while (client.running()) {
    const auto tally = careless(client.between(1, keys_each));
    const auto mishaps = client.one_in(6) ? client.between(3, 8) : client.between(0, 1);
    for (std::uint64_t i = 0; i < mishaps && client.running(); ++i) {
      const auto done =
          co_await add(client, tally, static_cast<Request::Mishap>(client.between(1, 3)));
      if (done.outcome == Operation::Outcome::success)
        client.complain("a throw has no effect", done.text() + " was to throw and was answered");
    }
    if (client.one_in(2)) co_await get(client, tally);
    const auto good = co_await add(client, tally, Request::NONE);
    if (good.outcome == Operation::Outcome::success && heard(good, "ENTITY_QUARANTINED"))
      TROUPE_SOMETIMES("a key was served again after its quarantine");
    if (heard(good, "HANDLER_FAILED"))
      client.complain("a throw harms its own command only",
                      good.text() + " heard HANDLER_FAILED, but was not to throw");
    co_await client.wait(client.between(0ms, 2 * pace));
  }
}

// The sum of what was acknowledged, and at most of what may have run besides.
Script everything_works(Reading& read) {
  for (std::uint64_t i = 1; i <= 2 * keys_each; ++i) {
    const auto tally = i <= keys_each ? steady(i) : careless(i - keys_each);
    // A key that is set aside for longer than a command may be retried takes a later one.
    auto added = co_await add(read, tally, Request::NONE);
    for (int more = 0; more < 10 && added.outcome != Operation::Outcome::success; ++more) {
      co_await read.wait(500ms);
      added = co_await add(read, tally, Request::NONE);
    }
    read.expect(added.outcome == Operation::Outcome::success,
                tally + " does not take an addition: " + added.reason);
    const auto now = co_await read.call(TalliesRef{tally}.Get());
    read.expect(now.ok(), tally + " cannot be read");
    if (!now.ok()) co_return;
    std::int64_t least = 0;
    std::int64_t most = 0;
    for (const auto& operation : read.history().all()) {
      if (operation.key != tally || operation.read_only()) continue;
      Request request;
      check(request.ParseFromString(operation.request), "an addition does not parse");
      if (request.mishap() != Request::NONE) continue;
      if (operation.outcome == Operation::Outcome::success) least += request.amount();
      if (operation.outcome == Operation::Outcome::success || operation.open())
        most += request.amount();
    }
    read.expect(now->sum() >= least && now->sum() <= most,
                tally + " holds " + std::to_string(now->sum()) + "; acknowledged was " +
                    std::to_string(least) + ", asked for " + std::to_string(most));
  }
}

// Supervisors of shards that are patient, or not at all; keys that come back soon.
std::string manifest(RandomStream random) {
  return "[cluster]\nname = \"rehearsal\"\n\n[[nodes]]\nname = \"n1\"\nmesh = \"n1:7400\"\n"
         "gateway = \"n1:8080\"\nadmin = \"n1:7480\"\ndata = \"/data\"\n"
         "services = [\"clumsy.v1.Tallies\"]\n\n"
         "[service_defaults.restart]\nintensity = " +
         std::to_string(random.between(0, 3)) +
         "\nbackoff_first = \"1ms\"\nbackoff_max = \"20ms\"\n\n"
         "[service_defaults.quarantine]\nfailures = " +
         std::to_string(random.between(1, 5)) +
         "\nbackoff_first = \"100ms\"\nbackoff_max = \"2s\"\n";
}

SIMULATION(supervision, "what throws harms nothing else, and what fails is started again") {
  auto mix = Faults::everything().without({FaultKind::handler_throws});
  mix.kinds[FaultKind::shard_fails] = {300, 10ms, 2s, 8s, 10'000, 1'000'000};
  sim.faults(mix);
  sim.duration(30s);
  sim.services(services());
  sim.manifest(manifest(sim.random()));
  sim.handlers_throw();
  sim.model<TallyModel>("clumsy.v1.Tallies");
  sim.clients(6, steady_caller);
  sim.clients(4, careless_caller);
  sim.finally("everything works, and every sum is right", everything_works);
}

}  // namespace
}  // namespace troupe::simulations

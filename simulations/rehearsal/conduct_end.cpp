// The end of a run: everything that is pending ends, all replicas catch up, the files are sound.
#include <algorithm>
#include <exception>

#include "cluster/directory/places.hpp"
#include "cluster/group_of.hpp"
#include "simulations/rehearsal/conduct.hpp"
#include "simulations/rehearsal/excuses.hpp"

namespace troupe::simulations {

namespace {

using namespace std::chrono_literals;

// What "finishes in time" means once nothing is in the way any more, and the operator's work is
// done.
constexpr Duration settle_max = 30s;
constexpr Duration stop_max = 60s;
// For looking at data that was harmed: a node that refuses to serve it is not waited for.
constexpr Duration left_max = 5s;

// What a file of a shard holds.
struct Contents {
  std::string node;
  std::uint64_t rows;
};

// Streams of clients that look at the end.
constexpr std::uint64_t final_client = 1'000'000;

}  // namespace

void Conduct::settle() {
  const auto all_ended = [&] {
    return !failures_.empty() ||
           (!injector_->anything_stops() &&
            std::ranges::all_of(roles_, [](const Role& role) { return role.ended(); }));
  };
  if (world_.run_until(all_ended, declared_.settle_max)) return;
  if (promises_nothing()) return;  // a node may rightly refuse to start
  std::string what = "after all faults were healed these clients wait for longer than " +
                     seconds_text(declared_.settle_max) + ':';
  for (const auto& role : roles_) {
    if (role.ended()) continue;
    const auto* pending = role.client->pending();
    what += "\n    " + role.client->name() + ": " +
            (pending == nullptr ? "no call, its script goes on although running() is false"
                                : pending->text() + ", tried " + std::to_string(pending->attempts) +
                                      " times, last heard: " + pending->reason);
  }
  for (const auto& host : hosts_)
    what += "\n    " + host->machine().name() + (host->ready() ? " is ready" : " is not ready");
  fail("liveness", std::move(what));
}

bool Conduct::finish(Script& script, Duration limit) {
  script.start();
  return world_.run_until([&] { return script.done() || !failures_.empty(); }, limit) &&
         script.done();
}

// The newest command of each entity once more, as a new one: whatever it says, it is answered.
void Conduct::ask_every_entity() {
  Client client{setting_, "settling", final_client, true};
  std::vector<actors::CallBase> calls;
  for (const auto& [entity, operations] : setting_.history.get().by_entity()) {
    const auto newest = std::find_if(operations.rbegin(), operations.rend(),
                                     [](const Operation* one) { return !one->read_only(); });
    if (newest == operations.rend()) continue;
    calls.push_back({(*newest)->service, (*newest)->method, (*newest)->key, (*newest)->request});
  }
  for (const auto& call : calls) {
    const auto ask = [](Client& asking, const actors::CallBase& what) -> Script {
      co_await asking.perform(what);
    };
    auto script = ask(client, call);
    if (finish(script, settle_max)) continue;
    const auto* last = client.pending();
    if (failures_.empty())
      fail("liveness", "a new command to a healed cluster has no answer after " +
                           seconds_text(settle_max) + ": " + (last ? last->text() : "") +
                           ", last heard: " + (last ? last->reason : ""));
    return;
  }
}

// Of data that was harmed nobody promises that it can be read, only that what is read is right:
// pages that a node keeps in memory are read anew, by the scripts for the end as far as they come.
void Conduct::read_what_is_left() {
  if (took_place(injector_->injected(), {FaultKind::lost_disk})) return;
  for (auto& host : hosts_) {
    auto& machine = host->machine();
    if (!machine.up()) continue;
    world_.kill(machine);
    if (const auto started = world_.start(machine); !started) node_failed(machine, started.error());
  }
  if (failures_.empty()) run_finals(left_max);
}

void Conduct::run_finals(Duration limit) {
  std::uint64_t number = final_client;
  for (const auto& final : declared_.finals) {
    Reading reading{setting_, "finally", ++number, true};
    auto script = final.script(reading);
    const auto check = "finally: " + final.name;
    if (!finish(script, limit)) {
      if (failures_.empty() && !promises_nothing())
        fail(check, "its script has not ended after " + seconds_text(limit));
      return;
    }
    try {
      script.result();
    } catch (const std::exception& thrown) {
      fail(check, std::string{"its script threw: "} + thrown.what());
    }
    if (reading.broken()) fail(check, *reading.broken());
  }
}

// Replicas are where the directory wants them, and where that is every node knows. Those that were
// behind, too, get all that was committed, and so do new ones on nodes that lost their disk. What
// is committed meanwhile, as replies whose window is over are deleted, may be on its way.
void Conduct::catch_up() {
  const auto wrong = [this, begin = world_.now()] {
    auto what = misplaced();
    return what ? what : world_.checks().behind(begin);
  };
  const auto until = world_.now() + settle_max;
  while (failures_.empty() && wrong() && world_.now() < until) world_.run_for(100ms);
  if (!failures_.empty() || !wrong()) return;
  fail("liveness", "replicas are not where they are to be, or have not caught up, " +
                       seconds_text(settle_max) + " after everything was healed: " + *wrong());
}

// A directory that was lost with its majority says nothing any more (docs/architecture.md).
std::optional<std::string> Conduct::misplaced() {
  if (!alone_.empty()) return std::nullopt;
  const auto names = [](const auto& nodes) {
    std::string text;
    for (const auto& node : nodes) text += (text.empty() ? "" : ", ") + node;
    return text.empty() ? "no node" : text;
  };
  std::map<runtime::GroupId, cluster::ShardPlaces> known;
  for (const auto& host : hosts_) {
    if (!host->machine().up()) continue;
    for (const auto& places : host->node().places().all()) {
      const auto group = cluster::group_of(places.service, places.shard);
      const auto [first, added] = known.emplace(group, places);
      if (!added && first->second.version != places.version)
        return host->machine().name() + " does not know the newest places of " + places.service +
               '/' + std::to_string(places.shard);
    }
  }
  for (const auto& [group, places] : known) {
    const std::set<std::string> wished{places.nodes.begin(), places.nodes.end()};
    const auto voters = world_.checks().voters(group);
    if (voters != wished)
      return places.service + '/' + std::to_string(places.shard) + " is to be on " + names(wished) +
             ", and its voters are on " + names(voters);
  }
  return std::nullopt;
}

void Conduct::stop_and_inspect() {
  over_ = true;                              // what stops is not started again
  std::map<std::string, Contents> contents;  // by shard and chain
  std::set<std::string> rotten;              // nodes; there may be rot that nobody met
  for (const auto& one : injector_->rotten()) rotten.insert(one.node);
  for (auto& host : hosts_) {
    auto& machine = host->machine();
    if (machine.lives() == 0) continue;  // a latecomer that was never needed
    if (!world_.stop(machine, stop_max)) {
      fail("stop", machine.name() + " did not stop in order within " + seconds_text(stop_max) +
                       (machine.crashed() ? ": " + machine.crashed()->describe() : ""));
      return;
    }
    const auto findings = host->inspect();
    if (!findings) {
      fail("files", machine.name() + ": " + findings.error().describe());
      return;
    }
    if (rotten.contains(machine.name())) continue;
    for (const auto& one : findings->findings) fail("files", machine.name() + ": " + one);
    for (const auto& [file, content] : findings->files) {
      const auto key = content.shard + '@' + std::to_string(content.chain);
      const auto [known, first] = contents.try_emplace(key, Contents{machine.name(), content.rows});
      if (known->second.rows != content.rows)
        fail("files", "the batches that are applied to " + content.shard + " are the same on " +
                          known->second.node + " and " + machine.name() +
                          ", and the rows of their files are not (" + file + ')');
    }
  }
}

}  // namespace troupe::simulations

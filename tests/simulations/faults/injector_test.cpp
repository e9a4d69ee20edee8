#include "simulations/faults/injector.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/simulations/world/support.hpp"

namespace troupe::simulations {
namespace {

struct Faulted final : TraceSink {
  std::vector<std::string> texts;
  void on_event(const TraceEvent& event) override {
    if (event.kind == "fault") texts.emplace_back(event.name);
  }
};

// Two machines whose processes do nothing, and a plan.
struct Rig {
  Faulted trace;
  World world;
  Machine& one;
  Machine& two;
  HandlerFaults handlers{1};
  std::optional<Injector> injector;

  explicit Rig(const std::string& plan, const Injector::Options& options = {})
      : world{{.seed = 1, .sink = &trace}},
        one(world.add("n1", bare_process())),
        two(world.add("n2", bare_process())) {
    REQUIRE(world.start(one));
    REQUIRE(world.start(two));
    injector.emplace(world, parse_fault_plan(plan).value(), &handlers, options);
  }
  runtime::Disk& disk() { return one.platform()->disk(); }
  std::uint64_t count(FaultKind kind) const {
    const auto& counts = injector->injected();
    const auto found = counts.find(std::string{name_of(kind)});
    return found == counts.end() ? 0 : found->second;
  }
};

TEST_CASE("a machine goes down for the fault's time, and never twice at once") {
  Rig rig{
      "1s kill n1 lasts=2s\n"
      "2s power_cut n1 lasts=10s amount=0\n"
      "2s pause n1 lasts=10s\n"};
  rig.world.run_for(999ms);
  CHECK(rig.one.up());
  rig.world.run_for(2s);
  CHECK_FALSE(rig.one.up());
  CHECK(rig.injector->holds_down(rig.one));
  CHECK(rig.two.up());
  CHECK_FALSE(rig.injector->everything_up());
  rig.world.run_for(10ms);
  CHECK(rig.one.up());
  CHECK(rig.one.lives() == 2);
  rig.world.run_for(20s);
  CHECK(rig.one.lives() == 2);
  CHECK(rig.injector->injected() == std::map<std::string, std::uint64_t>{{"kill", 1}});
  CHECK(rig.trace.texts == std::vector<std::string>{"1.000s kill n1 lasts=2s"});
}

TEST_CASE("a machine that is gone stays so when all is healed, until it is brought back") {
  Rig rig{
      "1s kill n2 lasts=5s\n"
      "2s gone n1\n"
      "2s gone n2\n"};
  CHECK(rig.disk().write("/a", "1"));
  CHECK_FALSE(rig.injector->is_gone(rig.one));
  rig.world.run_for(10s);
  rig.injector->heal_all();
  rig.world.run_for(10s);
  CHECK(rig.count(FaultKind::gone) == 2);
  for (Machine* const machine : {&rig.one, &rig.two}) {
    CHECK(rig.injector->is_gone(*machine));
    CHECK_FALSE(machine->up());
    CHECK(machine->lives() == 1);
  }
  const bool empty = true;
  rig.injector->bring_back(rig.one, !empty);
  rig.injector->bring_back(rig.two, empty);
  rig.world.run_for(1s);
  CHECK(rig.injector->everything_up());
  CHECK(rig.disk().read("/a").value() == "1");
  CHECK(rig.injector->took_place().back().kind == FaultKind::lost_disk);
  CHECK(rig.injector->took_place().back().node == "n2");
}

TEST_CASE("a power cut strikes at the write that it names, or after a second without") {
  Rig rig{
      "1s power_cut n1 lasts=3s amount=3\n"
      "10s power_cut n1 lasts=3s amount=1\n"};
  rig.world.run_for(1s);
  CHECK(rig.disk().write("/a", "1"));
  CHECK(rig.disk().write("/a", "2"));
  CHECK(rig.one.up());
  CHECK(rig.count(FaultKind::power_cut) == 0);
  CHECK_FALSE(rig.disk().write("/a", "3"));
  rig.world.run_for(2s);
  CHECK(rig.count(FaultKind::power_cut) == 1);
  CHECK_FALSE(rig.one.up());
  rig.world.run_for(2s);
  CHECK(rig.disk().read("/a").value() == "2");
  rig.world.run_for(5900ms);
  CHECK(rig.one.up());
  rig.world.run_for(200ms);
  CHECK_FALSE(rig.one.up());
  CHECK(rig.count(FaultKind::power_cut) == 2);
}

TEST_CASE("power that is cut again in the next start is retried until it starts") {
  Faulted trace;
  World world{{.seed = 1, .sink = &trace}};
  int starts = 0;
  auto& machine =
      world.add("n1",
                [&, bare = bare_process()](
                    runtime::Platform& platform) -> Result<std::unique_ptr<SimulatedProcess>> {
                  ++starts;
                  TROUPE_CHECK(platform.disk().write("/a", "1"));
                  TROUPE_CHECK(platform.disk().write("/b", "2"));
                  return bare(platform);
                });
  REQUIRE(world.start(machine));
  std::vector<std::string> failures;
  Injector injector{world,
                    parse_fault_plan("1s power_cut_in_start n1 lasts=1s amount=1").value(),
                    nullptr,
                    {.retry = 5s, .on_failure = [&](Machine&, const Error& why) {
                       failures.push_back(why.reason);
                     }}};
  world.run_for(2500ms);
  CHECK(starts == 2);
  CHECK_FALSE(machine.up());
  CHECK(injector.last_failure(machine)->reason == "POWER_CUT");
  world.run_for(5s);
  CHECK(starts == 3);
  CHECK(machine.up());
  CHECK(failures == std::vector<std::string>{"POWER_CUT"});
}

TEST_CASE("a lost disk is empty when the machine is back") {
  Rig rig{"1s lost_disk n1 lasts=1s\n"};
  REQUIRE(rig.disk().write("/a", "1"));
  rig.world.run_for(3s);
  CHECK(rig.one.lives() == 2);
  CHECK_FALSE(rig.disk().exists("/a").value());
}

TEST_CASE("a paused machine goes on after its time, unless it was killed meanwhile") {
  Rig rig{
      "1s pause n1 lasts=2s\n"
      "1s pause n2 lasts=9s\n"
      "2s kill n2 lasts=1s\n"
      "4s pause n2 lasts=10s\n"};
  rig.world.run_for(1500ms);
  CHECK(rig.one.paused());
  CHECK(rig.two.paused());
  rig.world.run_for(2s);
  CHECK_FALSE(rig.one.paused());
  CHECK_FALSE(rig.two.paused());
  CHECK(rig.two.lives() == 2);
  rig.world.run_for(9s);
  CHECK(rig.two.paused());  // of the newer pause, which the first one's end leaves alone
  rig.world.run_for(2s);
  CHECK_FALSE(rig.two.paused());
}

TEST_CASE("disk faults that overlap are the worst of them, and one that heals leaves the other") {
  Rig rig{
      "1s read_error n1 lasts=10s amount=1000000\n"
      "2s read_error n1 lasts=1s amount=5\n"
      "2s write_error n1 lasts=1s amount=1000000\n"
      "5s sync_error n1 lasts=1s amount=1000\n"
      "5s slow_disk n1 lasts=1s amount=700\n"
      "5s full_disk n1 lasts=2s amount=8192\n"
      "5s full_disk n1 lasts=1s amount=4096\n"};
  auto& disk = rig.one.hardware.disk;
  auto& faults = rig.one.hardware.disk_faults;
  rig.world.run_for(1500ms);
  CHECK(faults.read_errors == 1'000'000);
  CHECK(faults.write_errors == 0);
  rig.world.run_for(1s);
  CHECK(faults.read_errors == 1'000'000);
  CHECK(faults.write_errors == 1'000'000);
  rig.world.run_for(1s);
  CHECK(faults.read_errors == 1'000'000);
  CHECK(faults.write_errors == 0);
  rig.world.run_for(2s);
  CHECK(faults.sync_errors == 1000);
  CHECK(faults.slow_jobs == 1'000'000);
  CHECK(faults.slow_by_max == 700us);
  CHECK(disk.quota_bytes == disk.used_bytes() + 4096);
  rig.world.run_for(1s);
  CHECK(disk.quota_bytes == disk.used_bytes() + 8192);
  CHECK(faults.sync_errors == 0);
  CHECK(faults.slow_jobs == 0);
  rig.world.run_for(1s);
  CHECK(disk.quota_bytes == UINT64_MAX);
  rig.world.run_for(10s);
  CHECK(faults.read_errors == 0);
  CHECK(rig.two.hardware.disk_faults.read_errors == 0);
  CHECK(rig.count(FaultKind::full_disk) == 2);
}

TEST_CASE("rot that finds no byte does not count") {
  Rig rig{
      "1s rot_log n1 amount=7\n"
      "2s rot_shard n1 amount=7\n"};
  REQUIRE(rig.disk().create_folders("/data/shards"));
  REQUIRE(rig.disk().write("/data/shards/s.db", std::string(100, 'x')));
  rig.world.run_for(3s);
  CHECK(rig.count(FaultKind::rot_log) == 0);
  CHECK(rig.count(FaultKind::rot_shard) == 1);
  CHECK(rig.disk().read("/data/shards/s.db").value() != std::string(100, 'x'));
  REQUIRE(rig.trace.texts.size() == 1);
  CHECK(rig.trace.texts[0].starts_with("2.000s rot_shard n1 amount=7 (/data/shards/s.db@"));
}

TEST_CASE("clocks step and drift") {
  Rig rig{
      "1s clock_offset n1 amount=-2000000\n"
      "10s clock_drift n1 amount=1000\n"};
  rig.world.run_for(5s);
  const auto ahead = [&] {
    return rig.one.platform()->clock().wall() - rig.world.outside().clock().wall();
  };
  CHECK(ahead() == -2s);
  rig.world.run_for(1005s);
  CHECK(ahead() == -1s);
  rig.injector->heal_all();
  rig.world.run_for(1000s);
  CHECK(ahead() == -1s);
}

TEST_CASE("handlers throw while the fault is on") {
  Rig rig{"1s handler_throws service=a.v1.S lasts=1s amount=1000000\n"};
  const auto fate = [&](const char* service) { return rig.handlers.draw(service); };
  CHECK(fate("a.v1.S") == HandlerFaults::Fate::runs);
  rig.world.run_for(1500ms);
  CHECK(fate("a.v1.S") != HandlerFaults::Fate::runs);
  CHECK(fate("b.v1.T") == HandlerFaults::Fate::runs);
  rig.world.run_for(1s);
  CHECK(fate("a.v1.S") == HandlerFaults::Fate::runs);
  CHECK(rig.handlers.thrown() == 1);
  CHECK(rig.count(FaultKind::handler_throws) == 1);
}

struct End final : runtime::StreamHandler {
  std::string received;
  std::string reason;
  void on_data(std::string_view bytes) override { received += bytes; }
  void on_closed(const Result<void>& why) override { reason = why ? "closed" : why.error().reason; }
};

TEST_CASE("links clog, part, refuse and reset; what overlaps heals when the last one does") {
  Rig rig{
      "1s clogged_link outside peer=n1 lasts=3s\n"
      "2s partition n1 peer=outside lasts=5s\n"
      "10s refused n1 lasts=2s\n"
      "11s refused n1 lasts=3s\n"
      "20s reset_link n1 peer=n2\n"
      "20s reset_link n1 peer=outside\n"};
  const auto server = std::make_shared<End>();
  const auto listener = rig.one.platform()->network().listen(
      {"n1", 80}, [&](const std::shared_ptr<runtime::Stream>&) { return server; });
  REQUIRE(listener);
  const auto client = std::make_shared<End>();
  std::shared_ptr<runtime::Stream> stream;
  std::string failure;
  const auto connect = [&] {
    rig.world.outside().network().connect({"n1", 80}, 500ms, [&](auto result) {
      failure = result ? "" : result.error().reason;
      if (result) stream = std::move(*result);
      return client;
    });
  };
  connect();
  rig.world.run_for(1500ms);
  REQUIRE(stream);
  stream->write("bytes");
  rig.world.run_for(3500ms);  // 5 s: the clog has healed, the partition has not
  CHECK(server->received.empty());
  rig.world.run_for(2500ms);
  CHECK(server->received == "bytes");
  rig.world.run_for(5s);  // 12.5 s: the second refusal is left
  connect();
  rig.world.run_for(500ms);
  CHECK(failure == "CONNECTION_REFUSED");
  rig.world.run_for(6900ms);
  CHECK(client->reason.empty());
  rig.world.run_for(1s);
  CHECK(client->reason == "CONNECTION_LOST");
  CHECK(server->reason == "CONNECTION_LOST");
  CHECK(rig.count(FaultKind::reset_link) == 1);  // there was no connection with n2
}

TEST_CASE(
    "heal_all() ends every fault at once, starts what is down, and nothing happens after it") {
  Rig rig{
      "1s kill n1 lasts=1000s\n"
      "1s pause n2 lasts=1000s\n"
      "1s read_error n2 lasts=1000s amount=10\n"
      "1s full_disk n1 lasts=1000s amount=10\n"
      "1s partition n1 peer=n2 lasts=1000s\n"
      "1s clock_drift n2 amount=1000\n"
      "1s handler_throws service=a.v1.S lasts=1000s amount=1000000\n"
      "50s kill n2 lasts=1000s\n"};
  rig.world.run_for(10s);
  CHECK(rig.injector->injected().size() == 7);
  rig.injector->heal_all();
  rig.world.run_for(1ms);
  CHECK(rig.injector->everything_up());
  CHECK(rig.one.hardware.disk.quota_bytes == UINT64_MAX);
  CHECK(rig.two.hardware.disk_faults.read_errors == 0);
  CHECK(rig.two.hardware.clock.drift() == 0);
  CHECK(rig.handlers.draw("a.v1.S") == HandlerFaults::Fate::runs);
  CHECK(rig.trace.texts.back() == "healed: everything");
  rig.world.run_for(2000s);
  CHECK(rig.one.lives() == 2);
  CHECK(rig.two.lives() == 1);
  CHECK(rig.injector->took_place().size() == 7);
}

TEST_CASE("a machine that ends by itself is started again, or left to whoever drives the world") {
  for (const bool restarts : {true, false}) {
    CAPTURE(restarts);
    std::string failed;
    Rig rig{
        "1s pause n2 lasts=1s",
        {.retry = 3s, .restarts = restarts, .on_failure = [&](Machine& machine, const Error& why) {
           failed = machine.name() + ' ' + why.reason;
         }}};
    rig.one.platform()->fail_stop(internal("SOMETHING_BROKE", "the test says so"));
    rig.world.run_for(2s);
    CHECK(failed == "n1 SOMETHING_BROKE");
    CHECK_FALSE(rig.one.up());
    rig.world.run_for(2s);
    CHECK(rig.one.up() == restarts);
  }
}

TEST_CASE("a plan for another world is refused") {
  World world{{.seed = 1}};
  world.add("n1", bare_process());
  const auto why = [&](const char* text) {
    const std::vector<std::string> services{"a.v1.S"};
    const auto fits = check_fault_plan(parse_fault_plan(text).value(), world, &services);
    return fits ? std::string{"fits"} : fits.error().reason + ' ' + fits.error().message;
  };
  CHECK(why("1s kill n1 lasts=1s") == "fits");
  CHECK(why("1s clogged_link outside peer=n1 lasts=1s") == "fits");
  CHECK(why("1s handler_throws service=a.v1.S lasts=1s amount=1") == "fits");
  CHECK(why("1s kill n7 lasts=1s") ==
        "FAULT_PLAN_INVALID '1.000s kill n7 lasts=1s': there is no machine 'n7'; this simulation "
        "has n1");
  CHECK(why("1s reset_link n1 peer=n2").find("and outside for clients") != std::string::npos);
  CHECK(why("1s kill outside lasts=1s").find("no machine 'outside'") != std::string::npos);
  CHECK(why("1s handler_throws service=x lasts=1s amount=1").find("no node hosts") !=
        std::string::npos);
}

}  // namespace
}  // namespace troupe::simulations

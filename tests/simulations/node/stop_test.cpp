// How a node ends that the others have left alone.
#include "runtime/rehearsal/marks.hpp"
#include "tests/simulations/node/three.hpp"

namespace troupe::simulations {
namespace {

TEST_CASE("a node that is alone stops, although a command waits for a majority") {
  runtime::reset_marks();
  for (std::size_t i = 0; i < 3; ++i) {  // one of them leads the account's shard
    CAPTURE(i);
    Three three{1, 1};
    three.command("open", "open", open_body);
    three.world.crash(three.machine((i + 1) % 3));
    three.world.crash(three.machine((i + 2) % 3));
    bool stopped = false;
    auto& process = dynamic_cast<NodeProcess&>(*three.machine(i).process());
    // A moment after the command has come.
    three.world.after(20ms, [&] { process.node().stop([&] { stopped = true; }); });
    const auto answer = post(three.world, "/v1/accounts/ann:deposit", "d", one_cent, three.name(i));
    CHECK(answer.status != 200);
    CHECK(three.world.run_until([&] { return stopped; }, 15s));
  }
  CHECK(runtime::marks().at("a shard lost its leadership while it waited to hand it over"));
}

}  // namespace
}  // namespace troupe::simulations

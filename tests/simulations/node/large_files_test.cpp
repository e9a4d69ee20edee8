// Shard files of which one message holds a part only.
#include "runtime/rehearsal/marks.hpp"
#include "simulations/rehearsal/replicas.hpp"
#include "tests/simulations/node/three.hpp"

namespace troupe::simulations {
namespace {

TEST_CASE("a node that was away for long takes over files that are larger than one message") {
  auto manifest = three_nodes();
  manifest.service_defaults.shards = 1;
  Three three{1, std::move(manifest)};
  runtime::reset_marks();
  for (const auto& [group, nodes] : place_voters(three.manifest, actors::ServiceRegistry::global()))
    three.world.checks().expect_voters(group, nodes);
  three.world.kill(three.machine(2));
  const std::string owner(190, 'x');
  const auto body = R"({"owner":")" + owner + R"(","currency":"EUR"})";
  for (int i = 0; i < 120; ++i) {
    const auto account = "/v1/accounts/account-" + std::to_string(i) + ":open";
    const auto answer = post(three.world, account, "open-" + std::to_string(i), body);
    CAPTURE(answer.body);
    REQUIRE(answer.status == 200);
  }
  REQUIRE(three.world.start(three.machine(2)));
  const auto until = three.world.now() + 20s;
  while (three.world.checks().behind() && three.world.now() < until) three.world.run_for(100ms);
  CHECK(three.world.checks().behind().value_or("") == "");
  CHECK(runtime::marks().at("a replica took another's file in place of its own"));
}

}  // namespace
}  // namespace troupe::simulations

// Counters in memory: no disk, no threads, no cluster. What crashes do to them, the simulation
// shows.
#include <doctest/doctest.h>

#include "actors/testing/entity_harness.hpp"
#include "newcontext/v1/counters.troupe.hpp"

namespace v1 = newcontext::v1;

namespace {

class Apples {
 public:
  troupe::Result<v1::Counter> add(std::int32_t amount) {
    v1::AddRequest request;
    request.set_amount(amount);
    return harness.call(ref.Add(request));
  }
  std::int64_t value() { return harness.call(ref.Get())->value(); }

  v1::CountersRef ref{"apples"};
  troupe::testing::EntityHarness harness{"newcontext.v1.Counters", "apples"};
};

}  // namespace

TEST_CASE("what is added adds up") {
  Apples apples;
  CHECK(apples.value() == 0);
  CHECK(apples.add(5)->value() == 5);
  CHECK(apples.add(-2)->value() == 3);
  CHECK(apples.value() == 3);
}

TEST_CASE("a counter is never below zero, and a refusal changes nothing") {
  Apples apples;
  REQUIRE(apples.add(5));
  const auto refused = apples.add(-6);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().reason == "BELOW_ZERO");
  CHECK(apples.value() == 5);
}

TEST_CASE("a counter that left memory comes back with its value") {
  Apples apples;
  REQUIRE(apples.add(7));
  apples.harness.reload();
  CHECK(apples.value() == 7);
}

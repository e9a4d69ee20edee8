// Reads that may be stale: which replica is asked, and what the caller hears.
#include "tests/cluster/routing/router_rig.hpp"

namespace troupe::cluster::test {

TEST_CASE("a read that may be stale goes to one replica after the other until one answers") {
  Rig rig;
  rig.call(2);
  std::set<std::string> nodes;
  for (const char* reason : {"LINK_DOWN", "REPLICA_ABSENT"}) {
    const Asked one = rig.next();
    CHECK(one.command.stale());
    nodes.insert(one.node);
    one.say(unavailable(reason, "not here"));
  }
  const Asked last = rig.next();
  nodes.insert(last.node);
  CHECK(nodes == std::set<std::string>{"n2", "n3", "n4"});
  actors::Reply stale = reply("lent");
  stale.age = 3s;
  last.say(stale);
  REQUIRE(rig.heard.at(0));
  CHECK(rig.heard.at(0)->age == Duration{3s});
  CHECK(rig.router.in_flight() == 0);
}

TEST_CASE(
    "a read that may be stale tries all replicas again while none answers, and then says so") {
  Rig rig;
  rig.call(2, 60s);
  CHECK(rig.fail_until_heard(link_down()) > 10);
  CHECK(rig.heard.at(0).error().reason == "NO_REPLICA");
  CHECK(rig.heard.at(0).error().retry_after);
  CHECK(rig.world.now() < 4s);
}

TEST_CASE("replicas that are out of touch for too long end a read at once") {
  Rig rig;
  rig.call(2, 60s);
  for (int i = 0; i < 3; ++i) rig.next().say(unavailable("STALE_READ_TOO_OLD", "an hour ago"));
  CHECK(rig.heard.at(0).error().reason == "STALE_READ_TOO_OLD");
}

TEST_CASE("a caller that wants no stale answer gets the leader's") {
  Rig rig;
  rig.router.send({&books(), 2, "dune", "body"}, {.timeout = 10s, .fresh = true},
                  [&](Result<actors::Reply> reply) { rig.heard.push_back(std::move(reply)); });
  const Asked asked = rig.next();
  CHECK(asked.node == "n2");
  CHECK_FALSE(asked.command.stale());
  asked.say(reply("lent"));
  CHECK_FALSE(rig.heard.at(0)->age);
}

TEST_CASE("what a replica says that could read is the answer, that it had no room is none") {
  Rig rig;
  rig.call(2);
  rig.next().say(resource_exhausted("SHARD_OVERLOADED", "too much waits"));
  const Error closed = unavailable("BOOKS_CLOSED", "said by a handler");
  rig.next().say(closed);
  CHECK(rig.heard.at(0).error() == closed);
  CHECK(rig.asked.empty());
  CHECK(rig.later->waiting.empty());
}

}  // namespace troupe::cluster::test

// Calls of shards that other nodes hold: who is asked, when again, and what the caller hears.
#include "tests/cluster/routing/router_rig.hpp"

namespace troupe::cluster::test {

TEST_CASE("a call goes to the preferred replica with all that belongs to it, and its reply back") {
  Rig rig;
  rig.call();
  const Asked asked = rig.next();
  CHECK(asked.node == "n2");
  CHECK(asked.command.service() == "shelf.v1.Books");
  CHECK(asked.command.method() == "Lend");
  CHECK(asked.command.key() == "dune");
  CHECK(asked.command.payload() == "body");
  CHECK(asked.command.caller() == "ann");
  CHECK(asked.command.principal() == "ann");
  CHECK(asked.command.tenant() == "acme");
  CHECK(asked.command.data_subject() == "bob");
  CHECK(asked.deadline == rig.world.outside().clock().now() + 10s);
  CHECK(rig.router.in_flight() == 1);
  asked.say(reply("lent"));
  REQUIRE(rig.heard.size() == 1);
  CHECK(rig.heard[0]->payload == "lent");
  CHECK(rig.heard[0]->shard_index == 7);
  CHECK(rig.router.in_flight() == 0);
}

TEST_CASE("a hint is followed at once under the same message id, and remembered") {
  Rig rig;
  rig.call();
  const Asked first = rig.next();
  first.say(not_leading(), "n4");
  const Asked second = rig.next();
  CHECK(second.node == "n4");
  CHECK(second.command.attempt() == 2);
  CHECK(id_of(second.command) == id_of(first.command));
  second.say(reply("lent"));
  CHECK(rig.heard.at(0));
  CHECK(rig.later->waiting.empty());
  rig.call();
  const Asked third = rig.next();
  CHECK(third.node == "n4");
  CHECK_FALSE(id_of(third.command) == id_of(first.command));
}

TEST_CASE(
    "a call goes to whom the replica here has come to follow, not to a leader that was found") {
  Rig rig{{"n2", "n1", "n3"}};
  std::string told = "n2";
  rig.router.announce(books(), 0, nullptr, [&told] { return told; });
  const auto call = [&] {
    rig.call();
    return rig.next();
  };
  call().say(reply("lent"));
  const Asked silent = call();
  CHECK(silent.node == "n2");
  told = "n3";
  const Asked fresh = call();
  CHECK(fresh.node == "n3");
  // It was wrong; what was found is believed until it comes to follow somebody else again.
  fresh.say(not_leading(), "n2");
  rig.next().say(reply("lent"));
  CHECK(call().node == "n2");
  told = "";
  CHECK(call().node == "n2");
  told = "n3";
  CHECK(call().node == "n2");
}

TEST_CASE("replicas that name each other do not make a storm") {
  Rig rig;
  rig.call();
  int asked = 0;
  while (!rig.asked.empty()) {
    REQUIRE(++asked < 10);
    const Asked one = rig.next();
    one.say(not_leading(), one.node == "n2" ? "n3" : "n2");
  }
  CHECK(rig.heard.empty());
  CHECK(rig.later->waiting.size() == 1);
}

TEST_CASE("when nobody leads the next replica is asked after a pause, until one does") {
  Rig rig;
  rig.call();
  std::set<std::string> nodes;
  for (int i = 0; i < 3; ++i) {
    const Asked one = rig.next();
    nodes.insert(one.node);
    one.say(not_leading());
    CHECK(rig.asked.empty());
    rig.later->run_one();
  }
  CHECK(nodes == std::set<std::string>{"n2", "n3", "n4"});
  rig.next().say(reply("lent"));
  CHECK(rig.heard.at(0));
}

TEST_CASE("a broken link is another replica's turn, and the end of a command that may have run") {
  for (const char* reason : {"LINK_DOWN", "LINK_LOST"}) {
    CAPTURE(reason);
    Rig rig;
    rig.call(0, 30ms);
    rig.fail_until_heard(unavailable(reason, "the link is down"));
    const bool sent = std::string{reason} == "LINK_LOST";
    CHECK(rig.heard.at(0).error().reason == (sent ? "OUTCOME_UNKNOWN" : "DEADLINE_EXCEEDED"));
  }
}

TEST_CASE("reads may be asked again, so their outcome is never unknown") {
  Rig rig;
  rig.call(1, 30ms);
  rig.fail_until_heard(unavailable("LINK_LOST", "the link is down"));
  CHECK(rig.heard.at(0).error().code == Code::deadline_exceeded);
}

TEST_CASE("a shard that had no leader for long refuses at once, until one answers") {
  Rig rig;
  rig.call(0, 60s);
  rig.fail_until_heard(said(not_leading()));
  CHECK(rig.heard.at(0).error().reason == "NO_LEADER");
  CHECK(rig.world.now() >= 3s);
  CHECK(rig.world.now() < 4s);
  const auto before = rig.world.now();
  rig.call(0, 60s);
  CHECK(rig.fail_until_heard(said(not_leading()), 2) ==
        3);  // each replica once: one of them may lead by now
  CHECK(rig.world.now() - before < 200ms);
  rig.call(0, 60s);
  rig.next().say(reply("lent"));
  CHECK(rig.heard.at(2));
}

TEST_CASE("a replica whose disk is full is no answer, another one may lead") {
  Rig rig;
  rig.call();
  rig.next().say(unavailable("REPLICA_DISK_FULL", "no space"));
  rig.later->run_one();
  const Asked second = rig.next();
  CHECK(second.node == "n3");
  second.say(reply("lent"));
  CHECK(rig.heard.at(0)->payload == "lent");
}

TEST_CASE("an answer that is no reason to go on is the caller's") {
  Rig rig;
  rig.call();
  Error why = failed_precondition("BOOK_LENT", "somebody has it");
  // What the shard that leads says is no failure of the way to it.
  SUBCASE("a set aside key") {
    why = unavailable("ENTITY_QUARANTINED", "its handlers throw");
  }
  SUBCASE("an id from the future") {
    why = unavailable("MESSAGE_ID_AHEAD", "set the clocks");
  }
  SUBCASE("a rule of the service") {}
  why.retry_after = 3s;
  rig.next().say(why);
  CHECK(rig.heard.at(0).error() == why);
  CHECK(rig.asked.empty());
  CHECK(rig.later->waiting.empty());
}

TEST_CASE(
    "a refusal from before its id was looked up does not make a command one that has not run") {
  Rig rig;
  rig.call();
  rig.next().answer(unavailable("LINK_LOST", "the link broke"));
  rig.later->run_one();
  rig.next().answer(resource_exhausted("LINK_FULL", "too much waits"));
  CHECK(rig.heard.at(0).error().reason == "OUTCOME_UNKNOWN");
  rig.call();
  const Error full = resource_exhausted("LINK_FULL", "too much waits");
  rig.next().answer(full);
  CHECK(rig.heard.at(1).error() == full);
}

TEST_CASE("a node that stops answers calls that wait for another attempt") {
  Rig rig;
  rig.call();
  rig.next().say(not_leading());
  rig.later->waiting.clear();
  CHECK(rig.heard.at(0).error().reason == "OUTCOME_UNKNOWN");
  CHECK(rig.router.in_flight() == 0);
}

TEST_CASE("calls whose time is over are counted where they died") {
  Rig rig;
  rig.call(1, 30ms);
  rig.call(2, 30ms);
  rig.fail_until_heard(link_down(), 2);
  CHECK(rig.world.outside().metrics().text().find(
            "troupe_calls_late_total{service=\"shelf.v1.Books\",where=\"router\"} 1") !=
        std::string::npos);
}

TEST_CASE("a command from another node is answered by what is here, or says what is not") {
  Rig rig;
  const auto serve = [&](std::string bytes) {
    std::string answered;
    rig.router.serve(bytes, MonotonicTime::max(), [&](std::string reply) { answered = reply; });
    return decode_reply(answered).reply;
  };
  CHECK(serve("\xff\xff").error().reason == "COMMAND_MALFORMED");
  actors::CallOptions options;
  options.id = rig.fresh_id();
  const auto command = encode_command({&books(), 0, "dune", "body"}, options, 1);
  CHECK(serve(command).error().reason == "SHARD_NOT_HERE");
  auto changed = decode_command(command).value();
  changed.set_method("Burn");
  CHECK(serve(changed.SerializeAsString()).error().reason == "METHOD_UNKNOWN");
  // A node that knows no conditions looks at `method` alone, and so runs nothing.
  options.if_version = 7;
  const auto conditional =
      decode_command(encode_command({&books(), 0, "dune", "body"}, options, 1)).value();
  CHECK(conditional.method().empty());
  CHECK(conditional.method_if_version() == books().methods[0].name);
  changed.set_service("shelf.v1.Films");
  CHECK(serve(changed.SerializeAsString()).error().reason == "SHARD_NOT_HERE");
}

TEST_CASE("a command from another node reaches the shard with all that belongs to it") {
  Rig rig{{"n1", "n2"}};
  actors::CallOptions options;
  options.id = rig.fresh_id();
  options.caller = "ann";
  options.trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  options.on_behalf_of = {"ann", "acme", "bob"};
  options.if_version = 0;
  const MonotonicTime deadline = rig.world.outside().clock().now() + 3s;

  actors::RequestPtr came;
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("testing"));  // no threads
  {
    caf::actor_system system{config};
    const caf::actor shard = system.spawn([&came](caf::event_based_actor* self) {
      return caf::behavior{[&came, self](actors::RequestPtr& request) {
        came = std::move(request);
        self->quit();
      }};
    });
    rig.router.announce(books(), 0, shard);
    rig.router.serve(encode_command({&books(), 0, "dune", "body"}, options, 2), deadline,
                     [](std::string) {});
    dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler()).run();
    rig.router.announce(books(), 0, {});
  }
  REQUIRE(came);
  CHECK(came->service == &books());
  CHECK(came->method == 0);
  CHECK(came->if_version == std::uint64_t{0});
  CHECK(came->key == "dune");
  CHECK(came->payload == "body");
  CHECK(came->id == *options.id);
  CHECK(came->caller == "ann");
  CHECK(came->trace == options.trace);
  CHECK(came->on_behalf_of == options.on_behalf_of);
  CHECK(came->deadline == deadline);
}

TEST_CASE("calls of a shard are bounded, wherever they come from") {
  Rig rig;
  Router router{rig.world.outside(), {.node = "n1", .in_flight_max = 2}};
  router.add_service(books(), {{"n1"}});
  std::vector<std::string> refused;
  actors::CallOptions options;
  options.id = rig.fresh_id();
  const auto serve = [&] {
    router.serve(encode_command({&books(), 0, "dune", "body"}, options, 1), MonotonicTime::max(),
                 [&](const std::string& bytes) {
                   const auto reply = decode_reply(bytes).reply;
                   refused.push_back(reply ? "" : reply.error().reason);
                 });
  };
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("testing"));  // no threads: nothing is answered
  {
    caf::actor_system system{config};
    const caf::actor shard = system.spawn(
        [](caf::event_based_actor*) { return caf::behavior{[](actors::RequestPtr&) {}}; });
    router.announce(books(), 0, shard);
    serve();
    serve();
    CHECK(refused.empty());
    serve();
    CHECK(refused == std::vector<std::string>{"SHARD_OVERLOADED"});
    router.send({&books(), 0, "dune", "body"}, {}, [&](const Result<actors::Reply>& reply) {
      refused.push_back(reply ? "" : reply.error().reason);
    });
    CHECK(refused.back() == "SHARD_OVERLOADED");
    dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler()).run();
    CHECK(refused.size() == 4);
    serve();
    CHECK(refused.size() == 4);
    dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler()).run();
    router.announce(books(), 0, {});
  }
}

}  // namespace troupe::cluster::test

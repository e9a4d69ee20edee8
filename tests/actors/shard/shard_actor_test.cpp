#include "actors/shard/shard_actor.hpp"

#include <doctest/doctest.h>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <future>
#include <string>

#include "tests/actors/shard/rig.hpp"

namespace troupe::actors::testing {
namespace {

// A worker that posts to a shard holds the actor for a moment. If that is the last to hold it, the
// worker would destroy its own queue.
TEST_CASE("a shard's actor that has ended holds nothing, whoever still holds the actor") {
  Rig rig;
  caf::actor_system_config config;
  caf::actor_system system{config};
  std::promise<void> ended;
  const caf::actor held = spawn_shard(system, rig.spec(), rig.surroundings());
  caf::actor_cast<caf::abstract_actor*>(held)->attach_functor([&] { ended.set_value(); });
  caf::anon_send_exit(held, caf::exit_reason::kill);
  ended.get_future().wait();
  while (rig.queue->run_one()) {  // the file's end
  }
  CHECK(rig.queue.use_count() == 1);
  CHECK(rig.vitals.use_count() == 1);
}

// Requests without a deadline of their own are late, which is answered at once.
TEST_CASE("requests of a batch reach the shard in their order when the batch ends") {
  Rig rig;
  caf::actor_system_config config;
  caf::actor_system system{config};
  const caf::actor shard = spawn_shard(system, rig.spec(), rig.surroundings());
  std::string answers;
  std::promise<void> all;
  const auto send = [&](const std::string& name) {
    auto request = std::make_shared<Request>();
    request->service = &counter_type();
    request->method = get;
    request->reply_to = [&answers, &all, name](const Result<Reply>& reply) {
      answers += name + ' ' + (reply ? "" : reply.error().reason) + '\n';
      if (name == "third") all.set_value();
    };
    send_request(shard, std::move(request));
  };
  {
    const RequestBatch batch;
    send("first");
    {
      const RequestBatch inner;
      send("second");
    }
    send("third");
  }
  all.get_future().wait();
  CHECK(answers == "first DEADLINE_EXCEEDED\nsecond DEADLINE_EXCEEDED\nthird DEADLINE_EXCEEDED\n");

  std::promise<void> ended;
  caf::actor_cast<caf::abstract_actor*>(shard)->attach_functor([&] { ended.set_value(); });
  caf::anon_send_exit(shard, caf::exit_reason::kill);
  ended.get_future().wait();
  answers.clear();
  {
    const RequestBatch batch;
    send("fourth");
    send("fifth");
    CHECK(answers.empty());
  }
  CHECK(answers == "fourth OUTCOME_UNKNOWN\nfifth OUTCOME_UNKNOWN\n");
  while (rig.queue->run_one()) {  // the file's end
  }
}

}  // namespace
}  // namespace troupe::actors::testing

#include "actors/shard/shard_actor.hpp"

#include <doctest/doctest.h>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <future>

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

}  // namespace
}  // namespace troupe::actors::testing

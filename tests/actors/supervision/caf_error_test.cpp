// Our errors on their way through CAF.
#include <doctest/doctest.h>

#include <caf/all.hpp>

#include "actors/supervision.hpp"

using namespace troupe;
using namespace troupe::actors;

TEST_CASE("an error comes back from CAF as it went in") {
  const auto plain = failed_precondition("FOLDER_IN_USE", "another process holds it");
  CHECK(from_caf_error(to_caf_error(plain)) == plain);
  auto later = resource_exhausted("DISK_FULL", "");
  later.retry_after = std::chrono::seconds{3};
  CHECK(from_caf_error(to_caf_error(later)) == later);
}

TEST_CASE("an error of ours is no exit reason and no error of CAF's") {
  const auto error = to_caf_error(cancelled("X", "y"));
  CHECK(error);
  CHECK(error != caf::exit_reason::unhandled_exception);
  CHECK(error != caf::sec::unexpected_message);
}

TEST_CASE("an error that CAF made keeps CAF's text") {
  const auto killed = from_caf_error(caf::exit_reason::kill);
  CHECK(killed.code == Code::internal);
  CHECK(killed.reason == "ACTOR_FAILED");
  CHECK(killed.message.find("kill") != std::string::npos);
  CHECK(from_caf_error(caf::sec::runtime_error).message.find("runtime_error") != std::string::npos);
}

TEST_CASE("the absence of an error says so") {
  CHECK(from_caf_error(caf::error{}).reason == "ACTOR_ENDED");
}

TEST_CASE("an actor that throws ends with what() or, without one, still with a reason") {
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("testing"));
  caf::actor_system system{config};
  auto& coordinator = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  const auto end_of = [&](auto thrown) {
    Error found;
    auto actor = system.spawn([thrown](caf::event_based_actor* self) -> caf::behavior {
      end_on_exception(self);
      return {[thrown](int) { throw thrown; }};
    });
    actor->attach_functor([&](const caf::error& reason) { found = from_caf_error(reason); });
    caf::anon_send(actor, 1);
    coordinator.run();
    return found;
  };
  CHECK(end_of(std::runtime_error("boom")) == internal("UNHANDLED_EXCEPTION", "boom"));
  CHECK(end_of(42) ==
        internal("UNHANDLED_EXCEPTION", "something that is no std::exception was thrown"));
}

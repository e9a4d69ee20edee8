// The same supervisors on a scheduler with threads.
#include <doctest/doctest.h>

#include <atomic>
#include <caf/all.hpp>
#include <future>

#include "actors/supervision.hpp"
#include "fake_platform.hpp"

using namespace troupe;
using namespace troupe::actors;
using namespace std::chrono_literals;

TEST_CASE("a tree of supervisors works on threads while another thread reads it") {
  supervision_test::FakePlatform platform;
  const auto tree = SupervisionTree::make("n1");
  caf::actor_system_config config;
  caf::actor_system system{config};

  constexpr int failures = 50;
  std::promise<void> recovered;
  auto starts = std::make_shared<std::atomic<int>>(0);
  SupervisorSpec inner;
  inner.intensity = 2;
  inner.backoff = {100us, 100us, 0.0};
  inner.children.push_back({"a", [&, starts](caf::event_based_actor* supervisor) {
                              const int start = ++*starts;
                              return supervisor->spawn(
                                  [&, start](caf::event_based_actor* self) -> caf::behavior {
                                    end_on_exception(self);
                                    if (start <= failures) throw std::runtime_error("not yet");
                                    recovered.set_value();
                                    return {[](int) {}};
                                  });
                            }});
  SupervisorSpec outer;
  outer.intensity = failures;
  outer.backoff = {100us, 100us, 0.0};
  const SupervisionContext context{&platform, tree};
  outer.children.push_back({"inner", [&](caf::event_based_actor*) {
                              return spawn_supervisor(system, context, {"inner"}, inner);
                            }});
  auto root = spawn_supervisor(system, context, {}, outer);
  std::promise<caf::error> ended;
  root->attach_functor([&](const caf::error& reason) { ended.set_value(reason); });

  auto up = recovered.get_future();
  while (up.wait_for(0s) != std::future_status::ready) CHECK(tree->snapshot().id == "n1");
  CHECK(*starts == failures + 1);
  CHECK(platform.counters["/inner"].value() == failures / 3);  // every third failure escalates
  CHECK(tree->snapshot().children.at(0).restarts == failures / 3);

  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  CHECK(ended.get_future().get() == caf::exit_reason::user_shutdown);
}

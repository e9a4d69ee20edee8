// Handlers that do not end, as a node tells of them.
#include "cluster/handler_watch.hpp"

#include <doctest/doctest.h>

#include "runtime/platform/os/os_platform.hpp"
#include "tests/manual_platform.hpp"

namespace troupe::cluster {
namespace {

using namespace std::chrono_literals;

class ManualPlatform final : public runtime::Platform {
 public:
  tests::ManualClock& clock() override { return clock_; }
  tests::QuietLog& log() override { return log_; }
  runtime::Random& random() override { return os_->random(); }
  runtime::Disk& disk() override { return os_->disk(); }
  runtime::Network& network() override { return os_->network(); }
  runtime::Workers& workers() override { return os_->workers(); }
  runtime::Metrics& metrics() override { return os_->metrics(); }
  void configure(caf::actor_system_config&) override {}
  void fail_stop(const Error&) override { std::abort(); }

 private:
  const std::unique_ptr<runtime::Platform> os_ = runtime::make_os_platform({});
  tests::ManualClock clock_;
  tests::QuietLog log_;
};

TEST_CASE("a handler that runs for long is a problem while it does, and is logged once") {
  ManualPlatform platform;
  actors::ServiceType type;
  type.name = "shop.v1.Carts";
  type.methods = {{"Add"}, {"Empty"}};
  actors::ServiceRegistry registry;
  registry.add({&type, [] { return nullptr; }});
  config::Node node;
  node.name = "n1";
  Hosted hosted{platform, {}, node, registry, "."};
  const auto shard = hosted.add(type.name, 3, false);
  REQUIRE(shard);
  HandlerWatch watch{platform, hosted};
  const auto begins = [&](std::uint32_t method) {
    shard->vitals->handler = method;
    shard->vitals->handler_since_ns =
        std::chrono::nanoseconds{platform.clock().now().time_since_epoch()}.count();
  };

  begins(1);
  platform.clock().advance(HandlerWatch::usual_max);
  watch.look();
  CHECK(watch.problems().empty());
  CHECK(platform.log().events.empty());

  platform.clock().advance(2s);
  watch.look();
  platform.clock().advance(2s);
  watch.look();
  REQUIRE(watch.problems().size() == 1);
  CHECK(watch.problems()[0].starts_with(
      "shop.v1.Carts/3: the handler of Empty has run for 9 s; the shard's other calls"));
  CHECK(platform.log().events == std::vector<std::string>{"shard.handler_runs_long"});

  shard->vitals->handler_since_ns = 0;
  watch.look();
  CHECK(watch.problems().empty());
  CHECK(platform.log().events.back() == "shard.handler_ended");

  begins(0);
  platform.clock().advance(6s);
  watch.look();
  begins(0);  // another one
  platform.clock().advance(6s);
  watch.look();
  CHECK(platform.log().events ==
        std::vector<std::string>{"shard.handler_runs_long", "shard.handler_ended",
                                 "shard.handler_runs_long", "shard.handler_runs_long",
                                 "shard.handler_ended"});
}

}  // namespace
}  // namespace troupe::cluster

#include "cluster/gateway/admission.hpp"

#include "gateway_fixture.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::tests;
using namespace std::chrono_literals;

namespace {

const actors::ServiceType& other_service() {
  static const actors::ServiceType type = rules_service("First");
  return type;
}

struct Narrow {
  explicit Narrow(std::uint32_t in_flight) {
    GatewayOptions options;
    options.listen = {"127.0.0.1", 0};
    options.admission = admission = std::make_shared<Admission>(
        api.platform, std::vector{&library(), &other_service()}, [&](const std::string&) {
          return config::Admission{true, 50ms, 1, in_flight};
        });
    api.gateway = Gateway::start(api.platform, api.client, {&library()}, options).value();
    api.http.emplace(api.platform, api.gateway->local());
  }
  std::string metrics() { return api.platform.metrics().text(); }

  GatewayFixture api;
  std::shared_ptr<Admission> admission;
};

const std::string labels = R"({kind="commands",service="gateway_test.v1.Library"} )";

}  // namespace

TEST_CASE("a call that hangs gives its place back when it is answered 504, and once") {
  Narrow narrow{1};
  narrow.api.send(json("DELETE", "/v1/books/a", ""));
  narrow.api.platform.advance(std::chrono::minutes{1});
  CHECK(response(narrow.api.http->take()).status == 504);
  CHECK(holds(narrow.metrics(), "troupe_admission_in_flight" + labels + "0\n"));
  narrow.api.http->send(json("DELETE", "/v1/books/b", ""));
  REQUIRE(narrow.api.client.sent.size() == 2);
  CHECK(holds(narrow.metrics(), "troupe_admission_in_flight" + labels + "1\n"));
  narrow.api.client.sent.front().reply_to(
      actors::Reply{v1::Nothing{}.SerializeAsString(), 1, false});
  CHECK(holds(narrow.metrics(), "troupe_admission_in_flight" + labels + "1\n"));
}

TEST_CASE("a call over the limit is answered 429 at once, and is let in when another has ended") {
  Narrow narrow{1};
  narrow.api.send(json("DELETE", "/v1/books/a", ""));
  MemoryClient second{narrow.api.platform, narrow.api.gateway->local()};
  // Its body is not even looked at.
  second.send(json("POST", "/v1/books/b:lend", "no JSON"));
  const auto refused = response(second.take());
  CHECK(refused.status == 429);
  CHECK(refused.header("Retry-After") == "1");
  CHECK(refused.header("traceparent") != "");
  CHECK(holds(refused.body, "\"reason\":\"ADMISSION_LIMIT\""));
  CHECK(holds(refused.body, "commands of gateway_test.v1.Library"));
  CHECK(narrow.api.client.sent.size() == 1);
  CHECK(holds(narrow.metrics(), "troupe_admission_refused_total" + labels + "1\n"));
  CHECK(holds(narrow.metrics(), "troupe_admission_in_flight" + labels + "1\n"));
  CHECK(holds(narrow.metrics(), "troupe_admission_limit" + labels + "1\n"));

  CHECK(narrow.api.reply(v1::Nothing{}).status == 200);
  CHECK(holds(narrow.metrics(), "troupe_admission_in_flight" + labels + "0\n"));
  second.send(json("DELETE", "/v1/books/b", ""));
  CHECK(narrow.api.client.sent.size() == 1);
}

TEST_CASE("reads and other services have limits of their own") {
  Narrow narrow{1};
  const auto commands = narrow.admission->enter(library(), 0);
  REQUIRE(commands);
  CHECK_FALSE(narrow.admission->enter(library(), 0));
  const auto reads = narrow.admission->enter(library(), 1);
  CHECK(reads);
  CHECK_FALSE(narrow.admission->enter(library(), 1));
  CHECK(narrow.admission->enter(other_service(), 0));
  commands->answered(actors::Reply{});
  CHECK(narrow.admission->enter(library(), 0));
  CHECK_FALSE(narrow.admission->enter(library(), 1));
}

TEST_CASE("a request that cannot be read takes no place") {
  Narrow narrow{1};
  for (int i = 0; i < 3; ++i)
    CHECK(narrow.api.ask(json("POST", "/v1/books/b:lend", "no JSON")).status == 400);
  CHECK(holds(narrow.metrics(), "troupe_admission_in_flight" + labels + "0\n"));
}

TEST_CASE("a call that failed or was forgotten gives its place back") {
  Narrow narrow{1};
  narrow.api.send(json("DELETE", "/v1/books/a", ""));
  CHECK(narrow.api.reply(unavailable("NO_LEADER", "nobody leads")).status == 503);
  narrow.api.send(json("DELETE", "/v1/books/a", ""));
  CHECK(narrow.api.reply(v1::Nothing{}).status == 200);
}

TEST_CASE("the limit of a service is set anew while calls are in flight") {
  Narrow narrow{1};
  const auto first = narrow.admission->enter(library(), 0);
  CHECK_FALSE(narrow.admission->enter(library(), 0));
  narrow.admission->configure(library().name, {true, 50ms, 1, 2});
  narrow.admission->configure("nobody.v1.Knows", {true, 50ms, 1, 1});
  CHECK(narrow.admission->enter(library(), 0));
  CHECK_FALSE(narrow.admission->enter(library(), 0));
  CHECK(holds(narrow.metrics(), "troupe_admission_limit" + labels + "2\n"));
}

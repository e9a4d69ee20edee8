// ETag, If-Match and If-None-Match: the version of an entity over HTTP.
#include "gateway_fixture.hpp"

namespace troupe::cluster::tests {
namespace {

const actors::ServiceType& versioned_library() {
  static const actors::ServiceType type = [] {
    actors::ServiceType made = library();
    for (auto& method : made.methods) method.versioned = method.name != "Lend";
    return made;
  }();
  return type;
}

actors::Reply at_version(std::uint64_t version) {
  actors::Reply reply;
  reply.version = version;
  return reply;
}

struct Conditions : GatewayFixture {
  Conditions() {
    GatewayOptions options;
    options.listen = {"127.0.0.1", 0};
    auto started = Gateway::start(platform, client, {&versioned_library()}, options);
    REQUIRE(started);
    gateway = std::move(*started);
    http.emplace(platform, gateway->local());
  }
  std::optional<std::uint64_t> sent(const std::string& headers) {
    const auto wanted = send(json("DELETE", "/v1/books/b", "", headers)).options.if_version;
    reply(actors::Reply{});
    return wanted;
  }
  std::string refused(const std::string& bytes) {
    const auto got = ask(bytes);
    CHECK(got.status == 400);
    return got.body;
  }
};

TEST_CASE("an answer has the version of its entity, a replayed one has none") {
  Conditions api;
  api.send(json("DELETE", "/v1/books/b", ""));
  CHECK(api.reply(at_version(12)).header("ETag") == "\"12\"");
  api.send(json("DELETE", "/v1/books/b", ""));
  CHECK(api.reply(actors::Reply{"", 1, true}).header("ETag") == "");
  api.send(json("POST", "/v1/books/b:lend", "{}"));  // its contract does not say so
  CHECK(api.reply(at_version(12)).header("ETag") == "");
}

TEST_CASE("a condition travels with the command, and a mismatch is 412") {
  Conditions api;
  CHECK(api.sent("If-Match: \"7\"\r\n") == std::uint64_t{7});
  CHECK(api.sent("If-None-Match: *\r\n") == std::uint64_t{0});
  CHECK(api.sent("") == std::nullopt);
  api.send(json("DELETE", "/v1/books/b", "", "If-Match: \"7\"\r\n"));
  const auto mismatch = api.reply(failed_precondition("VERSION_MISMATCH", "it has 8"));
  CHECK(mismatch.status == 412);
  CHECK(holds(mismatch.body, "VERSION_MISMATCH"));
}

TEST_CASE("a read of what the client has is 304") {
  Conditions api;
  api.send(get("/v1/books", "If-None-Match: \"6\", \"7\"\r\n"));
  const auto same = api.reply(at_version(7));
  CHECK(same.status == 304);
  CHECK(same.header("ETag") == "\"7\"");
  CHECK(same.body == "");
  api.send(get("/v1/books", "If-None-Match: \"6\"\r\n"));
  CHECK(api.reply(at_version(7)).status == 200);
}

TEST_CASE("a condition that cannot be kept is refused, and nothing runs") {
  Conditions api;
  for (const char* wrong :
       {"If-Match: 7\r\n", "If-Match: W/\"7\"\r\n", "If-Match: *\r\n", "If-Match: \"7\", \"8\"\r\n",
        "If-Match: \"x\"\r\n", "If-Match: \"99999999999999999999\"\r\n",
        "If-Match: \"7\"\r\nIf-Match: \"7\"\r\n", "If-None-Match: \"7\"\r\n"}) {
    CAPTURE(wrong);
    CHECK(holds(api.refused(json("DELETE", "/v1/books/b", "", wrong)), "CONDITION_INVALID"));
  }
  CHECK(holds(api.refused(json("POST", "/v1/books/b:lend", "{}", "If-Match: \"7\"\r\n")),
              "CONDITION_UNSUPPORTED"));
  CHECK(holds(api.refused(get("/v1/books", "If-Match: \"7\"\r\n")), "CONDITION_UNSUPPORTED"));
}

}  // namespace
}  // namespace troupe::cluster::tests

// What browsers hear about pages of other origins, and what clients hear that want no JSON.
#include "gateway_fixture.hpp"

namespace troupe::cluster::tests {
namespace {

struct CorsFixture : GatewayFixture {
  explicit CorsFixture(config::Cors cors) {
    GatewayOptions options;
    options.listen = {"127.0.0.1", 0};
    options.cors = std::move(cors);
    auto started = Gateway::start(platform, client, {&library()}, options);
    REQUIRE(started);
    gateway = std::move(*started);
    http.emplace(platform, gateway->local());
  }
};

std::string preflight(const std::string& target, const std::string& origin) {
  return "OPTIONS " + target + " HTTP/1.1\r\nHost: a\r\nOrigin: " + origin +
         "\r\nAccess-Control-Request-Method: PUT\r\n"
         "Access-Control-Request-Headers: content-type\r\n\r\n";
}

TEST_CASE("a call that hangs is answered with what every answer has") {
  config::Cors cors;
  cors.origins = {"https://shop.example"};
  CorsFixture api{cors};
  const auto& sent =
      api.send(json("POST", "/v1/books/b:lend", "{}", "Origin: https://shop.example\r\n"));
  api.platform.advance(std::chrono::minutes{1});
  const auto got = response(api.http->take());
  CHECK(got.status == 504);
  CHECK(got.header("traceparent") == sent.options.trace);
  CHECK(got.header("Access-Control-Allow-Origin") == "https://shop.example");
  sent.reply_to(not_found("BOOK_UNKNOWN", "too late"));
  CHECK(api.http->take() == "");
}

TEST_CASE("a preflight of an origin that may is told what it may do") {
  config::Cors cors;
  cors.origins = {"https://shop.example", "http://localhost:3000"};
  cors.credentials = true;
  CorsFixture api{cors};
  const auto yes = api.ask(preflight("/v1/books/b", "http://localhost:3000"));
  CHECK(yes.status == 204);
  CHECK(yes.header("Access-Control-Allow-Origin") == "http://localhost:3000");
  CHECK(yes.header("Access-Control-Allow-Credentials") == "true");
  CHECK(yes.header("Access-Control-Allow-Methods") == "OPTIONS, DELETE, PUT");
  CHECK(holds(yes.header("Access-Control-Allow-Headers"), "Idempotency-Key"));
  CHECK(yes.header("Access-Control-Max-Age") == "600");
  CHECK(yes.header("Vary") == "Origin");
  const auto no = api.ask(preflight("/v1/books/b", "https://evil.example"));
  CHECK(no.status == 204);
  CHECK(no.header("Access-Control-Allow-Origin") == "");
  CHECK(no.header("Vary") == "Origin");
  CHECK(api.ask(preflight("/v2/nothing", "http://localhost:3000")).status == 404);
}

TEST_CASE("answers and errors name the origin that may read them") {
  config::Cors cors;
  cors.origins = {"*"};
  CorsFixture api{cors};
  api.send(json("DELETE", "/v1/books/b", "", "Origin: https://any.example\r\n"));
  const auto done = api.reply(actors::Reply{"", 17, false, 3});
  CHECK(done.status == 200);
  CHECK(done.header("Access-Control-Allow-Origin") == "*");
  CHECK(holds(done.header("Access-Control-Expose-Headers"), "Troupe-Position"));
  const auto error = api.ask(get("/v2/nothing", "Origin: https://any.example\r\n"));
  CHECK(error.status == 404);
  CHECK(error.header("Access-Control-Allow-Origin") == "*");
  CHECK(api.ask(get("/v2/nothing")).header("Access-Control-Allow-Origin") == "");
}

TEST_CASE("without a word of the manifest no origin hears anything") {
  GatewayFixture api;
  const auto answer = api.ask(preflight("/v1/books/b", "https://shop.example"));
  CHECK(answer.status == 204);
  CHECK(answer.header("Allow") == "OPTIONS, DELETE, PUT");
  CHECK(answer.header("Access-Control-Allow-Origin") == "");
  CHECK(answer.header("Access-Control-Allow-Methods") == "");
}

TEST_CASE("who accepts no JSON is refused before anything is done") {
  GatewayFixture api;
  for (const char* accept :
       {"text/html", "text/html, image/*;q=0.9", "application/json;q=0, text/html",
        "application/json;q=0.0, */*", "application/*;q=0"}) {
    CAPTURE(accept);
    const auto refused =
        api.ask(json("DELETE", "/v1/books/b", "", std::string{"Accept: "} + accept + "\r\n"));
    CHECK(refused.status == 406);
    CHECK(holds(refused.body, "ANSWER_NOT_ACCEPTABLE"));
  }
  for (const char* accept : {"*/*", "text/html, */*;q=0.1", "application/*", "APPLICATION/JSON;q=1",
                             "", "text/html\r\nAccept: application/json"}) {
    CAPTURE(accept);
    api.send(json("DELETE", "/v1/books/b", "", std::string{"Accept: "} + accept + "\r\n"));
    CHECK(api.reply(actors::Reply{"", 17, false, 3}).status == 200);
  }
}

}  // namespace
}  // namespace troupe::cluster::tests

#include "gateway_fixture.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::tests;

TEST_CASE("a request becomes a call, and its reply the answer") {
  GatewayFixture api;
  const auto& sent = api.send(json("POST", "/v1/books/b%201:lend", R"({"days":"3"})"));
  CHECK(sent.call.service == &library());
  CHECK(sent.call.method == 0);
  CHECK(sent.call.key == "b 1");
  CHECK(sent.request<v1::LendRequest>().days() == 3);
  CHECK_FALSE(sent.options.id);
  CHECK(sent.options.caller == "http");
  CHECK(sent.options.timeout == std::chrono::seconds{7});
  CHECK(runtime::TraceContext::parse(sent.options.trace));

  v1::Loan loan;
  loan.set_book("b 1");
  loan.set_days(3);
  const auto trace = sent.options.trace;
  const auto got = api.reply(loan);
  CHECK(got.status == 200);
  CHECK(got.header("Content-Type") == "application/json");
  CHECK(got.header("traceparent") == trace);
  CHECK(got.header("Idempotency-Replayed") == "");
  CHECK(got.header("Troupe-Position") == "gateway_test.v1.Library/0@1");
  CHECK(got.body == R"({"book":"b 1","days":"3","extended":false,"notes":{}})");
}

TEST_CASE("HEAD is a GET without its body") {
  GatewayFixture api;
  api.send("HEAD /v1/books:count HTTP/1.1\r\nHost: a\r\n\r\n");
  v1::Books books;
  books.set_total(12);
  auto sent = std::move(api.client.sent.front());
  sent.reply_to(actors::Reply{books.SerializeAsString(), 1, false});
  const auto got = response(api.http->take(), true);
  CHECK(got.status == 200);
  CHECK(got.header("Content-Length") == "4");
}

TEST_CASE("the client's trace goes on in a span of ours") {
  GatewayFixture api;
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const auto& sent = api.send(
      json("DELETE", "/v1/books/b", "", "traceparent: 00-" + trace + "-00f067aa0ba902b7-01\r\n"));
  const auto context = runtime::TraceContext::parse(sent.options.trace);
  REQUIRE(context);
  CHECK(context->trace_id() == trace);
  CHECK(context->span_id() != "00f067aa0ba902b7");
  CHECK(context->sampled);
  const auto got = api.reply(failed_precondition("BOOK_LENT", "the book is lent"));
  CHECK(holds(got.header("traceparent"), trace));
  CHECK(holds(got.body, "\"instance\":\"urn:troupe:trace:" + trace + "\""));
}

TEST_CASE("a trace that is malformed or sent twice is replaced by a new one") {
  GatewayFixture api;
  const std::string valid =
      "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";
  for (const auto& headers : {std::string{"traceparent: nonsense\r\n"}, valid + valid}) {
    const auto& sent = api.send(json("DELETE", "/v1/books/b", "", headers));
    const auto context = runtime::TraceContext::parse(sent.options.trace);
    REQUIRE(context);
    CHECK(context->trace_id() != "4bf92f3577b34da6a3ce929d0e0e4736");
    api.reply(v1::Nothing{});
  }
}

TEST_CASE("an Idempotency-Key names the command, quoted or bare") {
  GatewayFixture api;
  const auto id = [&](const std::string& key) {
    const auto& sent =
        api.send(json("DELETE", "/v1/books/b", "", "Idempotency-Key: " + key + "\r\n"));
    REQUIRE(sent.options.id);
    const auto result = *sent.options.id;
    api.reply(v1::Nothing{});
    return result;
  };
  CHECK(id("abc") == actors::MessageId::from_key("abc"));
  CHECK(id("\"abc\"") == actors::MessageId::from_key("abc"));
  CHECK(id(R"("a \"b\" \\")") == actors::MessageId::from_key(R"(a "b" \)"));
  CHECK(id(std::string(255, 'k')) == actors::MessageId::from_key(std::string(255, 'k')));
  CHECK_FALSE(id("abc") == id("abd"));
}

TEST_CASE("an Idempotency-Key that is none is refused") {
  GatewayFixture api;
  for (const std::string key : {"", "\"\"", "\"abc", "\"a\"b", "\"a\\b\"", "a b", "a\"b", "a,b",
                                "\xC3\xA9", "\"\xC3\xA9\""}) {
    CAPTURE(key);
    const auto got = api.ask(json("DELETE", "/v1/books/b", "", "Idempotency-Key: " + key + "\r\n"));
    CHECK(got.status == 400);
    CHECK(holds(got.body, "IDEMPOTENCY_KEY_INVALID"));
  }
  const auto longer = "Idempotency-Key: " + std::string(256, 'k') + "\r\n";
  CHECK(api.ask(json("DELETE", "/v1/books/b", "", longer)).status == 400);
  const std::string twice = "Idempotency-Key: a\r\nidempotency-key: a\r\n";
  CHECK(api.ask(json("DELETE", "/v1/books/b", "", twice)).status == 400);
}

TEST_CASE("a stored reply is marked") {
  GatewayFixture api;
  api.send(json("DELETE", "/v1/books/b", "", "Idempotency-Key: a\r\n"));
  const auto got = api.reply(actors::Reply{"", 17, true, 3});
  CHECK(got.status == 200);
  CHECK(got.header("Troupe-Position") == "gateway_test.v1.Library/3@17");
  CHECK(got.header("Idempotency-Replayed") == "true");
  CHECK(got.body == "{}");
}

TEST_CASE("a reply that may be stale says how old it is at most") {
  GatewayFixture api;
  CHECK_FALSE(api.send(json("DELETE", "/v1/books/b", "")).options.fresh);
  const auto got = api.reply(actors::Reply{"", 17, false, 3, std::chrono::milliseconds{2100}});
  CHECK(got.header("Age") == "3");
  CHECK(got.header("Troupe-Applied-Index") == "17");
  CHECK(api.send(json("DELETE", "/v1/books/b", "", "Cache-Control: no-cache\r\n")).options.fresh);
  const auto fresh = api.reply(actors::Reply{"", 17, false, 3});
  CHECK(api.send(json("DELETE", "/v1/books/b", "", "Cache-Control: max-age=0, No-Cache\r\n"))
            .options.fresh);
  api.reply(actors::Reply{"", 17, false, 3});
  CHECK(fresh.header("Age") == "");
}

TEST_CASE("what is wrong with a request is answered without a call") {
  GatewayFixture api;
  const auto check = [](const Received& got, unsigned status, const std::string& reason) {
    CHECK(got.status == status);
    CHECK(got.header("Content-Type") == "application/problem+json");
    CHECK(got.header("traceparent") != "");
    CHECK(holds(got.body, "\"reason\":\"" + reason + "\""));
    CHECK(holds(got.body, "\"instance\":\"urn:troupe:trace:"));
  };
  check(api.ask(get("/v2/nothing")), 404, "ROUTE_NOT_FOUND");
  check(api.ask(json("BREW", "/v1/books", "")), 501, "HTTP_METHOD_UNKNOWN");
  check(api.ask(json("POST", "/v1/books/b:lend", "{")), 400, "JSON_INVALID");
  check(api.ask(json("POST", "/v1/books/b:lend", R"({"x":1})")), 400, "FIELD_UNKNOWN");
  check(api.ask(json("POST", "/v1/books/b:lend", R"({"days":"x"})")), 400, "FIELD_INVALID");
  check(api.ask(get("/v1/books?x=1")), 400, "FIELD_UNKNOWN");
  check(api.ask(post("/v1/books/b:lend", "days=3",
                     "Content-Type: application/x-www-form-urlencoded\r\n")),
        415, "MEDIA_TYPE_UNSUPPORTED");

  const auto wrong = api.ask(json("POST", "/v1/books/b", "{}"));
  check(wrong, 405, "METHOD_NOT_ALLOWED");
  CHECK(wrong.header("Allow") == "OPTIONS, DELETE, PUT");
}

TEST_CASE("a key that the contract refuses is refused") {
  // Not empty by the path, so by a service type that wants more.
  GatewayFixture api;
  auto picky = library();
  picky.methods[3].key_of = [](std::string_view) -> Result<std::string> {
    return invalid_argument("KEY_TOO_LONG", "the key is too long");
  };
  GatewayOptions options;
  options.listen = {"127.0.0.1", 0};
  api.gateway = Gateway::start(api.platform, api.client, {&picky}, options).value();
  api.http.emplace(api.platform, api.gateway->local());
  const auto got = api.ask(json("DELETE", "/v1/books/b", ""));
  CHECK(got.status == 400);
  CHECK(holds(got.body, "KEY_TOO_LONG"));
}

TEST_CASE("JSON is what a body is taken for if nothing else is said") {
  GatewayFixture api;
  for (const std::string type : {"", "Content-Type: Application/JSON ; charset=utf-8\r\n"}) {
    CHECK(api.send(post("/v1/books/b:lend", R"({"days":3})", type)).call.key == "b");
    CHECK(api.reply(v1::Loan{}).status == 200);
  }
}

TEST_CASE("OPTIONS says what a path allows") {
  GatewayFixture api;
  const auto books = api.ask("OPTIONS /v1/books HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(books.status == 204);
  CHECK(books.header("Allow") == "OPTIONS, GET, HEAD");
  CHECK(api.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").header("Allow") == "OPTIONS");
  CHECK(api.ask("OPTIONS /v2 HTTP/1.1\r\nHost: a\r\n\r\n").status == 404);
}

TEST_CASE("an error of every code has its status") {
  GatewayFixture api;
  const std::vector<std::pair<Error, unsigned>> errors{
      {cancelled("R", "m"), 499},
      {Error{Code::unknown, "R", "m"}, 500},
      {invalid_argument("R", "m"), 400},
      {deadline_exceeded("R", "m"), 504},
      {not_found("R", "m"), 404},
      {already_exists("R", "m"), 409},
      {permission_denied("R", "m"), 403},
      {resource_exhausted("R", "m"), 429},
      {resource_exhausted("DISK_FULL", "m"), 507},
      {failed_precondition("R", "m"), 400},
      {aborted("R", "m"), 409},
      {out_of_range("R", "m"), 400},
      {unimplemented("R", "m"), 501},
      {internal("R", "m"), 500},
      {unavailable("R", "m"), 503},
      {data_loss("R", "m"), 500},
      {unauthenticated("R", "m"), 401},
      {invalid_argument("IDEMPOTENCY_KEY_REUSED", "m"), 422},
      {already_exists("IDEMPOTENCY_KEY_REUSED", "m"), 422},
  };
  for (const auto& [error, status] : errors) {
    CAPTURE(error.describe());
    api.send(json("DELETE", "/v1/books/b", ""));
    const auto got = api.reply(error);
    CHECK(got.status == status);
    CHECK(holds(got.body, "\"code\":\"" + std::string{to_string(error.code)} + "\""));
    CHECK(holds(got.body, "\"status\":" + std::to_string(status)));
  }
}

TEST_CASE("a problem says what it is, and when to try again") {
  GatewayFixture api;
  api.send(json("DELETE", "/v1/books/b", ""));
  auto error = unavailable("SHARD_NOT_SERVING", "the shard \"a\" is\nstarting \xFF");
  error.retry_after = std::chrono::milliseconds{1200};
  const auto got = api.reply(error);
  CHECK(got.header("Retry-After") == "2");
  CHECK(got.body.starts_with(R"({"type":"urn:troupe:error:SHARD_NOT_SERVING",)"
                             R"("title":"Shard not serving","status":503,)"
                             "\"detail\":\"the shard \\\"a\\\" is\\nstarting \xEF\xBF\xBD\","
                             R"("code":"UNAVAILABLE","reason":"SHARD_NOT_SERVING",)"));
}

TEST_CASE("a reply that is not its message is an internal error") {
  GatewayFixture api;
  api.send(json("POST", "/v1/books/b:lend", "{}"));
  const auto got = api.reply(actors::Reply{"\xFF", 1, false});
  CHECK(got.status == 500);
  CHECK(holds(got.body, "REPLY_MALFORMED"));
}

TEST_CASE("a client that hangs up before the answer leaves nothing behind") {
  GatewayFixture api;
  api.send(json("DELETE", "/v1/books/b", ""));
  api.http->hang_up();
  CHECK(holds(api.platform.metrics().text(), "troupe_http_connections{server=\"gateway\"} 0"));
  auto sent = std::move(api.client.sent.front());
  api.client.sent.clear();
  sent.reply_to(actors::Reply{});
  CHECK(holds(api.platform.log().lines.back(), "client_gone=true"));
}

TEST_CASE("a reply that comes when the gateway is gone harms nobody") {
  GatewayFixture api;
  api.send(json("POST", "/v1/books/b:lend", "{}"));
  api.gateway.reset();
  api.platform.network().run();
  CHECK(api.http->closed());
  auto sent = std::move(api.client.sent.front());
  api.client.sent.clear();
  sent.reply_to(actors::Reply{v1::Loan{}.SerializeAsString(), 1, false});
}

TEST_CASE("a stop waits for the calls that are under way") {
  GatewayFixture api;
  api.send(json("DELETE", "/v1/books/b", ""));
  bool done = false;
  api.gateway->stop(std::chrono::seconds{10}, [&] { done = true; });
  api.platform.network().run();
  CHECK_FALSE(done);
  const auto got = api.reply(v1::Nothing{});
  CHECK(got.status == 200);
  CHECK(got.header("Connection") == "close");
  CHECK(done);
}

TEST_CASE("requests are counted and timed by method, route and status, and logged") {
  GatewayFixture api;
  api.send(json("DELETE", "/v1/books/b", ""));
  api.platform.advance(std::chrono::milliseconds{30});
  const auto trace = runtime::TraceContext::parse(api.client.sent.front().options.trace);
  api.reply(not_found("BOOK_UNKNOWN", "no such book"));
  api.ask(json("BREW", "/v1/books?title=secret", ""));
  const auto text = api.platform.metrics().text();
  CHECK(holds(text, R"(troupe_http_requests_total{method="DELETE",route="/v1/books/{book}",)"
                    R"(status="404"} 1)"));
  CHECK(holds(text, R"(troupe_http_requests_total{method="other",route="",status="501"} 1)"));
  CHECK(holds(text, R"(troupe_http_request_seconds_bucket{method="DELETE",)"
                    R"(route="/v1/books/{book}",le="0.025"} 0)"));
  CHECK(holds(text, R"(troupe_http_request_seconds_bucket{method="DELETE",)"
                    R"(route="/v1/books/{book}",le="0.05"} 1)"));
  CHECK(holds(text, "troupe_http_connections{server=\"gateway\"} 1"));

  const auto& lines = api.platform.log().lines;
  REQUIRE(lines.size() == 2);
  CHECK(holds(lines[0], "http.request"));
  CHECK(holds(lines[0], "status=404"));
  CHECK(holds(lines[0], "took_us=30000"));
  CHECK(holds(lines[0], "trace=" + trace->trace_id()));
  CHECK_FALSE(holds(lines[1], "secret"));
}

TEST_CASE("an address that is taken, and rules that clash, stop the start") {
  GatewayFixture api;
  GatewayOptions options;
  options.listen = api.gateway->local();
  const auto taken = Gateway::start(api.platform, api.client, {&library()}, options);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().reason == "ADDRESS_IN_USE");
  options.listen.port = 0;
  const auto first = rules_service("First");
  const auto second = rules_service("Second");
  const auto clash = Gateway::start(api.platform, api.client, {&first, &second}, options);
  REQUIRE_FALSE(clash);
  CHECK(clash.error().reason == "HTTP_RULE_INVALID");
}

#include <algorithm>

#include "http_fixture.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::tests;
using namespace std::chrono_literals;

namespace {

HttpServerOptions limits(std::function<void(HttpLimits&)> change) {
  HttpServerOptions options;
  change(options.limits);
  return options;
}

std::string many(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += get("/" + std::to_string(i));
  return bytes;
}

}  // namespace

TEST_CASE("a connection with too many requests in flight is not read until one is answered") {
  HttpFixture http{limits([](auto& limits) { limits.in_flight_max = 3; })};
  auto client = http.connect();
  client.send(many(7));
  CHECK(http.waiting.size() == 3);
  CHECK(client.read_paused());
  http.answer("two", 2);  // frees nothing: its turn has not come
  CHECK(http.waiting.size() == 2);
  http.answer("zero");
  CHECK(http.waiting.size() == 2);
  CHECK(http.waiting.back().request.path == "/3");
  http.answer("one");
  CHECK(http.waiting.size() == 3);
  while (!http.waiting.empty()) http.answer("x");
  CHECK(responses(client.take()).size() == 7);
  CHECK_FALSE(client.read_paused());
}

TEST_CASE("thousands of pipelined requests are answered one after the other") {
  HttpFixture http;
  http.echo();
  auto client = http.connect();
  client.send(many(5000));
  const auto all = responses(client.take());
  REQUIRE(all.size() == 5000);
  CHECK(all.back().body == "GET /4999 ");
}

TEST_CASE("a client that does not take its answers is not read until it does") {
  HttpFixture http{limits([](auto& limits) { limits.unsent_bytes_max = 10'000; })};
  http.handler = [](const HttpRequest&, const Respond& respond) {
    HttpResponse response;
    response.body = std::string(3000, 'b');
    respond(std::move(response));
  };
  auto client = http.connect();
  client.read_only_up_to(0);
  client.send(many(100));
  CHECK(client.read_paused());
  CHECK(client.take() == "");
  client.read_only_up_to(5'000);
  CHECK(client.read_paused());  // not drained yet
  client.read_only_up_to(SIZE_MAX);
  CHECK_FALSE(client.read_paused());
  CHECK(responses(client.take()).size() == 100);
}

TEST_CASE("a client that takes no answer at all is cut off") {
  HttpFixture http{limits([](auto& limits) { limits.write_time = 10s; })};
  http.echo();
  auto client = http.connect();
  client.read_only_up_to(0);
  client.send(get("/1"));
  http.platform.advance(8s);
  CHECK_FALSE(client.closed());
  http.platform.advance(2s);
  CHECK(client.closed());
}

TEST_CASE("a request whose answer does not come is answered 504, and the connection goes on") {
  HttpServerOptions options = limits([](auto& limits) { limits.answer_time = 10s; });
  std::vector<unsigned> observed;
  options.observe = [&](const HttpExchange& exchange) { observed.push_back(exchange.status); };
  HttpFixture http{std::move(options)};
  auto client = http.connect();
  client.send(get("/hangs?secret=1"));
  http.platform.advance(4s);
  client.send(get("/also") + get("/third"));
  http.platform.advance(5s);
  CHECK(client.take() == "");
  http.platform.advance(1s);
  const auto got = response(client.take());
  CHECK(got.status == 504);
  CHECK(got.body.find("CALL_TIMEOUT") != std::string::npos);
  const auto& log = http.platform.log().lines;
  const auto is_overdue = [](const std::string& line) {
    return line.starts_with("gateway.call_overdue: ") && line.ends_with("call=GET /hangs trace=");
  };
  CHECK(std::ranges::count_if(log, is_overdue) == 1);

  http.answer("too late");
  CHECK(client.take() == "");
  http.answer("in time", 1);  // and waits for the one before it
  CHECK(client.take() == "");
  http.platform.advance(4s);
  const auto rest = responses(client.take());
  REQUIRE(rest.size() == 2);
  CHECK(rest[0].status == 504);
  CHECK(rest[1].body == "in time");
  http.waiting.clear();
  CHECK(observed == std::vector<unsigned>{504, 200, 504});

  http.echo();
  client.send(get("/next"));
  CHECK(response(client.take()).status == 200);
  CHECK_FALSE(client.closed());
}

TEST_CASE("a client that does not take an answer that came late is cut off, too") {
  HttpFixture http{limits([](auto& limits) {
    limits.answer_time = 10s;
    limits.write_time = 5s;
  })};
  auto client = http.connect();
  client.read_only_up_to(0);
  client.send(get("/1") + get("/2"));
  http.platform.advance(3s);
  http.answer("one");
  http.platform.advance(11s);
  CHECK_FALSE(client.closed());
  http.platform.advance(1s);
  CHECK(client.closed());
}

TEST_CASE("a handler may say what an overdue request is answered with") {
  struct Instead final : OverdueAnswer {
    HttpResponse overdue() const override {
      HttpResponse response;
      response.status = 504;
      response.body = "instead";
      return response;
    }
  };
  HttpFixture http{limits([](auto& limits) { limits.answer_time = 10s; })};
  auto client = http.connect();
  client.send(get("/1"));
  http.waiting.front().respond.if_overdue(std::make_shared<const Instead>());
  http.platform.advance(10s);
  CHECK(response(client.take()).body == "instead");
}

TEST_CASE("a large body is counted until its handler lets go of it") {
  HttpFixture http{limits([](auto& limits) {
    limits.answer_time = 10s;
    limits.large_body_bytes = 10;
    limits.large_bodies_bytes_max = 100;
  })};
  const std::string large = post("/", std::string(60, 'b'));
  auto client = http.connect();
  client.send(large);
  http.platform.advance(10s);
  CHECK(response(client.take()).status == 504);
  auto refused = http.connect();
  refused.send(large);
  CHECK(response(refused.take()).status == 503);
  http.answer("at last");
  CHECK_FALSE(client.closed());  // or its end would have freed the room
  auto taken = http.connect();
  taken.send(large);
  http.answer("in time");
  CHECK(response(taken.take()).status == 200);
}

TEST_CASE("an idle connection is closed, counted from the last answer") {
  HttpFixture http{limits([](auto& limits) {
    limits.idle_time = 10s;
    limits.answer_time = 100s;
  })};
  auto client = http.connect();
  http.platform.advance(9s);
  client.send(get("/1"));
  http.platform.advance(50s);  // not idle: the answer is due
  CHECK_FALSE(client.closed());
  http.answer("one");
  http.platform.advance(9s);
  CHECK_FALSE(client.closed());
  http.platform.advance(1s);
  CHECK(client.closed());
}

TEST_CASE("a connection that never sends a request is closed") {
  HttpFixture http{limits([](auto& limits) { limits.idle_time = 10s; })};
  auto client = http.connect();
  client.send("\r\n\r\n");
  http.platform.advance(10s);
  CHECK(client.closed());
  CHECK(client.take() == "");
}

TEST_CASE("a request that trickles in for too long is answered 408") {
  HttpFixture http{limits([](auto& limits) { limits.header_time = 8s; })};
  auto client = http.connect();
  client.send("POST / HTTP/1.1\r\n");
  for (int second = 0; second < 8; ++second) {
    http.platform.advance(1s);
    client.send("X: 1\r\n");
  }
  CHECK(client.take() == "");
  http.platform.advance(1s);
  client.send("X: 1\r\n");
  const auto got = response(client.take());
  CHECK(got.status == 408);
  CHECK(got.header("Connection") == "close");
}

TEST_CASE("headers that took their time leave the body its own") {
  HttpFixture http{limits([](auto& limits) {
    limits.header_time = 8s;
    limits.body_time = 20s;
  })};
  http.echo();
  auto client = http.connect();
  client.send("POST /1 HTTP/1.1\r\n");
  http.platform.advance(7s);
  client.send("Host: a\r\nContent-Length: 4\r\n\r\n");
  http.platform.advance(19s);
  client.send("bo");
  http.platform.advance(2s);
  client.send("d");
  CHECK(response(client.take()).status == 408);
}

TEST_CASE("a request that stops half way is cut off") {
  HttpFixture http{limits([](auto& limits) { limits.body_time = 8s; })};
  auto client = http.connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345");
  http.platform.advance(10s);
  CHECK(client.closed());
  CHECK(http.waiting.empty());
}

TEST_CASE("beyond the most connections one is answered 503, and far beyond refused") {
  std::size_t open = 0;
  auto options = limits([](auto& limits) { limits.connections_max = 8; });
  options.connections_changed = [&](std::size_t count) { open = count; };
  HttpFixture http{options};
  http.echo();
  std::vector<std::unique_ptr<MemoryClient>> clients;
  for (int i = 0; i < 10; ++i)
    clients.push_back(std::make_unique<MemoryClient>(http.platform, http.server->local()));
  CHECK(open == 10);
  auto eleventh = http.connect();
  CHECK(eleventh.closed());

  clients[8]->send(get("/8"));
  const auto got = response(clients[8]->take());
  CHECK(got.status == 503);
  CHECK(got.header("Connection") == "close");
  CHECK(got.body.find("TOO_MANY_CONNECTIONS") != std::string::npos);
  clients[7]->send(get("/7"));
  CHECK(response(clients[7]->take()).status == 200);

  for (auto& client : clients) client->hang_up();
  CHECK(open == 0);
  auto next = http.connect();
  next.send(get("/next"));
  CHECK(response(next.take()).status == 200);
}

TEST_CASE("what a closing connection had begun to read does not hurry the answers that are due") {
  HttpFixture http{limits([](auto& limits) {
    limits.header_time = 1s;
    limits.answer_time = 60s;
  })};
  auto client = http.connect();
  client.send(get("/1") + get("/2") + "GET /3");
  REQUIRE(http.waiting.size() == 2);
  HttpResponse last;
  last.close = true;
  http.waiting.back().respond(std::move(last));
  http.waiting.pop_back();
  http.platform.advance(1s);  // /3 could have been cut off from now on
  client.send(" HTTP/1.1\r\n");
  http.platform.advance(10s);
  CHECK_FALSE(client.closed());
  http.answer("one");
  CHECK(responses(client.take()).size() == 2);
  CHECK(client.closed());
}

TEST_CASE("beyond so many refusals a client that goes on sending is read later") {
  HttpFixture http{limits([](auto& limits) { limits.refusals_max = 10; })};
  unsigned status = 429;
  int asked = 0;
  http.handler = [&](const HttpRequest&, const Respond& respond) {
    ++asked;
    HttpResponse response;
    response.status = status;
    respond(std::move(response));
  };
  auto client = http.connect();
  auto other = http.connect();
  client.send(many(5));
  http.platform.advance(100ms);
  CHECK(asked == 5);  // five in a tenth of a second are too many
  client.send(many(3));
  CHECK(asked == 6);
  CHECK(client.read_paused());
  client.send(many(1));
  other.send(get("/"));  // it may have met a bad moment
  CHECK(asked == 7);
  CHECK_FALSE(other.read_paused());
  http.platform.advance(4ms);
  CHECK(asked == 7);
  http.platform.advance(1ms);
  CHECK(asked == 8);
  status = 200;
  http.platform.advance(5ms);
  CHECK(asked == 10);  // an answer of another kind ends it
  CHECK_FALSE(client.read_paused());
  CHECK(responses(client.take()).size() == 9);

  // A server that stops does not wait for what it has not read.
  status = 429;
  client.send(many(3));
  CHECK(asked == 12);
  bool stopped = false;
  http.server->stop(1s, [&] { stopped = true; });
  http.platform.advance(1s);
  CHECK(stopped);
  CHECK(client.closed());
}

TEST_CASE("large bodies share a bound, and small ones pass it by") {
  HttpFixture http{limits([](auto& limits) {
    limits.large_body_bytes = 100;
    limits.large_bodies_bytes_max = 1000;
  })};
  const auto large = [](int bytes) { return post("/large", std::string(bytes, 'b')); };
  auto first = http.connect();
  const std::string half = large(900);
  first.send(half.substr(0, half.size() - 100));  // 800 bytes have arrived
  auto second = http.connect();
  SUBCASE("while one is on its way") {}
  SUBCASE("while one waits for its answer") {
    first.send(half.substr(half.size() - 100));
    REQUIRE(http.waiting.size() == 1);
  }
  const std::size_t waiting = http.waiting.size();
  second.send(large(300));
  const auto refused = response(second.take());
  CHECK(refused.status == 503);
  CHECK(refused.body.find("TOO_MANY_BODY_BYTES") != std::string::npos);
  CHECK(second.closed());
  auto third = http.connect();
  third.send(post("/small", std::string(100, 's')));
  CHECK(http.waiting.size() == waiting + 1);

  if (waiting == 1) {
    http.answer("done");
  } else {
    first.hang_up();
  }
  auto fourth = http.connect();
  fourth.send(large(900));
  CHECK(http.waiting.back().request.path == "/large");
}

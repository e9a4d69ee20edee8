#include "http_fixture.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::tests;

TEST_CASE("a request arrives with its parts, and its answer with date and length") {
  HttpFixture http;
  auto client = http.connect();
  client.send(post("/v1/a%20b?x=1&y=a+b%21&z", "hello", "X-One: 1\r\nx-one: 2\r\n"));
  REQUIRE(http.waiting.size() == 1);
  const auto& request = http.waiting.front().request;
  CHECK(request.method == "POST");
  CHECK(request.target == "/v1/a%20b?x=1&y=a+b%21&z");
  CHECK(request.path == "/v1/a%20b");
  CHECK(request.query == decltype(request.query){{"x", "1"}, {"y", "a b!"}, {"z", ""}});
  CHECK(request.body == "hello");
  CHECK(*request.header("X-ONE") == "1");
  CHECK(request.count("x-One") == 2);
  CHECK(request.header("x-two") == nullptr);
  CHECK(request.keep_alive);
  CHECK(request.remote.host == "198.51.100.7");

  http.answer("world");
  const auto got = response(client.take());
  CHECK(got.status == 200);
  CHECK(got.body == "world");
  CHECK(got.header("Content-Type") == "text/plain");
  CHECK(got.header("Date") == "Thu, 29 Feb 2024 13:00:00 GMT");
  CHECK(got.header("Connection") == "");
  CHECK_FALSE(client.closed());
}

TEST_CASE("requests are the same however their bytes are cut") {
  HttpFixture http;
  http.echo();
  const auto bytes = get("/one") + post("/two", "body of two") + "\r\n" +
                     "PUT /three HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "4;ext=1\r\nbody\r\nA\r\n of three \r\n0\r\nTrailer: x\r\n\r\n" +
                     get("/four");
  const std::vector<std::string> bodies{"GET /one ", "POST /two body of two",
                                        "PUT /three body of three ", "GET /four "};
  const auto check = [&](MemoryClient& client) {
    const auto all = responses(client.take());
    REQUIRE(all.size() == bodies.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      CHECK(all[i].status == 200);
      CHECK(all[i].body == bodies[i]);
    }
  };

  SUBCASE("at once") {
    auto client = http.connect();
    client.send(bytes);
    check(client);
  }
  SUBCASE("byte by byte") {
    auto client = http.connect();
    client.send_bytewise(bytes);
    check(client);
  }
  SUBCASE("in two pieces, cut anywhere") {
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
      auto client = http.connect();
      client.send(bytes.substr(0, cut));
      client.send(bytes.substr(cut));
      check(client);
    }
  }
}

TEST_CASE("answers leave in the order of the requests, whenever they are given") {
  HttpFixture http;
  auto client = http.connect();
  client.send(get("/1") + get("/2") + get("/3"));
  REQUIRE(http.waiting.size() == 3);
  http.answer("third", 2);
  http.answer("second", 1);
  CHECK(client.take() == "");
  http.answer("first");
  const auto all = responses(client.take());
  REQUIRE(all.size() == 3);
  CHECK(all[0].body == "first");
  CHECK(all[1].body == "second");
  CHECK(all[2].body == "third");
}

TEST_CASE("a connection stays open unless one side says close") {
  HttpFixture http;
  http.echo();
  auto client = http.connect();

  SUBCASE("HTTP/1.1 by default") {
    client.send(get("/1"));
    CHECK(response(client.take()).header("Connection") == "");
    CHECK_FALSE(client.closed());
  }
  SUBCASE("HTTP/1.1 with close") {
    client.send(get("/1", "Connection: close\r\n") + get("/2"));
    CHECK(response(client.take()).header("Connection") == "close");
    CHECK(client.closed());
  }
  SUBCASE("HTTP/1.0 by default") {
    client.send("GET /1 HTTP/1.0\r\n\r\n");
    CHECK(response(client.take()).header("Connection") == "close");
    CHECK(client.closed());
  }
  SUBCASE("HTTP/1.0 with keep-alive") {
    client.send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(response(client.take()).header("Connection") == "keep-alive");
    CHECK_FALSE(client.closed());
  }
  SUBCASE("the handler closes") {
    http.handler = [](const HttpRequest&, const Respond& respond) {
      HttpResponse response;
      response.close = true;
      respond(std::move(response));
    };
    client.send(get("/1"));
    CHECK(response(client.take()).header("Connection") == "close");
    CHECK(client.closed());
  }
}

TEST_CASE("HEAD gets the headers of the answer without its body") {
  HttpFixture http;
  auto client = http.connect();
  client.send("HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\n");
  http.answer("twelve bytes");
  const auto bytes = client.take();
  CHECK(bytes.ends_with("\r\n\r\n"));
  CHECK(response(bytes, true).header("Content-Length") == "12");
}

TEST_CASE("204 has neither body nor length") {
  HttpFixture http;
  http.handler = [](const HttpRequest&, const Respond& respond) {
    HttpResponse response;
    response.status = 204;
    response.headers.push_back({"X-Split", "a\r\nb: c"});
    respond(std::move(response));
  };
  auto client = http.connect();
  client.send(get("/1"));
  const auto got = response(client.take());
  CHECK(got.status == 204);
  CHECK(got.header("Content-Length") == "");
  CHECK(got.header("X-Split") == "a  b: c");
}

TEST_CASE("a client that asks first is told to continue, in its turn") {
  HttpFixture http;
  auto client = http.connect();
  const std::string head =
      "POST /2 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";

  SUBCASE("alone") {
    client.send(head);
    CHECK(client.take() == "HTTP/1.1 100 Continue\r\n\r\n");
  }
  SUBCASE("behind a request that is not answered yet") {
    client.send(get("/1") + head);
    CHECK(client.take() == "");
    http.answer("one");
    const auto all = responses(client.take());
    REQUIRE(all.size() == 2);
    CHECK(all[0].body == "one");
    CHECK(all[1].status == 100);
  }
  SUBCASE("not when the body comes anyway") {
    client.send(head + "bo");
    CHECK(client.take() == "");
  }
  if (http.waiting.empty()) client.send("body");
  if (http.waiting.empty()) client.send("dy");
  REQUIRE(http.waiting.size() == 1);
  http.answer("two");
  CHECK(response(client.take()).body == "two");
}

TEST_CASE("a request that is dropped without an answer is answered 500") {
  HttpFixture http;
  auto client = http.connect();
  client.send(get("/1") + get("/2"));
  http.waiting.pop_front();
  CHECK(response(client.take()).status == 500);
  http.answer("two");
  CHECK(response(client.take()).body == "two");
}

TEST_CASE("a handler that throws harms its own request only") {
  HttpFixture http;
  http.handler = [](const HttpRequest& request, const Respond& respond) {
    if (request.path == "/bad") throw std::runtime_error{"a bug"};
    respond({});
  };
  auto client = http.connect();
  client.send(get("/bad") + get("/good"));
  const auto all = responses(client.take());
  REQUIRE(all.size() == 2);
  CHECK(all[0].status == 500);
  CHECK(all[0].body.find("ANSWER_MISSING") != std::string::npos);
  CHECK(all[1].status == 200);
  REQUIRE(http.platform.log().lines.size() == 1);
  CHECK(http.platform.log().lines[0].find("a bug") != std::string::npos);
}

TEST_CASE("a client that hangs up before the answer costs nothing and stops nobody") {
  std::vector<HttpExchange> seen;
  std::size_t open = 99;
  HttpServerOptions options;
  options.observe = [&](const HttpExchange& exchange) { seen.push_back(exchange); };
  options.connections_changed = [&](std::size_t count) { open = count; };
  HttpFixture http{options};
  {
    auto client = http.connect();
    client.send(get("/1") + get("/2"));
    CHECK(open == 1);
    client.hang_up();
    CHECK(open == 0);
  }
  http.answer("late", 1);
  http.answer("late");
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].client_gone);

  auto client = http.connect();
  client.send(get("/3"));
  http.answer("three");
  CHECK(response(client.take()).body == "three");
  REQUIRE(seen.size() == 3);
  CHECK_FALSE(seen[2].client_gone);
}

TEST_CASE("what was answered is observed, with how long it took") {
  struct Seen {
    std::string method, target, route, trace;
    unsigned status;
    Duration took;
    std::size_t in, out;
  };
  std::vector<Seen> seen;
  HttpServerOptions options;
  options.observe = [&](const HttpExchange& it) {
    seen.push_back({std::string{it.method}, std::string{it.target}, std::string{it.route},
                    std::string{it.trace}, it.status, it.took, it.request_bytes,
                    it.response_bytes});
  };
  HttpFixture http{options};
  auto client = http.connect();
  client.send(post("/v1/x", "body"));
  http.platform.advance(std::chrono::milliseconds{250});
  HttpResponse response;
  response.status = 201;
  response.route = "/v1/{a}";
  response.trace = "abc";
  response.body = "123";
  http.waiting.front().respond(std::move(response));
  client.send("nonsense\r\n\r\n");
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].method == "POST");
  CHECK(seen[0].target == "/v1/x");
  CHECK(seen[0].route == "/v1/{a}");
  CHECK(seen[0].trace == "abc");
  CHECK(seen[0].status == 201);
  CHECK(seen[0].took == std::chrono::milliseconds{250});
  CHECK(seen[0].in == 4);
  CHECK(seen[0].out == 3);
  CHECK(seen[1].method == "");
  CHECK(seen[1].status == 400);
}

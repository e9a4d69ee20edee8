#include "http_fixture.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::tests;
using namespace std::chrono_literals;

TEST_CASE("a stop closes idle connections at once and takes no new ones") {
  HttpFixture http;
  http.echo();
  auto idle = http.connect();
  auto used = http.connect();
  used.send(get("/1"));
  int done = 0;
  http.server->stop(10s, [&] { ++done; });
  http.platform.network().run();
  CHECK(idle.closed());
  CHECK(used.closed());
  CHECK(done == 1);
  auto late = http.connect();
  CHECK(late.closed());
  http.server->stop(10s, [&] { ++done; });
  CHECK(done == 1);
}

TEST_CASE("a stop serves what comes on idle connections for a moment, once on each") {
  HttpServerOptions options;
  options.limits.stop_linger = 1s;
  HttpFixture http{options};
  http.echo();
  auto idle = http.connect();
  auto used = http.connect();
  used.send(get("/1"));
  used.take();
  bool done = false;
  http.server->stop(10s, [&] { done = true; });
  http.platform.network().run();
  CHECK_FALSE(idle.closed());
  CHECK_FALSE(used.closed());
  used.send(get("/2") + get("/3"));
  const auto all = responses(used.take());
  REQUIRE(all.size() == 1);
  CHECK(all[0].body == "GET /2 ");
  CHECK(all[0].header("Connection") == "close");
  CHECK(used.closed());
  CHECK_FALSE(done);
  http.platform.advance(1s);
  http.platform.network().run();
  CHECK(idle.closed());
  CHECK(done);
}

TEST_CASE("a stop waits no longer for idle connections than for the others") {
  HttpServerOptions options;
  options.limits.stop_linger = 1s;
  HttpFixture http{options};
  auto idle = http.connect();
  bool done = false;
  http.server->stop(500ms, [&] { done = true; });
  http.platform.advance(500ms);
  http.platform.network().run();
  CHECK(idle.closed());
  CHECK(done);
}

TEST_CASE("a stop without connections is done at once") {
  HttpFixture http;
  bool done = false;
  http.server->stop(10s, [&] { done = true; });
  CHECK(done);
}

TEST_CASE("a stop lets requests in flight finish and says close with the last answer") {
  HttpFixture http;
  auto client = http.connect();
  client.send(get("/1") + get("/2"));
  bool done = false;
  http.server->stop(10s, [&] { done = true; });
  client.send(get("/3"));
  CHECK(http.waiting.size() == 2);  // the third came too late
  http.answer("two", 1);
  CHECK_FALSE(done);
  http.answer("one");
  const auto all = responses(client.take());
  REQUIRE(all.size() == 2);
  CHECK(all[0].header("Connection") == "");
  CHECK(all[1].header("Connection") == "close");
  CHECK(client.closed());
  CHECK(done);
}

TEST_CASE("a stop lets a request that has begun to arrive finish") {
  HttpFixture http;
  http.echo();
  auto client = http.connect();
  const auto bytes = post("/1", "body");
  client.send(bytes.substr(0, bytes.size() - 2));
  bool done = false;
  http.server->stop(10s, [&] { done = true; });
  http.platform.network().run();
  CHECK_FALSE(client.closed());
  client.send(bytes.substr(bytes.size() - 2));
  const auto got = response(client.take());
  CHECK(got.body == "POST /1 body");
  CHECK(got.header("Connection") == "close");
  CHECK(client.closed());
  CHECK(done);
}

TEST_CASE("what is left when the time of a stop is over is cut off") {
  HttpFixture http;
  auto unanswered = http.connect();
  unanswered.send(get("/1"));
  auto unread = http.connect();
  unread.read_only_up_to(0);
  unread.send(get("/2"));
  http.answer("two", 1);
  bool done = false;
  http.server->stop(10s, [&] { done = true; });
  http.platform.advance(9s);
  CHECK_FALSE(unanswered.closed());
  CHECK_FALSE(unread.closed());
  CHECK_FALSE(done);
  http.platform.advance(1s);
  CHECK(unanswered.closed());
  CHECK(unread.closed());
  CHECK(done);
  http.answer("late");
}

TEST_CASE("a server that goes away drops its connections and forgets whom it would have told") {
  HttpFixture http;
  auto client = http.connect();
  client.send(get("/1"));
  bool done = false;
  http.server->stop(10s, [&] { done = true; });
  http.server.reset();
  http.platform.network().run();
  CHECK(client.closed());
  CHECK_FALSE(done);
  http.answer("late");
  CHECK(client.take() == "");
}

TEST_CASE("the time of a stop also counts for a connection that was closing already") {
  HttpFixture http;
  http.echo();
  auto client = http.connect();
  client.read_only_up_to(0);
  client.send(get("/1", "Connection: close\r\n"));
  bool done = false;
  http.server->stop(10s, [&] { done = true; });
  http.platform.advance(10s);
  CHECK(client.closed());
  CHECK(done);
}

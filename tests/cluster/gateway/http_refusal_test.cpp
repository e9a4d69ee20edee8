#include "http_fixture.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::tests;

namespace {

struct Mistake {
  std::string what;
  std::string bytes;
  unsigned status;
  std::string reason;
};

HttpServerOptions small_limits() {
  HttpServerOptions options;
  options.limits.target_bytes_max = 100;
  options.limits.header_bytes_max = 400;
  options.limits.body_bytes_max = 50;
  return options;
}

std::vector<Mistake> mistakes() {
  const std::string host = "Host: a\r\n";
  return {
      {"not HTTP", "hello, world\r\n\r\n", 400, "HTTP_MALFORMED"},
      {"control characters", std::string("\x16\x03\x01\0\xA5\x01\0", 7), 400, "HTTP_MALFORMED"},
      {"no host", "GET / HTTP/1.1\r\n\r\n", 400, "HTTP_MALFORMED"},
      {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "HTTP_MALFORMED"},
      {"space before a colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "HTTP_MALFORMED"},
      {"relative target", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "HTTP_MALFORMED"},
      {"fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "HTTP_MALFORMED"},
      {"bad escape in the query", get("/a?b=%zz"), 400, "HTTP_MALFORMED"},
      {"cut escape in the query", get("/a?b=%2"), 400, "HTTP_MALFORMED"},
      {"two lengths",
       "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400,
       "HTTP_MALFORMED"},
      {"length and chunks",
       "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       400, "HTTP_MALFORMED"},
      {"chunks and length",
       "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
       400, "HTTP_MALFORMED"},
      {"negative length", "POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", 400,
       "HTTP_MALFORMED"},
      {"bad chunk", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400,
       "HTTP_MALFORMED"},
      {"endless chunk extension",
       "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1;" +
           std::string(500, 'e'),
       400, "HTTP_MALFORMED"},
      {"endless trailer",
       "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n" +
           std::string(500, 't'),
       400, "HTTP_MALFORMED"},
      {"chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
       "HTTP_MALFORMED"},
      {"body of unknown length", "POST / HTTP/1.0\r\n\r\n", 411, "LENGTH_REQUIRED"},
      {"expectation without length", "POST / HTTP/1.1\r\n" + host + "Expect: 100-continue\r\n\r\n",
       411, "LENGTH_REQUIRED"},
      {"long body", post("/", std::string(51, 'b')), 413, "BODY_TOO_LARGE"},
      {"long body that is only announced",
       "POST / HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nContent-Length: 51\r\n\r\n", 413,
       "BODY_TOO_LARGE"},
      {"long chunked body",
       "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1E\r\n" +
           std::string(30, 'b') + "\r\n1E\r\n" + std::string(30, 'b') + "\r\n0\r\n\r\n",
       413, "BODY_TOO_LARGE"},
      {"long target", get("/" + std::string(100, 't')), 414, "TARGET_TOO_LONG"},
      {"endless target", "GET /" + std::string(500, 't'), 414, "TARGET_TOO_LONG"},
      {"unknown expectation", get("/", "Expect: a miracle\r\n"), 417, "EXPECTATION_UNKNOWN"},
      {"long headers", get("/", "X: " + std::string(400, 'h') + "\r\n"), 431, "HEADERS_TOO_LARGE"},
      {"many headers",
       get("/",
           [] {
             std::string many;
             for (int i = 0; i < 70; ++i) many += "A: b\r\n";
             return many;
           }()),
       431, "HEADERS_TOO_LARGE"},
      {"endless header", "GET / HTTP/1.1\r\nX: " + std::string(500, 'h'), 431, "HEADERS_TOO_LARGE"},
      {"CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501, "HTTP_METHOD_UNKNOWN"},
      {"TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "HTTP_METHOD_UNKNOWN"},
      {"unknown coding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n",
       501, "TRANSFER_ENCODING_UNKNOWN"},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP_VERSION_UNSUPPORTED"},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505, "HTTP_VERSION_UNSUPPORTED"},
      {"no version", "GET / FTP\r\nHost: a\r\n\r\n", 400, "HTTP_MALFORMED"},
  };
}

void check_refused(HttpFixture& http, MemoryClient& client, const Mistake& mistake) {
  CHECK(http.waiting.empty());
  const auto got = response(client.take());
  CHECK(got.status == mistake.status);
  CHECK(got.header("Content-Type") == "application/problem+json");
  CHECK(got.header("Connection") == "close");
  CHECK(got.body.find("\"reason\":\"" + mistake.reason + "\"") != std::string::npos);
  CHECK(got.body.find("\"status\":" + std::to_string(mistake.status)) != std::string::npos);
  CHECK(client.closed());
}

}  // namespace

TEST_CASE("a request that cannot be taken is refused with its status, however it is cut") {
  for (const auto& mistake : mistakes()) {
    CAPTURE(mistake.what);
    {
      HttpFixture http{small_limits()};
      auto client = http.connect();
      client.send(mistake.bytes);
      check_refused(http, client, mistake);
    }
    {
      HttpFixture http{small_limits()};
      auto client = http.connect();
      client.send_bytewise(mistake.bytes);
      check_refused(http, client, mistake);
    }
  }
}

TEST_CASE("what is just within the limits is taken") {
  HttpFixture http{small_limits()};
  http.echo();
  auto client = http.connect();
  client.send(get("/" + std::string(99, 't')));
  client.send(post("/", std::string(50, 'b')));
  const std::string fixed = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n";
  client.send(get("/", "X: " + std::string(400 - fixed.size(), 'h') + "\r\n"));
  const auto all = responses(client.take());
  REQUIRE(all.size() == 3);
  for (const auto& one : all) CHECK(one.status == 200);
}

TEST_CASE("an absolute target means its path") {
  HttpFixture http;
  auto client = http.connect();
  client.send(get("http://a:80/v1/x?y=1") + get("HTTP://a") +
              "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(http.waiting.size() == 3);
  CHECK(http.waiting[0].request.path == "/v1/x");
  CHECK(http.waiting[0].request.query.size() == 1);
  CHECK(http.waiting[1].request.path == "/");
  CHECK(http.waiting[2].request.path == "*");
  http.waiting.clear();
}

TEST_CASE("a refusal waits for the answers before it") {
  HttpFixture http;
  auto client = http.connect();
  client.send(get("/1") + "nonsense\r\n\r\n" + get("/2"));
  CHECK(client.take() == "");
  REQUIRE(http.waiting.size() == 1);
  http.answer("one");
  const auto all = responses(client.take());
  REQUIRE(all.size() == 2);
  CHECK(all[0].body == "one");
  CHECK(all[1].status == 400);
}

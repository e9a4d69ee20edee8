#include "http_fixture.hpp"
#include "tests/seeds.hpp"

using namespace std::string_literals;
using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::tests;

namespace {

const std::vector<std::string>& seeds() {
  static const std::vector<std::string> texts{
      get("/v1/a%20b?x=%41&y=+") + get("/2", "Connection: close\r\n"),
      post("/1", "some body", "Expect: 100-continue\r\n") + "\r\n" + get("/2"),
      "PUT /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "4;e=\"x\"\r\nbody\r\nA\r\n of three \r\n0\r\nT: x\r\n\r\nHEAD / HTTP/1.0\r\n\r\n",
      "GET http://a/x HTTP/1.1\r\nHost: a\r\nX: 1\r\n\tfolded\r\nCookie: a=b\r\n\r\n",
      "PATCH / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get("/5"),
  };
  return texts;
}

std::string mutate(std::string text, MemoryRandom& random) {
  static const std::string spice = "\r\n:;, \t/%?#0123456789aFgHTP\x00\x7F\x80\xFF"s;
  for (auto changes = random.between(1, 4); changes > 0 && !text.empty(); --changes) {
    const auto at = random.between(0, text.size() - 1);
    switch (random.between(0, 3)) {
      case 0:
        text[at] = spice[random.between(0, spice.size() - 1)];
        break;
      case 1:
        text.erase(at, random.between(1, 8));
        break;
      case 2:
        text.insert(at, 1, spice[random.between(0, spice.size() - 1)]);
        break;
      default:
        text.insert(at, text.substr(random.between(0, text.size() - 1), random.between(1, 30)));
        break;
    }
  }
  return text;
}

// The requests that reached the handler. When and why the rest is refused may depend on how much of
// it Beast sees at once.
std::vector<std::string> play(const std::vector<std::string>& pieces) {
  HttpServerOptions options;
  options.limits.target_bytes_max = 40;
  options.limits.header_bytes_max = 200;
  options.limits.body_bytes_max = 30;
  HttpFixture http{options};
  std::vector<std::string> taken;
  http.handler = [&](const HttpRequest& request, const Respond& respond) {
    taken.push_back(request.method + ' ' + request.target + ' ' + request.body);
    respond({});
  };
  auto client = http.connect();
  for (const auto& piece : pieces) client.send(piece);
  return taken;
}

}  // namespace

TEST_CASE("whatever the bytes are, they mean the same in one piece and in many") {
  MemoryRandom random;
  std::size_t taken = 0;
  constexpr auto rounds = troupe::tests::seeds(20'000);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    // The end makes complete what a mutation cut off.
    const auto text = mutate(seeds()[random.between(0, seeds().size() - 1)], random) + "\r\n\r\n";
    std::vector<std::string> bytes;
    for (const char c : text) bytes.emplace_back(1, c);
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < text.size();) {
      pieces.push_back(text.substr(at, random.between(1, 20)));
      at += pieces.back().size();
    }
    CAPTURE(text);
    const auto whole = play({text});
    REQUIRE(play(bytes) == whole);
    REQUIRE(play(pieces) == whole);
    taken += whole.size();
  }
  CHECK(taken > rounds / 4);  // or the mutations would leave nothing to compare
}

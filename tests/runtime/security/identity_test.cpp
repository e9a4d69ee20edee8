#include "runtime/security/identity.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::runtime;

TEST_CASE("an identity is written as a URI and read back") {
  const NodeIdentity identity{"shop", "n1"};
  CHECK(identity.uri() == "spiffe://shop/node/n1");
  CHECK(NodeIdentity::parse(identity.uri()) == identity);
}

TEST_CASE("what is no node's identity is refused, and the message quotes it") {
  for (const std::string text : {"",
                                 "shop",
                                 "spiffe://",
                                 "spiffe://shop",
                                 "spiffe://shop/",
                                 "spiffe://shop/node",
                                 "spiffe://shop/node/",
                                 "spiffe:///node/n1",
                                 "spiffe://shop/user/n1",
                                 "spiffe://shop/node/n1/x",
                                 "spiffe://shop/node/N1",
                                 "spiffe://Shop/node/n1",
                                 "SPIFFE://shop/node/n1",
                                 "spiffe://shop/node/n1 ",
                                 " spiffe://shop/node/n1",
                                 "spiffe://shop/node/-n1",
                                 "spiffe://shop/node/n1-",
                                 "spiffe://shop:80/node/n1",
                                 "spiffe://shop/node/n1?a=b",
                                 "spiffe://shop/node/n1#a",
                                 "spiffe://a@shop/node/n1",
                                 "spiffe://shop//node/n1",
                                 "https://shop/node/n1"}) {
    CAPTURE(text);
    const auto parsed = NodeIdentity::parse(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().reason == "IDENTITY_MALFORMED");
    CHECK(parsed.error().message.find("'" + text + "'") != std::string::npos);
  }
  CHECK_FALSE(NodeIdentity::parse("spiffe://shop/node/" + std::string(64, 'a')));
  CHECK(NodeIdentity::parse("spiffe://shop/node/" + std::string(63, 'a')));
}

TEST_CASE("a message about a stranger's identity is short and drives no terminal") {
  const auto parsed = NodeIdentity::parse("spiffe://shop/\x1b[2J\n" + std::string(100'000, 'x'));
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().message.size() < 500);
  CHECK(parsed.error().message.find('\x1b') == std::string::npos);
  CHECK(parsed.error().message.find('\n') == std::string::npos);
}

#include <doctest/doctest.h>

#include "runtime/platform/network.hpp"

using namespace troupe;
using namespace troupe::runtime;

TEST_CASE("addresses are read and written alike") {
  for (const char* text : {"127.0.0.1:7000", "[::1]:7000", "db.example:1", "localhost:0",
                           "[fe80::1%eth0]:65535", "[::]:80", "under_score-1:9"}) {
    const auto address = Address::parse(text);
    REQUIRE(address);
    CHECK(address->to_string() == text);
  }
  CHECK(*Address::parse("[::1]:70") == Address{"::1", 70});
  CHECK(*Address::parse("host:00080") == Address{"host", 80});
}

TEST_CASE("what is wrong with an address is said") {
  const auto says = [](const char* text, const char* what) {
    const auto address = Address::parse(text);
    REQUIRE_FALSE(address);
    CHECK(address.error().code == Code::invalid_argument);
    CHECK(address.error().message.find(std::string{"'"} + text + "'") != std::string::npos);
    CHECK_MESSAGE(address.error().message.find(what) != std::string::npos, address.error().message);
  };
  says("", "it is empty");
  says("localhost", "the port is missing");
  says("localhost:", "the port is missing");
  says("[::1]", "the port is missing");
  says("[::1]:", "the port is missing");
  says(":80", "the host is missing");
  says("::1:80", "stands in brackets");
  says("[::1:80", "closing bracket is missing");
  says("[::1]80", "a colon and the port follow");
  says("[127.0.0.1]:80", "only an IPv6 address stands in brackets");
  says("[]:80", "only an IPv6 address stands in brackets");
  says("[::zz]:80", "not an IPv6 address");
  says("[:]:80", "not an IPv6 address");
  says("[1:2:3:4:5:6:7:8:9]:80", "not an IPv6 address");
  says("[fe80::1%]:80", "not an IPv6 address");
  says("[fe80::1%a b]:80", "not an IPv6 address");
  says("256.0.0.1:80", "looks like an IPv4 address and is none");
  says("127.1:80", "looks like an IPv4 address and is none");
  says("host:65536", "greater than 65535");
  says("host:99999999999999999999", "greater than 65535");
  says("host:-1", "is not a number");
  says("host:80x", "is not a number");
  says("host: 80", "is not a number");
  says("http://host:80", "stands in brackets");
  says("ho st:80", "a character that no host name has");
  says("ho/st:80", "a character that no host name has");
}

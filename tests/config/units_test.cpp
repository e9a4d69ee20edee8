#include "config/units.hpp"

#include <doctest/doctest.h>

#include "config/address.hpp"

namespace troupe::config {

using namespace std::chrono_literals;

TEST_CASE("durations are whole numbers with units") {
  CHECK(parse_duration("250ms") == Duration{250ms});
  CHECK(parse_duration("1h30m") == Duration{90min});
  CHECK(parse_duration("0s") == Duration{0});
  CHECK(parse_duration("36500d") == Duration{36500 * 24h});
  for (const char* text : {"", "10", "s", "1.5s", "-1s", "10 s", "10S", "1h 30m", "36501d",
                           "99999999999999999999s", "18446744073709551615d", "1ms1"})
    CHECK_MESSAGE(!parse_duration(text), text);
}

TEST_CASE("sizes are whole numbers with binary units") {
  CHECK(parse_size("256KiB") == 256u << 10);
  CHECK(parse_size("0B") == 0u);
  CHECK(parse_size("3TiB") == 3ull << 40);
  for (const char* text : {"", "256", "KiB", "1.5MiB", "-1B", "1 MiB", "1MB", "1kib", "1KiB1B",
                           "18446744073709551615B", "9999999999TiB"})
    CHECK_MESSAGE(!parse_size(text), text);
}

TEST_CASE("what is formatted parses to the same value") {
  for (const Duration duration : {Duration{0}, Duration{1us}, Duration{1500ms}, Duration{24h},
                                  Duration{48h}, Duration{25h}, Duration{36500 * 24h}})
    CHECK(parse_duration(format_duration(duration)) == duration);
  CHECK(format_duration(24h) == "24h");
  CHECK(format_duration(7 * 24h) == "7d");
  CHECK(format_duration(90s) == "1m30s");
  for (const std::uint64_t bytes : {0ull, 1ull, 1023ull, 1024ull, 1025ull, 5ull << 30})
    CHECK(parse_size(format_size(bytes)) == bytes);
  CHECK(format_size(256 << 10) == "256KiB");
}

TEST_CASE("addresses have a host and a port") {
  CHECK(parse_address("127.0.0.1:80") == Address{"127.0.0.1", 80});
  CHECK(parse_address("[::1]:80") == Address{"::1", 80});
  CHECK(parse_address("Node_1.Example.org:0") == Address{"node_1.example.org", 0});
  CHECK(Address{"::1", 80}.to_string() == "[::1]:80");
  CHECK(Address{"n1", 80}.to_string() == "n1:80");
  for (const char* text : {"", "host", "host:", ":1", "host:-1", "host:65536", "host:+1", "::1",
                           "[::1]", "[::1]80", "[1.2.3.4]:1", "1.2.3:1", "-a:1", "a..b:1", "a/b:1"})
    CHECK_MESSAGE(!parse_address(text), text);
}

TEST_CASE("wildcard and loopback addresses are told apart") {
  CHECK(Address{"0.0.0.0", 1}.wildcard());
  CHECK(Address{"::", 1}.wildcard());
  CHECK(!Address{"::1", 1}.wildcard());
  CHECK(!Address{"10.0.0.0", 1}.wildcard());
  CHECK(Address{"127.1.2.3", 1}.loopback());
  CHECK(Address{"::1", 1}.loopback());
  CHECK(Address{"localhost", 1}.loopback());
  CHECK(!Address{"127.example.org", 1}.loopback());
  CHECK(!Address{"0.0.0.0", 1}.loopback());
}

}  // namespace troupe::config

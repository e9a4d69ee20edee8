#include "cluster/replication/engine/configuration.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/cluster/replication/engine/engines.hpp"

using troupe::cluster::test::configuration;

namespace {

int decode(const std::string& bytes, ConfigurationServer* servers) {
  // A copy of just that size, so that reading past the end is seen.
  const std::vector<char> exact(bytes.begin(), bytes.end());
  return configuration_decode(exact.data(), exact.size(), servers);
}

int decode(const std::string& bytes) {
  ConfigurationServer servers[CONFIGURATION_SERVERS_MAX];
  return decode(bytes, servers);
}

}  // namespace

TEST_SUITE_BEGIN("configuration");

TEST_CASE("what is encoded is decoded") {
  const auto bytes = configuration({{7, CONFIGURATION_VOTER}, {1ull << 63, CONFIGURATION_STANDBY}});
  ConfigurationServer servers[CONFIGURATION_SERVERS_MAX];
  REQUIRE(configuration_decode(bytes.data(), bytes.size(), servers) == 2);
  CHECK(servers[0].replica == 7);
  CHECK(servers[0].role == CONFIGURATION_VOTER);
  CHECK(std::string(servers[0].address) == "n7");
  CHECK(servers[1].replica == 1ull << 63);
  CHECK(servers[1].role == CONFIGURATION_STANDBY);
}

TEST_CASE("the bytes are those of C-Raft's format 1") {
  const auto bytes = configuration({{1, CONFIGURATION_VOTER}});
  const std::string expected(
      "\x01"
      "\x01\0\0\0\0\0\0\0"
      "\x01\0\0\0\0\0\0\0"
      "n1\0"
      "\x01"
      "\0\0\0",
      24);
  CHECK(bytes == expected);
}

TEST_CASE("servers that make no group are not encoded") {
  const auto size = [](std::vector<ConfigurationServer> servers) {
    return configuration_encode(servers.data(), static_cast<int>(servers.size()), nullptr, 0);
  };
  const std::string long_name(300, 'n');
  CHECK(size({{1, 1, "a"}, {2, 0, "b"}}) > 0);
  CHECK(size({}) == 0);
  CHECK(size({{0, 1, "a"}}) == 0);
  CHECK(size({{1, 1, ""}}) == 0);
  CHECK(size({{1, 0, "a"}}) == 0);  // nobody votes
  CHECK(size({{1, 1, "a"}, {1, 1, "b"}}) == 0);
  CHECK(size({{1, 1, "a"}, {2, 1, "a"}}) == 0);
  CHECK(size({{1, 1, "a"}, {2, 2, "b"}}) == 0);  // spare
  CHECK(size({{1, 1, long_name.c_str()}}) == 0);
  CHECK(size(std::vector<ConfigurationServer>(17, {1, 1, "a"})) == 0);
}

TEST_CASE("no spoilt byte and no missing byte makes the decoder stray") {
  const auto bytes = configuration({{1, CONFIGURATION_VOTER}, {2, CONFIGURATION_STANDBY}, {3, 1}});
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(decode(bytes.substr(0, size)) == -1);
  CHECK(decode(bytes + std::string(8, '\0')) == -1);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      auto spoilt = bytes;
      spoilt[at] = static_cast<char>(value);
      ConfigurationServer servers[CONFIGURATION_SERVERS_MAX];
      const int n = configuration_decode(spoilt.data(), spoilt.size(), servers);
      if (n < 0) continue;
      // What is accepted can be encoded, and to the same bytes.
      std::string again(configuration_encode(servers, n, nullptr, 0), '\0');
      configuration_encode(servers, n, again.data(), again.size());
      CHECK(again == spoilt);
    }
    CHECK(decode(bytes.substr(0, at) + std::string(bytes.size() - at, '\xff')) == -1);
  }
}

TEST_SUITE_END();

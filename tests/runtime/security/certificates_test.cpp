#include "runtime/security/certificates.hpp"

#include <doctest/doctest.h>

#include "runtime/security/openssl.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace std::chrono_literals;

namespace {

constexpr WallTime noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 26} + 12h};
constexpr Validity a_year{noon, noon + std::chrono::days{365}};

KeyPair authority_of(const std::string& cluster) {
  auto made = make_authority(cluster, a_year);
  REQUIRE(made);
  return *std::move(made);
}

std::string without_first_line(const std::string& pem) {
  return pem.substr(pem.find('\n') + 1);
}

}  // namespace

TEST_CASE("a node's certificate says who it is, for how long and under which names") {
  const auto authority = authority_of("shop");
  const auto made = make_node_certificate(authority, {{"shop", "n1"},
                                                      {noon, noon + std::chrono::days{90}},
                                                      {"n1.example", "localhost"},
                                                      {"127.0.0.1", "::1"}});
  REQUIRE(made);
  const auto info = read_certificate(made->certificate);
  REQUIRE(info);
  CHECK(info->identity == "spiffe://shop/node/n1");
  CHECK_FALSE(info->authority);
  CHECK(info->validity.from == noon);
  CHECK(info->validity.until == noon + std::chrono::days{90});
  CHECK(info->dns == std::vector<std::string>{"n1.example", "localhost"});
  CHECK(info->ips == std::vector<std::string>{"127.0.0.1", "::1"});
  CHECK(info->serial.size() >= 24);
  CHECK(parse_key(made->key));
}

TEST_CASE("an authority's certificate is told from a node's") {
  const auto info = read_certificate(authority_of("shop").certificate);
  REQUIRE(info);
  CHECK(info->authority);
  CHECK(info->identity.empty());
}

TEST_CASE("no two certificates have one serial number or, unless asked for, one key") {
  const auto authority = authority_of("shop");
  const auto first = make_node_certificate(authority, {{"shop", "n1"}, a_year});
  const auto second = make_node_certificate(authority, {{"shop", "n1"}, a_year});
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->key != second->key);
  CHECK(read_certificate(first->certificate)->serial !=
        read_certificate(second->certificate)->serial);
  const auto renewed =
      make_node_certificate(authority, {{"shop", "n1"}, a_year, {}, {}, first->key});
  REQUIRE(renewed);
  CHECK(renewed->key == first->key);
  CHECK(read_certificate(renewed->certificate)->serial !=
        read_certificate(first->certificate)->serial);
}

TEST_CASE("names and times that cannot stand in a certificate are refused") {
  const auto authority = authority_of("shop");
  CHECK(make_authority("Shop", a_year).error().code == Code::invalid_argument);
  CHECK(make_authority("shop", {noon, noon}).error().code == Code::invalid_argument);
  const auto code = [&](NodeRequest request) {
    const auto made = make_node_certificate(authority, request);
    return made ? Code::ok : made.error().code;
  };
  CHECK(code({{"shop", "n1"}, a_year}) == Code::ok);
  CHECK(code({{"shop", "n 1"}, a_year}) == Code::invalid_argument);
  CHECK(code({{"shop", "n1"}, {noon, noon - 1h}}) == Code::invalid_argument);
  // Each would add a name of another kind.
  CHECK(code({{"shop", "n1"}, a_year, {"a,URI:spiffe://shop/node/n2"}}) == Code::invalid_argument);
  CHECK(code({{"shop", "n1"}, a_year, {""}}) == Code::invalid_argument);
  CHECK(code({{"shop", "n1"}, a_year, {}, {"1.2.3.4,DNS:b"}}) == Code::invalid_argument);
  CHECK(code({{"shop", "n1"}, a_year, {}, {"localhost"}}) == Code::invalid_argument);
}

TEST_CASE("texts that are no credentials are refused without a word of what they hold") {
  const auto authority = authority_of("shop");
  const auto other = authority_of("bank");
  const auto reason = [&](const std::string& certificate, const std::string& key) {
    const auto made = make_node_certificate({certificate, key}, {{"shop", "n1"}, a_year});
    if (made) return std::string{"made"};
    CHECK(made.error().message.find(key.substr(30, 40)) == std::string::npos);
    return made.error().reason;
  };
  CHECK(reason(authority.certificate, authority.key) == "made");
  CHECK(reason(authority.certificate, other.key) == "CREDENTIALS_UNUSABLE");
  CHECK(reason(authority.key, authority.key) == "CREDENTIALS_UNUSABLE");
  CHECK(reason(authority.certificate, authority.certificate) == "CREDENTIALS_UNUSABLE");
  CHECK(reason(authority.certificate, without_first_line(authority.key)) == "CREDENTIALS_UNUSABLE");
  const auto node = make_node_certificate(authority, {{"shop", "n1"}, a_year});
  CHECK(reason(node->certificate, node->key) == "CREDENTIALS_UNUSABLE");
  auto torn = authority.certificate;
  torn.resize(torn.size() / 2);
  CHECK(reason(torn, authority.key) == "CREDENTIALS_UNUSABLE");
  auto rotten = authority.certificate;
  rotten.insert(rotten.size() / 2, "!");
  CHECK(reason(rotten, authority.key) == "CREDENTIALS_UNUSABLE");
  CHECK(read_certificate("").error().reason == "CREDENTIALS_UNUSABLE");
}

TEST_CASE("a key with a passphrase is refused, and nobody is asked for it") {
  const auto parsed = parse_key(
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
      "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgAAAAAAAAAAAICCAAw\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n");
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().reason == "CREDENTIALS_UNUSABLE");
}

TEST_CASE("a revocation list is written and read back") {
  const auto authority = authority_of("shop");
  const auto node = make_node_certificate(authority, {{"shop", "n1"}, a_year});
  const auto serial = read_certificate(node->certificate)->serial;
  RevocationList list{7, {{serial, noon + 1h}}, a_year};
  const auto made = make_revocation_list(authority, list);
  REQUIRE(made);
  const auto read = read_revocation_list(*made, authority.certificate);
  REQUIRE(read);
  CHECK(read->number == 7);
  CHECK(read->revoked == list.revoked);
  CHECK(read->validity.until == a_year.until);

  const auto empty = make_revocation_list(authority, {1, {}, a_year});
  REQUIRE(empty);
  CHECK(read_revocation_list(*empty, authority.certificate)->revoked.empty());
  CHECK(make_revocation_list(authority, {1, {{"xyz", noon}}, a_year}).error().code ==
        Code::invalid_argument);
}

TEST_CASE("a revocation list of another authority is refused") {
  const auto list = make_revocation_list(authority_of("shop"), {1, {}, a_year});
  REQUIRE(list);
  CHECK(read_revocation_list(*list, authority_of("shop").certificate).error().reason ==
        "CREDENTIALS_UNUSABLE");
}

TEST_CASE("times are written in UTC") {
  CHECK(to_text(noon + 62s) == "2026-11-26 12:01:02 UTC");
}

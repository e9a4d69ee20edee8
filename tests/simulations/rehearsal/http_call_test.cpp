#include <doctest/doctest.h>

#include "simulations/rehearsal/http_call.hpp"
#include "tests/simulations/rehearsal/told.hpp"

namespace troupe::simulations::testing {
namespace {

TEST_CASE("a call becomes the request that its contract says") {
  const auto post = http_call(deposit(5));
  CHECK(post.verb == "POST");
  CHECK(post.target == "/v1/accounts/ann:deposit");
  CHECK(post.body == R"({"amount":{"currency":"EUR","minorUnits":"5"}})");
  const auto read = http_call(bank::AccountsRef{"50%/a:b c\xc3\xab"}.Get());
  CHECK(read.verb == "GET");
  CHECK(read.target == "/v1/accounts/50%25%2Fa%3Ab%20c%C3%AB");
  CHECK(read.body.empty());
  bank::StatementRequest request;
  request.set_page_size(7);
  request.set_page_token("a&b");
  request.set_order(bank::StatementRequest::OLDEST_FIRST);
  CHECK(http_call(bank::AccountsRef{"ann"}.Statement(request)).target ==
        "/v1/accounts/ann/statement?page_size=7&page_token=a%26b&order=OLDEST_FIRST");
}

TEST_CASE("an answer becomes the reply's bytes, or the error that it is") {
  const auto reply = http_reply(
      get(),
      R"({"account":"ann","owner":"Ann","balance":{"currency":"EUR","minorUnits":"7"},"status":"OPEN"})");
  REQUIRE(reply);
  CHECK(*reply == actors::encode_deterministic(account(7)));
  CHECK_FALSE(http_reply(get(), "<html>"));
  const auto error =
      http_error(R"({"code":"UNAVAILABLE","reason":"SHARD_STARTING","detail":"soon"})");
  CHECK(error.code == Code::unavailable);
  CHECK(error.reason == "SHARD_STARTING");
  CHECK(http_error("<html>").reason == "REPLY_MALFORMED");
}

TEST_CASE("responses are taken from a stream when they are complete") {
  std::string received = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTroupe-Position: a/1@2\r\n\r\n";
  HttpResponseText response;
  CHECK_FALSE(*take_response(received, response));
  received += "{}HTTP/1.1 503 Service";
  CHECK(*take_response(received, response));
  CHECK(response.status == 200);
  CHECK(response.body == "{}");
  CHECK(*response.header("troupe-position") == "a/1@2");
  CHECK_FALSE(*take_response(received, response));
  received += " Unavailable\r\nContent-Length: 0\r\n\r\n";
  CHECK(*take_response(received, response));
  CHECK(response.status == 503);
  CHECK(received.empty());
  received = "SSH-2.0\r\n\r\n";
  CHECK_FALSE(take_response(received, response));
}

}  // namespace
}  // namespace troupe::simulations::testing

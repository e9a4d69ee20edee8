#include "cluster/gateway/routes.hpp"

#include <doctest/doctest.h>

#include "test_services.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::tests;

TEST_CASE("every binding of a contract becomes a route, and a path finds its own") {
  const auto routes = Routes::make({&library()});
  REQUIRE(routes);
  CHECK((*routes)->all().size() == 7);

  const auto method = [&](std::string_view verb, std::string_view path) -> std::string {
    PathVariables variables;
    const auto* route = (*routes)->find(verb, path, variables);
    if (route == nullptr) return "none";
    std::string text = library().methods[route->method].name;
    for (const auto& [name, value] : variables) text += " " + name + "=" + value;
    return text;
  };
  CHECK(method("POST", "/v1/books/b:lend") == "Lend book=b");
  CHECK(method("POST", "/v1/books/a%2Fb%3A%20:lend") == "Lend book=a/b: ");
  CHECK(method("GET", "/v1/shelves/east/7/books") == "Find shelf.room=east shelf.number=7");
  CHECK(method("GET", "/v1/books") == "Find");
  CHECK(method("GET", "/v1/b%6Foks") == "Find");
  CHECK(method("GET", "/v1/books:count") == "Find");
  CHECK(method("PUT", "/v1/books/b") == "Put id=b");
  CHECK(method("PATCH", "/v1/any/a/b%2Fc/d") == "Put id=a/b%2Fc/d");
  CHECK(method("DELETE", "/v1/books/b") == "Burn book=b");
  CHECK(method("GET", "/v1/books/b") == "none");
  CHECK(method("GET", "/v1/books/") == "none");
  CHECK(method("POST", "/v1/books/b:return") == "none");
  CHECK(method("POST", "/v1/books/%zz:lend") == "none");
  CHECK(method("get", "/v1/books") == "none");

  CHECK((*routes)->verbs("/v1/books/b") == std::vector<std::string>{"DELETE", "PUT"});
  CHECK((*routes)->verbs("/v1/books") == std::vector<std::string>{"GET", "HEAD"});
  CHECK((*routes)->verbs("/v2").empty());
}

TEST_CASE("routes that a request could both mean are refused") {
  const auto first = rules_service("First");
  const auto second = rules_service("Second");
  CHECK(Routes::make({&first}));
  const auto routes = Routes::make({&first, &second});
  REQUIRE_FALSE(routes);
  CHECK(routes.error().reason == "HTTP_RULE_INVALID");
  const auto& message = routes.error().message;
  CHECK(message.find("gateway_test.rules.Second.Fetch") != std::string::npos);
  CHECK(message.find("gateway_test.rules.First.Get") != std::string::npos);
}

TEST_CASE("every rule that cannot be served is named, all at once") {
  const auto wrong = rules_service("Wrong");
  const auto routes = Routes::make({&wrong});
  REQUIRE_FALSE(routes);
  const auto& message = routes.error().message;
  CHECK(std::count(message.begin(), message.end(), '\n') == 7);
  for (const auto* text :
       {"Wrong.NoField: GET /v1/no/{nothing}: gateway_test.rules.Request has no field \"nothing\"",
        "Wrong.NoNested: GET /v1/nested/{key.name}: \"key.name\": \"key\" is not one message",
        "Wrong.MessageInPath: GET /v1/message/{inner}: \"inner\" is a message",
        "Wrong.RepeatedInPath: GET /v1/repeated/{many}: the variable {many} is a repeated field",
        "Wrong.NoBody: POST /v1/body: body: \"key\" is not a message field",
        "Wrong.PathInBody: POST /v1/both/{inner.name}: the variable {inner.name} lies in the body",
        "Wrong.NoReplyField: GET /v1/reply: response_body: \"nothing\" is not a field",
        "Wrong.BadTemplate: "}) {
    CAPTURE(text);
    CAPTURE(message);
    CHECK(message.find(text) != std::string::npos);
  }
}

TEST_CASE("a service type that its contract does not know is refused") {
  auto type = library();
  type.methods.push_back({"Steal", false, false, nullptr});
  const auto routes = Routes::make({&type});
  REQUIRE_FALSE(routes);
  CHECK(routes.error().message.find("Steal") != std::string::npos);
}

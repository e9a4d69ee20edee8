// The OpenAPI document says what the gateway does.
#include "cluster/gateway/openapi.hpp"

#include <doctest/doctest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "gateway_fixture.hpp"

namespace troupe::cluster::tests {
namespace {

namespace bj = boost::json;

struct Parsed {
  Parsed() {
    auto routes = Routes::make({&library()});
    REQUIRE(routes);
    text = openapi(**routes, {"shop", "1"});
    document = bj::parse(text);
  }
  // As JSON text, by a JSON pointer.
  std::string at(const std::string& pointer) const {
    boost::system::error_code none;
    const bj::value* found = document.find_pointer(pointer, none);
    return found ? bj::serialize(*found) : "nothing";
  }
  std::string operation(const std::string& path, const std::string& verb,
                        const std::string& rest) const {
    std::string escaped;
    for (const char c : path) escaped += c == '/' ? std::string{"~1"} : std::string{c};
    return at("/paths/" + escaped + "/" + verb + rest);
  }
  std::vector<std::string> parameters(const std::string& path, const std::string& verb) const {
    std::vector<std::string> names;
    std::string escaped;
    for (const char c : path) escaped += c == '/' ? std::string{"~1"} : std::string{c};
    boost::system::error_code none;
    const auto* all = document.find_pointer("/paths/" + escaped + "/" + verb + "/parameters", none);
    if (!all) return names;
    for (const auto& one : all->as_array())
      names.push_back(std::string{one.at("in").as_string()} + " " +
                      std::string{one.at("name").as_string()});
    return names;
  }

  std::string text;
  bj::value document;
};

TEST_CASE("the document has every route, with what comes from where") {
  const Parsed api;
  CHECK(api.at("/openapi") == R"("3.1.0")");
  CHECK(api.at("/info") == R"({"title":"shop","version":"1"})");
  CHECK(api.document.at("paths").as_object().size() == 6);
  CHECK(api.operation("/v1/books/{book}:lend", "post", "/operationId") == R"("Library_Lend")");
  CHECK(api.parameters("/v1/books/{book}:lend", "post") ==
        std::vector<std::string>{"path book", "header Idempotency-Key"});
  // The path's field is not in the body.
  const auto body = api.operation("/v1/books/{book}:lend", "post",
                                  "/requestBody/content/application~1json/schema/properties");
  CHECK(holds(body, R"("days":{"type":"string","format":"int64","pattern":"^-?[0-9]+$"})"));
  CHECK_FALSE(holds(body, R"("book")"));
  CHECK(holds(api.operation("/v1/books/{book}:lend", "post",
                            "/requestBody/content/application~1json/schema/not"),
              R"({"required":["member","guest"]})"));

  const auto query = api.parameters("/v1/books", "get");
  const auto has = [&](const std::string& name) {
    return std::ranges::find(query, name) != query.end();
  };
  for (const char* name : {"query shelf.room", "query shelf.number", "query shelf.label.text",
                           "query author", "query pageSize", "query since", "query lent"})
    CHECK_MESSAGE(has(name), name);
  for (const char* name : {"query lines", "query tags", "query shelf"})
    CHECK_MESSAGE(!has(name), name);
  CHECK(api.operation("/v1/books", "get", "/responses/200/content/application~1json/schema/type") ==
        R"("array")");
  CHECK(api.operation("/v1/books:count", "get", "/operationId") == R"("Library_Find_3")");
  CHECK(api.parameters("/v1/shelves/{shelf.room}/{shelf.number}/books", "get").front() ==
        "path shelf.room");
  // Templates that differ in names alone are one path.
  CHECK(api.parameters("/v1/books/{id}", "put").front() == "path id");
  CHECK(api.parameters("/v1/books/{id}", "delete").front() == "path id");
  CHECK(api.parameters("/v1/any/{id}", "patch").front() == "path id");
}

TEST_CASE("every schema that is referred to is there, by Protobuf's mapping") {
  const Parsed api;
  std::size_t at = 0;
  int references = 0;
  const std::string mark = R"("$ref":"#/components/schemas/)";
  while ((at = api.text.find(mark, at)) != std::string::npos) {
    at += mark.size();
    const std::string name = api.text.substr(at, api.text.find('"', at) - at);
    CHECK_MESSAGE(api.at("/components/schemas/" + name) != "nothing", name);
    ++references;
  }
  CHECK(references > 10);
  const auto field = [&](const std::string& type, const std::string& name) {
    return api.at("/components/schemas/gateway_test.v1." + type + "/properties/" + name);
  };
  CHECK(field("Loan", "until") == R"({"type":"string","format":"date-time"})");
  CHECK(holds(field("Loan", "notes"), R"("additionalProperties":{"type":"integer")"));
  CHECK(holds(field("Shelf", "number"), R"("maximum":4294967295)"));
  CHECK(api.at("/components/schemas/gateway_test.v1.Genre/enum") ==
        R"(["GENRE_UNSPECIFIED","NOVEL","POETRY"])");
  CHECK(field("Book", "genre") == R"({"$ref":"#/components/schemas/gateway_test.v1.Genre"})");
}

TEST_CASE("the gateway serves its document, and once it is known not again") {
  GatewayFixture api;
  const auto whole = api.ask(get("/openapi.json"));
  CHECK(whole.status == 200);
  CHECK(whole.header("Content-Type") == "application/json");
  CHECK(bj::parse(whole.body).at("info").at("title").as_string() == "Troupe");
  const std::string tag = whole.header("ETag");
  CHECK(api.ask(get("/openapi.json", "If-None-Match: \"x\", W/" + tag + "\r\n")).status == 304);
  CHECK(api.ask(get("/openapi.json", "If-None-Match: \"x\"\r\n")).status == 200);
  const auto wrong = api.ask(json("POST", "/openapi.json", "{}"));
  CHECK(wrong.status == 405);
  CHECK(wrong.header("Allow") == "OPTIONS, GET, HEAD");
}

}  // namespace
}  // namespace troupe::cluster::tests

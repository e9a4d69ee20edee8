#include "actors/contracts/http_template.hpp"

#include <doctest/doctest.h>

#include <optional>

using troupe::actors::HttpTemplate;

namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

HttpTemplate parsed(std::string_view text) {
  auto result = HttpTemplate::parse(text);
  REQUIRE_MESSAGE(result, text);
  return *result;
}

std::optional<Variables> match(std::string_view text, std::string_view path) {
  Variables variables;
  const auto parsed_template = parsed(text);
  const bool matches = parsed_template.match(path, &variables);
  CHECK(parsed_template.match(path, nullptr) == matches);
  if (!matches) return std::nullopt;
  return variables;
}

std::string mistake(std::string_view text) {
  const auto result = HttpTemplate::parse(text);
  REQUIRE_MESSAGE(!result, text);
  CHECK(result.error().code == troupe::Code::invalid_argument);
  CHECK(result.error().reason == "HTTP_TEMPLATE_INVALID");
  return result.error().message;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a variable takes one segment") {
  CHECK(match("/v1/accounts/{account}", "/v1/accounts/alice") == Variables{{"account", "alice"}});
  CHECK_FALSE(match("/v1/accounts/{account}", "/v1/accounts"));
  CHECK_FALSE(match("/v1/accounts/{account}", "/v1/accounts/"));
  CHECK_FALSE(match("/v1/accounts/{account}", "/v1/accounts/alice/"));
  CHECK_FALSE(match("/v1/accounts/{account}", "/v1/accounts/alice/statement"));
  CHECK_FALSE(match("/v1/accounts/{account}", "v1/accounts/alice"));
  CHECK_FALSE(match("/v1/accounts/{account}", ""));
}

TEST_CASE("literals and wildcards without names match and are not captured") {
  CHECK(match("/v1/*/list", "/v1/a/list") == Variables{});
  CHECK_FALSE(match("/v1/*/list", "/v1/list"));
  CHECK(match("/v1/**", "/v1") == Variables{});
  CHECK(match("/v1/**", "/v1/a/b/c") == Variables{});
  CHECK_FALSE(match("/v1/**", "/v2"));
  CHECK_FALSE(match("/v1/**", "/v1/"));
  CHECK_FALSE(match("/v1/**", "/v1/a//b"));
  CHECK(match("/{x=**}", "/") == Variables{{"x", ""}});
  CHECK_FALSE(match("/{x}", "/"));
}

TEST_CASE("a verb is the part behind the colon of the last segment") {
  CHECK(match("/v1/accounts/{account}:close", "/v1/accounts/alice:close") ==
        Variables{{"account", "alice"}});
  CHECK_FALSE(match("/v1/accounts/{account}:close", "/v1/accounts/alice"));
  CHECK_FALSE(match("/v1/accounts/{account}:close", "/v1/accounts/alice:closes"));
  CHECK_FALSE(match("/v1/accounts/{account}", "/v1/accounts/alice:close"));
  CHECK(match("/v1/accounts/{account}", "/v1/accounts/alice%3Aclose") ==
        Variables{{"account", "alice:close"}});
  CHECK(match("/v1/{a}/b", "/v1/x:y/b") == Variables{{"a", "x:y"}});
}

TEST_CASE("a variable may cover several segments and a pattern") {
  CHECK(match("/v1/{name=shelves/*/books/*}", "/v1/shelves/1/books/2") ==
        Variables{{"name", "shelves/1/books/2"}});
  CHECK_FALSE(match("/v1/{name=shelves/*}", "/v1/rooms/1"));
  CHECK(match("/v1/{file=**}:read", "/v1/a/b/c:read") == Variables{{"file", "a/b/c"}});
  CHECK(match("/v1/{file=**}", "/v1") == Variables{{"file", ""}});
  CHECK(match("/{a}/{b.c=d/**}", "/x/d/e/f") == Variables{{"a", "x"}, {"b.c", "d/e/f"}});
}

TEST_CASE("captured segments are percent-decoded") {
  CHECK(match("/a/{x}", "/a/Z%C3%BCrich%20%2F") == Variables{{"x", "Z\xC3\xBCrich /"}});
  CHECK(match("/a/{x=**}", "/a/b%20c/d%2fe") == Variables{{"x", "b c/d%2fe"}});
  CHECK(match("/a/{x}", "/a/a+b") == Variables{{"x", "a+b"}});
  CHECK(match("/%61%20b/{x}", "/a%20b/c") == Variables{{"x", "c"}});
  CHECK(match("/abc/{x}", "/%61bc/c") == Variables{{"x", "c"}});
}

TEST_CASE("a malformed escape matches nothing") {
  for (const auto* path : {"/a/%", "/a/%4", "/a/%zz", "/a/b%2"}) CHECK_FALSE(match("/a/{x}", path));
  CHECK_FALSE(match("/a/*:v", "/a/b:v%"));
}

TEST_CASE("a bad template says what is wrong and where") {
  CHECK(contains(mistake("v1"), "character 1: a path template begins with \"/\""));
  CHECK(contains(mistake(""), "begins with \"/\""));
  CHECK(contains(mistake("/"), "character 2: write a word"));
  CHECK(contains(mistake("/a//b"), "character 4: write a word"));
  CHECK(contains(mistake("/a/"), "write a word"));
  CHECK(contains(mistake("/a:b/c"), "only the last segment"));
  CHECK(contains(mistake("/a:"), "a verb after"));
  CHECK(contains(mistake("/a:b:c"), "only the last segment"));
  CHECK(contains(mistake("/{}"), "a field's name"));
  CHECK(contains(mistake("/{1}"), "a field's name"));
  CHECK(contains(mistake("/{a.}"), "a field's name"));
  CHECK(contains(mistake("/{a"), "close the variable {a with"));
  CHECK(contains(mistake("/{a=}"), "write a word"));
  CHECK(contains(mistake("/{a={b}}"), "inside another"));
  CHECK(contains(mistake("/{a}/{a}"), "twice"));
  CHECK(contains(mistake("/**/a"), "nothing but"));
  CHECK(contains(mistake("/{a=**}/b"), "nothing but"));
  CHECK(contains(mistake("/{a=**/b}"), "nothing but"));
  CHECK(contains(mistake("/a b"), "write it as %XX"));
  CHECK(contains(mistake("/a?b"), "write it as %XX"));
  CHECK(contains(mistake("/a%2"), "two hexadecimal"));
  CHECK(contains(mistake("/***"), "write it as %XX"));
}

TEST_CASE("the names of variables and the text are kept") {
  const auto pattern = parsed("/v1/{a}/{b.c=x/*}:do");
  CHECK(pattern.variables() == std::vector<std::string>{"a", "b.c"});
  CHECK(pattern.text() == "/v1/{a}/{b.c=x/*}:do");
}

TEST_CASE("templates clash if and only if some path matches both") {
  const std::vector<std::string> templates{
      "/a",        "/a/b",     "/a/{x}",     "/a/*/c",       "/{x}/b",   "/a/**",
      "/**",       "/a/{x}:v", "/{x=a/*}:v", "/a/b:w",       "/{x=a/b}", "/{x}",
      "/{x}/b/**", "/%61/b",   "/c/**:v",    "/{x}/{y}/{z}", "/a/b/**"};
  std::vector<std::string> paths{"/a", "/b", "/c", "/"};
  for (const auto* first : {"/a", "/b", "/c"})
    for (const auto* second : {"/a", "/b", "/c"}) {
      paths.push_back(std::string{first} + second);
      for (const auto* third : {"/a", "/b", "/c"})
        paths.push_back(std::string{first} + second + third);
    }
  for (auto i = paths.size(); i-- > 0;)
    for (const auto* verb : {":v", ":w"}) paths.push_back(paths[i] + verb);

  for (const auto& one : templates)
    for (const auto& other : templates) {
      bool both = false;
      for (const auto& path : paths)
        both = both || (parsed(one).match(path, nullptr) && parsed(other).match(path, nullptr));
      CHECK_MESSAGE(parsed(one).clashes(parsed(other)) == both, one, " and ", other);
    }
}

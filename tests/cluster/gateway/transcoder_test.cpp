#include "cluster/gateway/transcoder.hpp"

#include <doctest/doctest.h>

#include "cluster/gateway/http/url.hpp"
#include "cluster/gateway/routes.hpp"
#include "test_services.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::tests;

namespace {

const Routes& routes() {
  static const auto made = Routes::make({&library()}).value();
  return *made;
}

Result<std::string> encode(const std::string& verb, const std::string& target,
                           const std::string& body = "") {
  HttpRequest request;
  request.method = verb;
  request.target = target;
  const auto mark = std::min(target.find('?'), target.size());
  request.path = target.substr(0, mark);
  request.query = *parse_query(std::string_view{target}.substr(std::min(mark + 1, target.size())));
  request.body = body;
  PathVariables variables;
  const auto* route = routes().find(verb, request.path, variables);
  REQUIRE(route != nullptr);
  return route->transcoder.request(request, variables);
}

template <class Message>
std::string text(const Result<std::string>& bytes) {
  REQUIRE_MESSAGE(bytes, bytes.error().describe());
  Message message;
  REQUIRE(message.ParseFromString(*bytes));
  return message.ShortDebugString();
}

std::string mistake(const Result<std::string>& bytes) {
  REQUIRE_FALSE(bytes);
  CHECK(bytes.error().code == Code::invalid_argument);
  return bytes.error().describe();
}

std::string mistake_of_lend(const std::string& body) {
  return mistake(encode("POST", "/v1/books/b:lend", body));
}

std::string find(const std::string& query) {
  return mistake(encode("GET", "/v1/books?" + query));
}

}  // namespace

TEST_CASE("a request's fields come from path and body") {
  CHECK(text<v1::LendRequest>(encode("POST", "/v1/books/b:lend",
                                     R"({"days":"3","genre":"POETRY","lines":[{"count":2}]})")) ==
        R"(book: "b" days: 3 genre: POETRY lines { count: 2 })");
  CHECK(text<v1::LendRequest>(encode("POST", "/v1/books/%C3%A9:lend")) == "book: \"\\303\\251\"");
  CHECK(text<v1::LendRequest>(encode("POST", "/v1/books/b:lend", R"({"book":"b","days":1})")) ==
        R"(book: "b" days: 1)");
}

TEST_CASE("a request's fields come from path, query and one field of the body") {
  CHECK(text<v1::PutRequest>(
            encode("PUT", "/v1/books/b?force=true", R"({"title":"T","shelf":{"number":7}})")) ==
        R"(id: "b" book { title: "T" shelf { number: 7 } } force: true)");
  CHECK(text<v1::PutRequest>(encode("PUT", "/v1/books/b")) == R"(id: "b")");
  CHECK(text<v1::PutRequest>(encode("PATCH", "/v1/any/a/b%20c", "{}")) ==
        R"(id: "a/b c" book { })");
}

TEST_CASE("a query sets nested, repeated, enumerated and well-known fields") {
  CHECK(text<v1::FindRequest>(encode("GET", "/v1/shelves/east/7/books?author=a&author=b%26c")) ==
        R"(shelf { room: "east" number: 7 } author: "a" author: "b&c")");
  CHECK(text<v1::FindRequest>(encode(
            "GET", "/v1/books?genres=NOVEL&genres=2&pageSize=5&price=-1.5e3&only_new=true")) ==
        "genres: NOVEL genres: POETRY page_size: 5 price: -1500 only_new: true");
  CHECK(text<v1::FindRequest>(encode("GET",
                                     "/v1/books?shelf.label.text=x+y&shelf.label.count=-1"
                                     "&cursor=AP8%3D&lent=false&offset=0")) ==
        R"(shelf { label { text: "x y" count: -1 } } cursor: "\000\377" lent { } offset: 0)");
  CHECK(text<v1::FindRequest>(
            encode("GET", "/v1/books?since=2024-02-29T12:00:00Z&within=1.5s&member=m")) ==
        "since { seconds: 1709208000 } within { seconds: 1 nanos: 500000000 } member: \"m\"");
}

TEST_CASE("the same request makes the same bytes") {
  const auto body = R"({"days":1,"lines":[{"text":"a"},{"text":"b"}]})";
  const auto other = R"( {"lines" : [{"text":"a"},{"text":"b"}], "days":"1"} )";
  CHECK(*encode("POST", "/v1/books/b:lend", body) == *encode("POST", "/v1/books/b:lend", other));
}

TEST_CASE("a body that is not JSON is refused and says where") {
  CHECK(mistake_of_lend("{\"days\":1") ==
        "JSON_INVALID: the body is not valid JSON: Unexpected end of string. "
        "Expected , or } after key:value pair");
  CHECK(mistake_of_lend("{\"days\":1 \"genre\":2}") ==
        "JSON_INVALID: the body is not valid JSON: Expected , or } after key:value pair, at: "
        "\"genre\":2}");
  CHECK(mistake_of_lend("[]") == "JSON_INVALID: the body is not a JSON object: begin it with {");
  CHECK(mistake_of_lend("{} {}").find("JSON_INVALID") == 0);
  CHECK(mistake_of_lend("{\"book\":\"\xFF\"}").find("JSON_INVALID") == 0);
  CHECK(mistake_of_lend(std::string(500, '[')).find("JSON_INVALID") == 0);
  CHECK(mistake(encode("PUT", "/v1/books/b", "5")) ==
        "FIELD_INVALID: \"book\" is an object: begin the body with {");
}

TEST_CASE("a field that is not there is named") {
  CHECK(mistake_of_lend(R"({"dys":1})") ==
        "FIELD_UNKNOWN: there is no field \"dys\"; correct its name or leave it out");
  CHECK(mistake_of_lend(R"({"lines":[{"text":"a"},{"cnt":1}]})").find("\"lines[1].cnt\"") !=
        std::string::npos);
  CHECK(
      mistake(encode("PUT", "/v1/books/b", R"({"shelf":{"rom":1}})")).find("\"book.shelf.rom\"") !=
      std::string::npos);
  CHECK(find("nothing=1") ==
        "FIELD_UNKNOWN: gateway_test.v1.FindRequest has no field \"nothing\", which \"nothing\" "
        "asks for");
  CHECK(find("shelf.rom=1").find("FIELD_UNKNOWN: gateway_test.v1.Shelf has no field \"rom\"") == 0);
}

TEST_CASE("a value of the wrong type is named") {
  CHECK(mistake_of_lend(R"({"days":"x"})") == "FIELD_INVALID: \"days\": \"x\" is not an int64");
  CHECK(mistake_of_lend(R"({"days":1.5})") == "FIELD_INVALID: \"days\": 1.5 is not an int64");
  CHECK(mistake_of_lend(R"({"genre":"PROSE"})") ==
        "FIELD_INVALID: \"genre\": \"PROSE\" is not a gateway_test.v1.Genre");
  CHECK(mistake_of_lend(R"({"lines":[{"count":{}}]})").find("FIELD_INVALID") == 0);
  CHECK(mistake_of_lend(R"({"member":"m","guest":1})")
            .find("FIELD_INVALID: oneof field 'borrower'") == 0);
  CHECK(mistake(encode("PUT", "/v1/books/b", R"({"shelf":{"number":-1}})")) ==
        "FIELD_INVALID: \"book.shelf.number\": -1 is not a uint32");
  CHECK(mistake(encode("GET", "/v1/shelves/a/x/books")) ==
        "FIELD_INVALID: \"number\": \"x\" is not a uint32");
  CHECK(mistake(encode("POST", "/v1/books/%FF:lend")).find("is not UTF-8") != std::string::npos);
  CHECK(find("page_size=1x").find("\"1x\" is not an int32") != std::string::npos);
  CHECK(find("page_size=").find("\"\" is not an int32") != std::string::npos);
  CHECK(find("page_size=99999999999").find("is not an int32") != std::string::npos);
  CHECK(find("price=inf").find("is not a number") != std::string::npos);
  CHECK(find("only_new=1").find("is not true or false") != std::string::npos);
  CHECK(find("genres=PROSE").find("write one of GENRE_UNSPECIFIED, NOVEL, POETRY") !=
        std::string::npos);
  CHECK(find("cursor=%23").find("is not base64") != std::string::npos);
  CHECK(find("since=now").find("is not a google.protobuf.Timestamp") != std::string::npos);
}

TEST_CASE("a field that a query cannot hold is refused") {
  CHECK(find("shelf=1").find("\"shelf\" is a message") != std::string::npos);
  CHECK(find("lines=1").find("\"lines\" is a message") != std::string::npos);
  CHECK(find("lines.count=1").find("is not one message") != std::string::npos);
  CHECK(find("tags=1").find("\"tags\" is a map") != std::string::npos);
}

TEST_CASE("a field has one place") {
  CHECK(mistake_of_lend(R"({"book":"c"})").find("FIELD_MISPLACED") == 0);
  CHECK(mistake(encode("POST", "/v1/books/b:lend?days=1")).find("QUERY_UNEXPECTED") == 0);
  CHECK(mistake(encode("GET", "/v1/books", "{}")).find("BODY_UNEXPECTED") == 0);
  CHECK(mistake(encode("PUT", "/v1/books/b?book.title=x")).find("FIELD_MISPLACED") == 0);
  CHECK(mistake(encode("PUT", "/v1/books/b?id=x")).find("FIELD_MISPLACED") == 0);
  CHECK(mistake(encode("GET", "/v1/shelves/a/1/books?shelf.room=b")).find("FIELD_MISPLACED") == 0);
  CHECK(find("page_size=1&pageSize=2").find("FIELD_REPEATED") == 0);
  CHECK(find("offset=0&offset=0").find("FIELD_REPEATED") == 0);
  CHECK(find("member=a&guest=1").find("FIELD_REPEATED") == 0);
}

#ifndef __SANITIZE_THREAD__  // it has a map; see plain_json_test.cpp
TEST_CASE("a reply is JSON with its plain fields, or one field of it") {
  const auto reply = [](const std::string& verb, const std::string& path,
                        const google::protobuf::Message& message) {
    PathVariables variables;
    const auto* route = routes().find(verb, path, variables);
    REQUIRE(route != nullptr);
    return route->transcoder.reply(message.SerializeAsString()).value();
  };
  v1::Loan loan;
  CHECK(reply("POST", "/v1/books/b:lend", loan) ==
        R"({"book":"","days":"0","extended":false,"notes":{}})");
  loan.set_book("b\"\xC3\xA9");
  loan.set_days(9'007'199'254'740'993);
  loan.mutable_until()->set_seconds(1'709'208'000);
  (*loan.mutable_notes())["n"] = 1;
  CHECK(reply("POST", "/v1/books/b:lend", loan) ==
        "{\"book\":\"b\\\"\xC3\xA9\",\"days\":\"9007199254740993\",\"extended\":false,"
        "\"until\":\"2024-02-29T12:00:00Z\",\"notes\":{\"n\":1}}");

  v1::Books books;
  CHECK(reply("GET", "/v1/books", books) == "[]");
  CHECK(reply("GET", "/v1/books:count", books) == "\"0\"");
  books.set_total(2);
  books.add_books()->set_id("1");
  books.add_books()->set_genre(v1::NOVEL);
  CHECK(
      reply("GET", "/v1/books", books) ==
      R"([{"id":"1","title":"","genre":"GENRE_UNSPECIFIED"},{"id":"","title":"","genre":"NOVEL"}])");
  CHECK(reply("GET", "/v1/books:count", books) == "\"2\"");

  v1::Book book;
  CHECK(reply("PATCH", "/v1/any/b", book) == "null");
  book.mutable_shelf()->set_room("r");
  CHECK(reply("PATCH", "/v1/any/b", book) == R"({"room":"r","number":0})");
}
#endif

TEST_CASE("a reply that is not its message is an error") {
  PathVariables variables;
  for (const auto* path : {"/v1/books", "/v1/shelves/a/1/books"}) {
    const auto* route = routes().find("GET", path, variables);
    REQUIRE(route != nullptr);
    const auto json = route->transcoder.reply("\xFF\xFF");
    REQUIRE_FALSE(json);
    CHECK(json.error().reason == "REPLY_MALFORMED");
  }
}

TEST_CASE("an error quotes the beginning of a long value, cut between characters") {
  std::string word;
  for (int i = 0; i < 1000; ++i) word += "x\xC3\xA9";
  CHECK(mistake_of_lend("{\"days\":\"" + word + "\"}").size() < 200);
  CHECK(mistake_of_lend("{\"" + word + "\":1}").size() < 200);
  const auto text = find("page_size=" + word);
  CHECK(text.size() < 200);
  CHECK(is_utf8(text));
  CHECK(find(word + "=1").size() < 300);
}

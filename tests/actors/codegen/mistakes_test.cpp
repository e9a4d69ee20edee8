// Every mistake that a contract can hold gives one line with its place and what to write.
#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "tests/actors/codegen/contract_text.hpp"

namespace {

constexpr std::string_view good = R"(syntax = "proto3";
package shop.v1;
import "google/api/annotations.proto";
import "troupe/options.proto";

service Orders {
  option (troupe.service) = { kind: ENTITY state: "Order" event: "Event" };
  rpc Add(AddRequest) returns (Order) {
    option (google.api.http) = { post: "/v1/orders/{id}:add" body: "*" };
  }
  rpc Get(GetRequest) returns (Order) {
    option (troupe.method) = { read_only: true };
    option (google.api.http) = { get: "/v1/orders/{id}" };
  }
}
message AddRequest {
  string id = 1 [(troupe.field) = { key: true }];
  Item item = 2;
  repeated Item items = 3;
}
message GetRequest { string id = 1 [(troupe.field) = { key: true }]; int32 version = 2; }
message Item { string sku = 1; int32 count = 2; Item parent = 3; }
message Order { repeated Item items = 1; }
message Event {
  oneof event {
    Item added = 1;
  }
}
enum Colour { NONE = 0; }
)";

std::string changed(std::string_view from, std::string_view to, std::string_view text = good) {
  std::string result{text};
  const auto at = result.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  REQUIRE_MESSAGE(result.find(from, at + 1) == std::string::npos, from);
  return result.replace(at, from.size(), to);
}

// The contract has this mistake and no other.
void check_mistake(const std::string& contract, std::string_view place, std::string_view text) {
  const auto lines = mistakes_of(contract);
  std::string all;
  for (const auto& line : lines) all += line + "\n";
  CHECK_MESSAGE(lines.size() == 1, all);
  CHECK_MESSAGE(all.starts_with("x.proto:" + std::string{place} + ": "), all);
  CHECK_MESSAGE(all.find(text) != std::string::npos, all);
}

constexpr std::string_view service_option =
    R"(option (troupe.service) = { kind: ENTITY state: "Order" event: "Event" };)";
constexpr std::string_view get_option = R"(option (google.api.http) = { get: "/v1/orders/{id}" };)";
constexpr std::string_view add_option =
    R"(option (google.api.http) = { post: "/v1/orders/{id}:add" body: "*" };)";
constexpr std::string_view add_key =
    "message AddRequest {\n  string id = 1 [(troupe.field) = { key: true }];";

}  // namespace

TEST_CASE("a good contract has no mistakes") {
  CHECK(mistakes_of(std::string{good}) == Lines{});
}

TEST_CASE("a file without services may be anything") {
  CHECK(mistakes_of("syntax = \"proto2\"; message M { extensions 4 to 8; }") == Lines{});
}

TEST_CASE("a package ends in its version") {
  check_mistake(changed("shop.v1", "shop"), "2:1", "write \"package shop.v1;\"");
  check_mistake(changed("package shop.v1;", ""), "1:1", "package <context>.v1;");
  for (const auto* package : {"v1", "shop.v", "shop.v0", "shop.v1x", "shop.w1"})
    check_mistake(changed("shop.v1", package), "2:1", "does not end in its version");
  CHECK(mistakes_of(changed("shop.v1", "a.shop.v12")) == Lines{});
}

TEST_CASE("a service says its kind, its state and its events") {
  check_mistake(changed(service_option, ""), "6:1",
                "write option (troupe.service) = { kind: ENTITY");
  check_mistake(changed("kind: ENTITY ", ""), "7:3", "does not say what it is");
  check_mistake(changed("kind: ENTITY", "kind: WORKFLOW"), "7:3", "kind WORKFLOW cannot be");
  check_mistake(changed("state: \"Order\"", ""), "7:3", "write state: \"<message>\"");
  check_mistake(changed("event: \"Event\"", ""), "7:3", "write event: \"<message>\"");
  check_mistake(changed("\"Order\"", "\"Ordr\""), "7:3", "state \"Ordr\" is no message");
  check_mistake(changed("\"Order\"", "\"Colour\""), "7:3", "state \"Colour\" is not a message");
  check_mistake(changed("\"Order\"", "\".Order\""), "7:3", "state \".Order\" is no message");
  check_mistake(changed("\"Event\"", "\"shop.v2.Event\""), "7:3", "is no message");
  check_mistake(changed("\"Order\"", "\"Event\""), "7:3", "the same message");
  for (const auto* name : {"\"v1.Order\"", "\"shop.v1.Order\"", "\".shop.v1.Order\""})
    CHECK(mistakes_of(changed("\"Order\"", name)) == Lines{});
}

TEST_CASE("an event message is one oneof of different messages") {
  check_mistake(changed("  oneof event {\n    Item added = 1;\n  }", "  Item added = 1;"), "24:1",
                "has 0 oneofs");
  check_mistake(changed("Item added = 1;\n  }", "Item added = 1;\n  }\n  oneof b { Order o = 2; }"),
                "24:1", "has 2 oneofs");
  check_mistake(changed("Item added = 1;\n  }", "Item added = 1;\n  }\n  int64 at = 2;"), "28:3",
                "\"at\" of an event message stands outside its oneof");
  check_mistake(changed("Item added = 1;\n  }", "Item added = 1;\n  }\n  optional int64 at = 2;"),
                "28:3", "stands outside its oneof");
  check_mistake(changed("Item added = 1;", "Item added = 1;\n    string note = 2;"), "27:5",
                "the event \"note\" is a string");
  check_mistake(changed("Item added = 1;", "Item added = 1;\n    Item again = 2;"), "27:5",
                "another member has the type \"Item\"");
}

TEST_CASE("every request names its entity by one string") {
  check_mistake(changed(add_key, "message AddRequest {\n  string id = 1;"), "8:3",
                "\"AddRequest\" of rpc \"Add\" does not say which entity");
  check_mistake(
      changed(add_key, "message AddRequest {\n  bytes id = 1 [(troupe.field).key = true];"), "17:3",
      "the key field \"id\" is a bytes; a key is one string: write string id = 1");
  check_mistake(changed("  Item item = 2;", "  string two = 2 [(troupe.field).key = true];"),
                "18:3", "more than one key field");
  check_mistake(
      changed(add_key,
              "message AddRequest {\n  oneof o { string id = 1 [(troupe.field).key = true]; }"),
      "17:13", "stands in a oneof");
  CHECK(mistakes_of(changed(add_key,
                            "message AddRequest {\n  optional string id = 1 "
                            "[(troupe.field).key = true];")) == Lines{});
}

TEST_CASE("a repeated key is refused, with the path that uses it") {
  const auto lines = mistakes_of(changed(
      add_key, "message AddRequest {\n  repeated string id = 1 [(troupe.field).key = true];"));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].starts_with("x.proto:17:3: the key field \"id\" is a repeated string"));
  CHECK(lines[1].starts_with("x.proto:9:5: POST /v1/orders/{id}:add: the variable {id} is a rep"));
}

TEST_CASE("a wrong key of a request that two rpcs share is told once") {
  check_mistake(
      changed(
          "  rpc Get(", "  rpc Put(AddRequest) returns (Order);\n  rpc Get(",
          changed(add_key, "message AddRequest {\n  int32 id = 1 [(troupe.field).key = true];")),
      "18:3", "is a int32");
}

TEST_CASE("stale_ok is for reads, and entities do not stream") {
  check_mistake(changed(add_option, "option (troupe.method).stale_ok = true;"), "9:5",
                "stale_ok is for methods that only read");
  check_mistake(changed("rpc Add(AddRequest)", "rpc Add(stream AddRequest)"), "8:3",
                "remove \"stream\"");
  check_mistake(
      changed("rpc Add(AddRequest) returns (Order)", "rpc Add(AddRequest) returns (stream Order)"),
      "8:3", "\"Add\" streams");
}

TEST_CASE("names do not collide with those of the generated classes") {
  check_mistake(changed("rpc Add(", "rpc add("), "8:3", "begins with a capital letter");
  for (const auto* name : {"Effects", "State", "Result", "OrdersEntity", "OrdersRef"})
    check_mistake(changed("rpc Add(", "rpc " + std::string{name} + "("), "8:3",
                  "is a name of the generated class");
  check_mistake(changed("enum Colour", "message OrdersRef {}\nenum Colour"), "6:1",
                "the class \"OrdersRef\" is generated");
  check_mistake(changed("enum Colour", "enum OrdersEntity"), "6:1", "\"OrdersEntity\"");
}

TEST_CASE("a service has a method, and its file a message") {
  const auto lines = mistakes_of(
      "syntax = \"proto3\"; package a.v1; import \"troupe/options.proto\";\n"
      "service S { option (troupe.service) = { kind: ENTITY state: \"X\" event: \"Y\" }; }");
  REQUIRE(lines.size() == 4);
  CHECK(lines[2].starts_with("x.proto:2:1: the file of a service defines at least one message"));
  CHECK(lines[3].starts_with("x.proto:2:1: the service \"S\" has no rpc"));
}

TEST_CASE("GET reads, and a read can be had by GET") {
  check_mistake(changed("    option (troupe.method) = { read_only: true };\n", ""), "12:5",
                "GET /v1/orders/{id} leads to a command");
  check_mistake(changed(get_option, R"(option (google.api.http) = { post: "/v1/orders/{id}" };)"),
                "13:5", "POST /v1/orders/{id} leads to a read_only method: write get");
  CHECK(mistakes_of(changed(get_option,
                            R"(option (google.api.http) = { post: "/v1/o" body: "*"
                               additional_bindings { get: "/v1/orders/{id}" } };)")) == Lines{});
  check_mistake(changed("  repeated Item items = 3;\n", "",
                        changed(add_option, R"(option (google.api.http) = { post: "/v1/a" body: "*"
                                additional_bindings { get: "/v1/b/{id}" } };)")),
                "9:5", "GET /v1/b/{id} leads to a command");
}

TEST_CASE("an HTTP rule that cannot be read is named") {
  const auto add = [](std::string_view rule) {
    return changed(add_option, "option (google.api.http) = { " + std::string{rule} + " };");
  };
  check_mistake(add("body: \"*\""), "9:5", "the rule has no path");
  check_mistake(add("custom { kind: \"HEAD\" path: \"/v1\" }"), "9:5", "custom HTTP methods");
  check_mistake(add("post: \"v1\" body: \"*\""), "9:5", "a path template begins with \"/\"");
  check_mistake(add("post: \"/v1/{id\" body: \"*\""), "9:5", "character 8: close the variable {id");
  check_mistake(add("delete: \"/v1/{id}\" body: \"*\""), "9:5", "DELETE cannot have");
  check_mistake(add("selector: \"x\" post: \"/v1/{id}\" body: \"*\""), "9:5",
                "remove the selector");
  check_mistake(add("post: \"/v1/{id}\" body: \"*\" additional_bindings { post: \"/v2/{id}\" body: "
                    "\"*\" additional_bindings { post: \"/v3/{id}\" body: \"*\" } }"),
                "9:5", "side by side");
}

TEST_CASE("path, body and query fit the request") {
  const auto add = [](std::string_view rule) {
    return changed(add_option, "option (google.api.http) = { " + std::string{rule} + " };");
  };
  check_mistake(add("post: \"/v1/{no}\" body: \"*\""), "9:5",
                "the variable {no} is not a field of \"AddRequest\"");
  check_mistake(add("post: \"/v1/{id.x}\" body: \"*\""), "9:5", "{id.x} is not a field");
  check_mistake(add("post: \"/v1/{item.no}\" body: \"*\""), "9:5", "{item.no} is not a field");
  check_mistake(add("post: \"/v1/{item}\" body: \"*\""), "9:5", "a path holds one plain value");
  check_mistake(add("post: \"/v1/{items.sku}\" body: \"*\""), "9:5",
                "a path holds one plain value");
  check_mistake(add("post: \"/v1/{item.count=a/*}\" body: \"*\""), "9:5",
                "only a string can hold them");
  CHECK(mistakes_of(add("post: \"/v1/{id=a/*}/{item.count}/{item.parent.sku}\" body: \"*\"")) ==
        Lines{});
  check_mistake(add("post: \"/v1/{id}\" body: \"no\""), "9:5",
                "body \"no\" is not a message field");
  check_mistake(add("post: \"/v1/{id}\" body: \"*\" response_body: \"no\""), "9:5",
                "response_body \"no\" is not a field of \"Order\"");
  CHECK(mistakes_of(add("post: \"/v1/{id}\" body: \"*\" response_body: \"items\"")) == Lines{});
  check_mistake(add("post: \"/v1/{id}\""), "9:5",
                "\"shop.v1.AddRequest.items\" is a repeated message or a map");
  CHECK(mistakes_of(changed("  repeated Item items = 3;\n", "",
                            add("post: \"/v1/{id}\" body: \"item\""))) == Lines{});
  check_mistake(changed("  repeated Item items = 3;\n", "",
                        add("post: \"/v1/{id}/{item.sku}\" body: \"item\"")),
                "9:5", "lies in the field \"item\", which is the body");
}

TEST_CASE("two rules of a file never match the same path") {
  check_mistake(changed("get: \"/v1/orders/{id}\"",
                        "get: \"/v1/orders/{id}\" additional_bindings { get: \"/v1/{id=*/a}\" }"),
                "13:5",
                "GET /v1/{id=*/a} matches paths that GET /v1/orders/{id} of rpc \"Get\" "
                "(x.proto:13:5) matches, too");
  const std::string second = R"(
service Others {
  option (troupe.service) = { kind: ENTITY state: "Order" event: "Event" };
  rpc Find(GetRequest) returns (Order) {
    option (troupe.method).read_only = true;
    option (google.api.http).get = "/v1/orders/{id}:VERB";
  }
}
enum Colour)";
  check_mistake(changed("enum Colour", changed(":VERB", "", second)), "34:5", "of rpc \"Get\"");
  CHECK(mistakes_of(changed("enum Colour", changed("VERB", "find", second))) == Lines{});
  // The same path under another HTTP method is another route.
  CHECK(mistakes_of(changed("enum Colour", changed("VERB", "add", second))) == Lines{});
}

TEST_CASE("one run tells every mistake") {
  const auto lines = mistakes_of(changed(
      "\"Order\"", "\"A\"", changed("\"Event\"", "\"B\"", changed("shop.v1", "shop", good))));
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].starts_with("x.proto:2:1: "));
  CHECK(lines[1].starts_with("x.proto:7:3: state \"A\""));
  CHECK(lines[2].starts_with("x.proto:7:3: event \"B\""));
}

TEST_CASE("protoc ends with the list of mistakes and writes no file") {
  std::string pattern = std::filesystem::temp_directory_path() / "troupe-codegen-XXXXXX";
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  const std::filesystem::path folder = pattern;
  const auto run = [&](const std::string& contract, const std::string& out) {
    std::ofstream{folder / "x.proto"} << contract;
    const auto command = std::string{PROTOC} + " --plugin=protoc-gen-troupe=" PLUGIN +
                         " -I" TROUPE_CONTRACTS " -I" + folder.string() + " --troupe_out=" + out +
                         folder.string() + " " + (folder / "x.proto").string() + " 2>&1";
    std::string output;
    auto* pipe = popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::array<char, 4096> buffer{};
    while (const auto size = std::fread(buffer.data(), 1, buffer.size(), pipe))
      output.append(buffer.data(), size);
    return std::pair{pclose(pipe), output};
  };
  const auto [status, output] = run(changed("shop.v1", "shop"), "");
  CHECK(status != 0);
  CHECK_MESSAGE(output.find("\nx.proto:2:1: the package \"shop\"") != std::string::npos, output);
  CHECK_FALSE(std::filesystem::exists(folder / "x.troupe.hpp"));

  const auto [with_parameter, message] = run(std::string{good}, "lite:");
  CHECK(with_parameter != 0);
  CHECK_MESSAGE(message.find("takes no parameter") != std::string::npos, message);

  const auto [good_status, nothing] = run(std::string{good}, "");
  CHECK(good_status == 0);
  CHECK(nothing.empty());
  CHECK(std::filesystem::exists(folder / "x.troupe.hpp"));
  CHECK(std::filesystem::exists(folder / "x.troupe.cpp"));
  std::filesystem::remove_all(folder);
}

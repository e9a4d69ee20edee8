#include "runtime/telemetry/log_format.hpp"

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <limits>

#include "runtime/telemetry/utf8.hpp"

using namespace troupe;
using namespace troupe::runtime;
namespace json = boost::json;

namespace {

WallTime at(std::int64_t milliseconds) {
  return WallTime{std::chrono::milliseconds{milliseconds}};
}

LogRecord record() {
  return {at(1'714'564'800'123),
          LogLevel::warn,
          "node-1",
          "shard.restarted",
          "a shard was restarted",
          {{"shard", "banking.v1.Accounts/2"}, {"restarts", 3}},
          "4bf92f3577b34da6a3ce929d0e0e4736"};
}

std::string text_of_message(std::string message) {
  auto one = record();
  one.message = std::move(message);
  one.fields.clear();
  one.trace.clear();
  return format_text(one, false);
}

}  // namespace

TEST_CASE("times are RFC 3339 in UTC with milliseconds") {
  CHECK(to_string(at(0)) == "1970-01-01T00:00:00.000Z");
  CHECK(to_string(at(1'709'251'199'999)) == "2024-02-29T23:59:59.999Z");
  CHECK(to_string(at(-1)) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("a record is one line of text") {
  CHECK(format_text(record(), false) ==
        "2024-05-01T12:00:00.123Z WARN  node-1 shard.restarted: a shard was restarted "
        "shard=banking.v1.Accounts/2 restarts=3 trace=4bf92f3577b34da6a3ce929d0e0e4736");
  CHECK(format_text(record(), true).find("\x1b[33mWARN \x1b[0m node-1") != std::string::npos);
  auto bare = record();
  bare.node.clear();
  bare.fields.clear();
  bare.trace.clear();
  bare.level = LogLevel::error;
  CHECK(format_text(bare, false) ==
        "2024-05-01T12:00:00.123Z ERROR shard.restarted: a shard was restarted");
}

TEST_CASE("text that would break the line or move the cursor is escaped") {
  CHECK(text_of_message("a\nb\r\tc").ends_with(": a\\nb\\u000d\\tc"));
  CHECK(text_of_message("\x1b[2J").ends_with(": \\u001b[2J"));
  CHECK(text_of_message("\xc2\x9b"
                        "2J")
            .ends_with(": \\u009b2J"));
  CHECK(text_of_message("\xe2\x80\xa8").ends_with(": \\u2028"));
  CHECK(text_of_message("\xff\xc3").ends_with(": \\xff\\xc3"));
  CHECK(text_of_message(std::string{"\0", 1}).ends_with(": \\u0000"));
  CHECK(text_of_message("Grüße 🎭").ends_with(": Grüße 🎭"));
}

TEST_CASE("values that would be read back otherwise are quoted") {
  auto one = record();
  one.trace.clear();
  one.fields = {{"empty", ""},    {"blank", "a b"}, {"quote", "a\"b\\"}, {"equals", "a=b"},
                {"line", "a\nb"}, {"truth", true},  {"half", 0.5},       {"greek", "α"}};
  const auto line = format_text(one, false);
  CHECK(line.ends_with(R"( empty="" blank="a b" quote="a\"b\\" equals="a=b" line="a\nb")"
                       R"( truth=true half=0.500000 greek="α")"));
}

TEST_CASE("a record is one JSON object that any parser reads back") {
  auto one = record();
  one.message = "line\nbreak \"quoted\" back\\slash \x01 tab\t ü 🎭";
  one.fields.push_back({"odd \"name\"", "x"});
  one.fields.push_back({"share", 0.25});
  one.fields.push_back({"below", -7});
  one.fields.push_back({"big", std::numeric_limits<std::uint64_t>::max()});
  one.fields.push_back({"fine", true});
  const auto line = format_json(one);
  CHECK(line.find('\n') == std::string::npos);
  const auto object = json::parse(line).as_object();
  CHECK(object.at("time").as_string() == "2024-05-01T12:00:00.123Z");
  CHECK(object.at("level").as_string() == "warn");
  CHECK(object.at("node").as_string() == "node-1");
  CHECK(object.at("event").as_string() == "shard.restarted");
  CHECK(object.at("message").as_string() == one.message.c_str());
  CHECK(object.at("trace").as_string() == "4bf92f3577b34da6a3ce929d0e0e4736");
  const auto& fields = object.at("fields").as_object();
  CHECK(fields.at("shard").as_string() == "banking.v1.Accounts/2");
  CHECK(fields.at("restarts").as_int64() == 3);
  CHECK(fields.at("odd \"name\"").as_string() == "x");
  CHECK(fields.at("share").as_double() == 0.25);
  CHECK(fields.at("below").as_int64() == -7);
  CHECK(fields.at("big").as_uint64() == std::numeric_limits<std::uint64_t>::max());
  CHECK(fields.at("fine").as_bool());
}

TEST_CASE("JSON leaves out what is empty") {
  auto one = record();
  one.node.clear();
  one.fields.clear();
  one.trace.clear();
  CHECK(format_json(one) ==
        R"({"time":"2024-05-01T12:00:00.123Z","level":"warn","event":"shard.restarted",)"
        R"("message":"a shard was restarted"})");
}

TEST_CASE("numbers that JSON has no form for become strings") {
  auto one = record();
  const double infinite = std::numeric_limits<double>::infinity();
  one.fields = {{"a", infinite}, {"b", -infinite}, {"c", std::numeric_limits<double>::quiet_NaN()}};
  const auto object = json::parse(format_json(one)).as_object();
  for (const auto& field : object.at("fields").as_object()) CHECK(field.value().is_string());
}

TEST_CASE("every byte in a message gives valid JSON, and what is not UTF-8 is replaced") {
  for (int byte = 0; byte < 256; ++byte) {
    auto one = record();
    one.message = std::string{"x"} + static_cast<char>(byte) + "y";
    const auto message = json::parse(format_json(one)).as_object().at("message").as_string();
    const std::string expected = byte < 0x80 ? one.message : "x\xef\xbf\xbdy";
    CHECK(std::string{message.data(), message.size()} == expected);
  }
}

TEST_CASE("UTF-8 is read strictly") {
  const auto code_point = [](std::string_view text) -> std::int64_t {
    const auto piece = first_utf8(text);
    return piece.valid && piece.size == text.size() ? piece.code_point : -1;
  };
  CHECK(code_point("a") == 'a');
  CHECK(code_point("\xc2\x80") == 0x80);
  CHECK(code_point("\xdf\xbf") == 0x7ff);
  CHECK(code_point("\xe0\xa0\x80") == 0x800);
  CHECK(code_point("\xef\xbf\xbf") == 0xffff);
  CHECK(code_point("\xf0\x90\x80\x80") == 0x10000);
  CHECK(code_point("\xf4\x8f\xbf\xbf") == 0x10ffff);
  for (const char* wrong : {"\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
                            "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80",
                            "\xbf", "\xc3", "\xe2\x82", "\xf0\x9f\x8e", "\xc3(", "\xff"}) {
    CHECK_FALSE(first_utf8(wrong).valid);
    CHECK(first_utf8(wrong).size == 1);
  }
}

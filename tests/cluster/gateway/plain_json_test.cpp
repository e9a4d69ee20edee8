// What is read and written without Protobuf's own code is what that would have said.
#include "cluster/gateway/plain_json.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/util/json_util.h>

#include <cstdint>
#include <random>

#include "cluster/gateway/json.hpp"
#include "library.pb.h"

using namespace troupe::cluster;
namespace v1 = gateway_test::v1;
namespace pb = google::protobuf;

namespace {

std::string by_protobuf(const pb::Message& message, bool defaults) {
  pb::util::JsonPrintOptions options;
  options.always_print_primitive_fields = defaults;
  std::string json;
  CHECK(pb::util::MessageToJsonString(message, &json, options).ok());
  return json;
}

std::string by_us(const pb::Message& message, bool defaults) {
  return *message_to_json(message, defaults ? JsonFields::with_defaults : JsonFields::present);
}

// Both refuse it, or both read the same.
template <class Message>
void check_same_reading(const std::string& json) {
  CAPTURE(json);
  Message theirs;
  Message ours;
  const bool valid = pb::util::JsonStringToMessage(json, &theirs).ok();
  REQUIRE(json_to_message(json, ours).has_value() == valid);
  if (valid) CHECK(ours.SerializeAsString() == theirs.SerializeAsString());
}

class Samples {
 public:
  std::uint64_t below(std::uint64_t end) { return random_() % end; }

  std::string text() {
    std::string text(below(6), 'x');
    for (auto& c : text) c = static_cast<char>(below(20) == 0 ? below(128) : 'a' + below(26));
    return text;
  }

  v1::Sample sample(int depth = 0) {
    v1::Sample made;
    const auto some = [&] { return below(2) == 0; };
    if (some()) made.set_text(text());
    if (some()) made.set_big(random_());
    if (some()) made.set_small(static_cast<std::int32_t>(random_()));
    if (some()) made.set_fixed(below(3));
    if (some()) made.set_maybe(text());
    if (some()) made.set_under_score(text());
    if (some()) made.set_other(text());
    if (some()) made.set_one(text());
    if (some()) made.set_two(static_cast<std::uint32_t>(below(2)));
    if (below(10) == 0) made.set_raw(text());
    if (below(10) == 0) made.set_half(0.5F);
    if (below(30) == 0) made.add_genres(static_cast<v1::Genre>(9));  // not known
    for (auto i = below(3); i > 0; --i) made.add_flags(some());
    for (auto i = below(3); i > 0; --i) made.add_words(text());
    for (auto i = below(3); i > 0; --i) made.add_genres(static_cast<v1::Genre>(below(3)));
    for (auto i = below(3); i > 0; --i) made.add_numbers(static_cast<std::int64_t>(random_()));
    if (depth < 3 && some()) *made.mutable_inner() = sample(depth + 1);
    for (auto i = depth < 3 ? below(3) : 0; i > 0; --i) *made.add_many() = sample(depth + 1);
    return made;
  }

  // One byte is taken away, or another one put in its place or before it.
  std::string spoilt(std::string json) {
    constexpr std::string_view bytes = "{}[]\":,.-+eE019 \n\\/ntuaX<\x7f";
    const auto at = below(json.size());
    const auto byte = bytes[below(bytes.size())];
    switch (below(3)) {
      case 0:
        return json.erase(at, 1);
      case 1:
        json[at] = byte;
        return json;
      default:
        return json.insert(at, 1, byte);
    }
  }

 private:
  std::mt19937_64 random_{20261126};
};

}  // namespace

TEST_CASE("every message is written as Protobuf writes it") {
  Samples samples;
  int plain = 0;
  for (int i = 0; i < 400; ++i) {
    const auto sample = samples.sample();
    plain += write_plain_json(sample, true) ? 1 : 0;
    for (const bool defaults : {false, true})
      CHECK(by_us(sample, defaults) == by_protobuf(sample, defaults));
  }
  CHECK(plain > 20);
  CHECK(plain < 350);
}

TEST_CASE("every character is written as Protobuf writes it") {
  for (int c = 0; c < 128; ++c) {
    v1::Line line;
    line.set_text(std::string(1, static_cast<char>(c)));
    CHECK(by_us(line, true) == by_protobuf(line, true));
  }
}

TEST_CASE("every JSON is read as Protobuf reads it, and refused when that refuses it") {
  Samples samples;
  int plain = 0;
  for (int i = 0; i < 400; ++i) {
    const auto json = by_protobuf(samples.sample(), i % 2 == 0);
    v1::Sample message;
    plain += read_plain_json(json, message) ? 1 : 0;
    check_same_reading<v1::Sample>(json);
    for (int j = 0; j < 10; ++j) check_same_reading<v1::Sample>(samples.spoilt(json));
  }
  CHECK(plain > 20);
  CHECK(plain < 350);
}

TEST_CASE("odd JSON is read as Protobuf reads it") {
  for (const auto* json : {"",
                           " ",
                           "{",
                           "{}",
                           " { } ",
                           "[]",
                           "null",
                           "{} {}",
                           "{},",
                           R"({"text":"a"}x)",
                           R"({"text":"a","text":"b"})",
                           R"({"under_score":"a"})",
                           R"({"underScore":"a"})",
                           R"({"underScore":"a","under_score":"b"})",
                           R"({"renamed":"a"})",
                           R"({"other":"a"})",
                           R"({"text":null})",
                           R"({"inner":null})",
                           R"({"inner":{}})",
                           R"({"inner":{},"inner":{}})",
                           R"({"one":"a","two":1})",
                           R"({"one":"","two":0})",
                           R"({"two":0})",
                           R"({"maybe":""})",
                           R"({"big":"18446744073709551615"})",
                           R"({"big":18446744073709551615})",
                           R"({"big":"18446744073709551616"})",
                           R"({"big":-1})",
                           R"({"big":1.0})",
                           R"({"big":1e2})",
                           R"({"big":01})",
                           R"({"big":"01"})",
                           R"({"big":" 1"})",
                           R"({"big":"1 "})",
                           R"({"big":+1})",
                           R"({"small":-0})",
                           R"({"small":"-0"})",
                           R"({"small":2147483647})",
                           R"({"small":2147483648})",
                           R"({"small":-2147483648})",
                           R"({"small":""})",
                           R"({"flags":[true,false]})",
                           R"({"flags":[]})",
                           R"({"flags":true})",
                           R"({"flags":[null]})",
                           R"({"flags":["true"]})",
                           R"({"flags":[true,]})",
                           R"({"flags":[truefalse]})",
                           R"({"flags":[[true]]})",
                           R"({"genres":["NOVEL",2,"novel","9"]})",
                           R"({"genres":["X"]})",
                           R"({"text":5})",
                           R"({"text":"ä"})",
                           R"({"text":"\u0041"})",
                           R"({text:"a"})",
                           R"({'text':'a'})",
                           R"({"text":"a",})",
                           R"({"nothing":1})",
                           R"({"inner":{"nothing":1}})",
                           R"({"raw":"YQ=="})",
                           R"({"raw":""})",
                           R"({"half":0})",
                           R"({"half":"0.5"})",
                           R"({"inner":[]})",
                           R"({"many":{}})",
                           R"({"many":[{},{"text":"a"}]})",
                           "{\"text\":\"a\tb\"}",
                           R"({"@type":"a"})",
                           R"({"numbers":[1,"2",-3]})",
                           R"({"numbers":"1"})"})
    check_same_reading<v1::Sample>(json);
  std::string deep = "{}";
  for (int i = 0; i < 60; ++i) {
    check_same_reading<v1::Sample>(deep);
    deep = R"({"inner":)" + deep + '}';
  }
  check_same_reading<v1::Loan>(R"({"until":"2026-11-26T00:00:00Z","notes":{"a":1}})");
  check_same_reading<v1::FindRequest>(R"({"price":1.5,"lent":true,"tags":{},"offset":"-3"})");
}

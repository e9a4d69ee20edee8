// What is read and written without Protobuf's own code is what that would have said: the same
// message, and the same JSON but for characters that need no escape.
#include "cluster/gateway/plain_json.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/util/json_util.h>

#include <cmath>
#include <cstdint>
#include <random>

#include "cluster/gateway/json.hpp"
#include "library.pb.h"
#include "same_json.hpp"

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

void check_same_writing(const pb::Message& message) {
  for (const bool defaults : {false, true}) {
    const auto ours = by_us(message, defaults);
    const auto theirs = by_protobuf(message, defaults);
    CAPTURE(ours);
    CAPTURE(theirs);
    CHECK(troupe::cluster::tests::same_json(ours, theirs));
  }
}

// Both refuse it, or both read the same.
template <class Message>
void check_same_reading(const std::string& json) {
  CAPTURE(json);
  Message theirs;
  Message ours;
  const bool valid = pb::util::JsonStringToMessage(json, &theirs).ok();
  REQUIRE(json_to_message(json, ours).has_value() == valid);
  if (valid) CHECK(serialize_deterministically(ours) == serialize_deterministically(theirs));
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

  double real() { return std::ldexp(static_cast<double>(random_()), static_cast<int>(below(60))); }

  v1::Known known(int depth = 0) {
    v1::Known made;
    const auto some = [&] { return below(3) == 0; };
    if (some()) made.mutable_at()->set_seconds(static_cast<std::int64_t>(below(253'402'300'800)));
    if (some()) made.mutable_at()->set_nanos(static_cast<std::int32_t>(below(1'000'000'000)));
    if (some()) made.mutable_took()->set_nanos(-static_cast<std::int32_t>(below(1'000'000'000)));
    if (some()) made.mutable_mask()->add_paths("a.b_c");
    if (some()) made.mutable_text()->set_value(text());
    if (some()) made.mutable_raw()->set_value(text());
    if (some()) made.mutable_flag()->set_value(some());
    if (some()) made.mutable_small()->set_value(static_cast<std::int32_t>(random_()));
    if (some()) made.mutable_big()->set_value(static_cast<std::int64_t>(random_()));
    if (some()) made.mutable_small_unsigned()->set_value(static_cast<std::uint32_t>(random_()));
    if (some()) made.mutable_big_unsigned()->set_value(random_());
    if (some()) made.mutable_real()->set_value(real());
    if (some()) made.mutable_half()->set_value(static_cast<float>(real()));
    if (some()) made.mutable_empty();
    for (auto i = below(3); i > 0; --i) made.add_times()->set_seconds(-1);
    for (auto i = below(3); i > 0; --i) made.add_counts()->set_value(5);
    for (auto i = below(3); i > 0; --i) made.add_reals(real());
    for (auto i = below(3); i > 0; --i) made.add_halves(static_cast<float>(real()));
    for (auto i = below(3); i > 0; --i) made.add_raws(text());
    for (auto i = below(3); i > 0; --i) (*made.mutable_by_small())[-5 + static_cast<int>(i)] = "x";
    for (auto i = below(3); i > 0; --i) (*made.mutable_by_big())[static_cast<int>(i)] = text();
    for (auto i = below(3); i > 0; --i) (*made.mutable_by_unsigned())[static_cast<unsigned>(i)];
    for (auto i = below(3); i > 0; --i) (*made.mutable_by_big_unsigned())[random_()] = real();
    for (auto i = below(3); i > 0; --i) (*made.mutable_by_flag())[i == 1] = v1::POETRY;
    for (auto i = below(3); i > 0; --i) (*made.mutable_times_by_name())[text()].set_seconds(-2);
    for (auto i = below(3); i > 0; --i) (*made.mutable_texts_by_name())[text()].set_value(text());
    for (auto i = depth < 2 ? below(3) : 0; i > 0; --i)
      (*made.mutable_by_name())[text()] = known(depth + 1);
    if (some()) made.mutable_then()->set_seconds(0);
    if (some()) made.mutable_whether();
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

template <class Message>
void check_reading(Samples& samples, const Message& sample, bool defaults) {
  const auto json = by_protobuf(sample, defaults);
  CAPTURE(json);
  Message message;
  CHECK(read_plain_json(json, message));
  check_same_reading<Message>(json);
  for (int i = 0; i < 10; ++i) check_same_reading<Message>(samples.spoilt(json));
}

}  // namespace

TEST_CASE("every message is written as Protobuf writes it") {
  Samples samples;
  for (int i = 0; i < 200; ++i) {
    const auto sample = samples.sample();
    const auto known = samples.known();
    CHECK(write_plain_json(sample, true).has_value());
    CHECK(write_plain_json(known, false).has_value());
    check_same_writing(sample);
    check_same_writing(known);
  }
}

TEST_CASE("every character is written as Protobuf writes it") {
  for (int c = 0; c < 128; ++c) {
    v1::Line line;
    line.set_text(std::string(1, static_cast<char>(c)));
    check_same_writing(line);
  }
  for (const auto* text : {"\u00e4", "\u20ac", "\U0001f600", "\u2028"}) {
    v1::Line line;
    line.set_text(text);
    check_same_writing(line);
  }
}

TEST_CASE("every JSON is read as Protobuf reads it, and refused when that refuses it") {
  Samples samples;
  for (int i = 0; i < 200; ++i) {
    check_reading(samples, samples.sample(), i % 2 == 0);
    check_reading(samples, samples.known(), i % 2 == 0);
  }
}

TEST_CASE("what has other forms is left to Protobuf") {
  for (const auto* json : {R"({"any":{"@type":"type.googleapis.com/gateway_test.v1.Line"}})",
                           R"({"object":{"a":[1,null]}})", R"({"value":null})", R"({"list":[]})",
                           R"({"real":"1"})", R"({"big":1.0})", R"({"raw":"_-8"})",
                           R"({"took":".5s"})", R"({"mask":"a_b"})", R"({"reals":[null]})"}) {
    CAPTURE(json);
    v1::Known message;
    CHECK_FALSE(read_plain_json(json, message));
    check_same_reading<v1::Known>(json);
  }
  v1::Known message;
  message.mutable_any();
  CHECK_FALSE(write_plain_json(message, false));
  message.Clear();
  message.mutable_at()->set_nanos(-1);
  CHECK_FALSE(write_plain_json(message, false));
  CHECK_FALSE(message_to_json(message));
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
  for (const auto* json : {R"({"at":"2026-11-26T17:00:00.123456789+01:00"})",
                           R"({"at":"2026-02-30T00:00:00Z"})",
                           R"({"at":""})",
                           R"({"took":"1.5s"})",
                           R"({"took":"-0.000000001s"})",
                           R"({"took":"315576000001s"})",
                           R"({"took":"1"})",
                           R"({"mask":"a.bC,d"})",
                           R"({"mask":""})",
                           R"({"mask":"a,,b"})",
                           R"({"mask":"aBC"})",
                           R"({"text":"\u00e4\ud83d\ude00\u0000"})",
                           R"({"text":"\ud83d"})",
                           "{\"text\":\"\xc3\"}",
                           R"({"text":null})",
                           R"({"flag":"true"})",
                           R"({"small":2147483648})",
                           R"({"big":"-9223372036854775808"})",
                           R"({"raw":"YW"})",
                           R"({"raw":"YR=="})",
                           R"({"real":"NaN"})",
                           R"({"real":-0})",
                           R"({"real":-0.0})",
                           R"({"real":9007199254740993})",
                           R"({"real":1e400})",
                           R"({"half":3.5e38})",
                           R"({"half":16777217})",
                           R"({"half":0.1})",
                           R"({"empty":{"a":1}})",
                           R"({"byName":{"a":{},"a":{}}})",
                           R"({"byName":{"a":null}})",
                           R"({"byName":[]})",
                           R"({"bySmall":{"1":"a","01":"b"}})",
                           R"({"bySmall":{"":"a"}})",
                           R"({"byFlag":{"TRUE":1}})",
                           R"({"byFlag":{"true":"NOVEL","false":9}})",
                           R"({"byBig":{"1":"YQ=="},"by_big":{}})",
                           R"({"then":null,"whether":true})",
                           R"({"then":"1970-01-01T00:00:00Z","whether":true})",
                           R"({"textsByName":{"a":null}})",
                           R"({"counts":[1,"2",null]})",
                           R"({"times":[""]})"})
    check_same_reading<v1::Known>(json);
  check_same_reading<v1::Loan>(R"({"until":"2026-11-26T00:00:00Z","notes":{"a":1}})");
  check_same_reading<v1::FindRequest>(R"({"price":1.5,"lent":true,"tags":{},"offset":"-3"})");
}

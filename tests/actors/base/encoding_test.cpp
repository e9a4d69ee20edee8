#include "actors/encoding.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/wrappers.pb.h>

using namespace troupe::actors;

namespace {

std::string reason(const troupe::Result<std::string>& result) {
  return result ? "" : result.error().reason;
}

// {1: text}
std::string field_one(std::string_view text) {
  return encode_member(1, text);
}

}  // namespace

TEST_CASE("the key of a request is found wherever it stands") {
  CHECK(find_key(field_one("alice"), 1, "account") == "alice");
  const auto before = encode_member(2, "x") + "\x18\x05" + std::string("\x25\1\2\3\4", 5) +
                      std::string("\x29\1\2\3\4\5\6\7\0", 9);
  CHECK(find_key(before + field_one("alice") + before, 1, "account") == "alice");
  CHECK(find_key(encode_member(536870911, "bob"), 536870911, "account") == "bob");
}

TEST_CASE("of a key that is sent twice the last one counts, as in Protobuf's parser") {
  CHECK(find_key(field_one("alice") + field_one("bob"), 1, "account") == "bob");
}

TEST_CASE("a missing, long or non-text key is refused with its reason") {
  CHECK(reason(find_key("", 1, "account")) == "KEY_MISSING");
  CHECK(reason(find_key(field_one(""), 1, "account")) == "KEY_MISSING");
  CHECK(reason(find_key(encode_member(2, "x"), 1, "account")) == "KEY_MISSING");
  CHECK(find_key(field_one(std::string(key_bytes_max, 'k')), 1, "account"));
  CHECK(reason(find_key(field_one(std::string(key_bytes_max + 1, 'k')), 1, "account")) ==
        "KEY_TOO_LONG");
  CHECK(reason(find_key(field_one("\xC3\x28"), 1, "account")) == "KEY_NOT_UTF8");
}

TEST_CASE("bytes that are no message are refused") {
  const auto whole = field_one("alice");
  for (std::size_t size = 1; size < whole.size(); ++size)
    CHECK(reason(find_key(whole.substr(0, size), 1, "account")) == "REQUEST_MALFORMED");
  CHECK(reason(find_key("\x07", 1, "account")) == "REQUEST_MALFORMED");  // wire type 7
  CHECK(reason(find_key(std::string(1, '\0'), 1, "account")) == "REQUEST_MALFORMED");  // field 0
  CHECK(reason(find_key("\x0c", 1, "account")) == "REQUEST_MALFORMED");  // end of no group
}

TEST_CASE("a member is encoded as Protobuf does it") {
  google::protobuf::Value value;
  value.mutable_struct_value();
  CHECK(encode_member(5, "") == encode(value));
  value.mutable_list_value()->add_values()->set_string_value(std::string(300, 'x'));
  CHECK(encode_member(6, encode(value.list_value())) == encode(value));
}

TEST_CASE("the deterministic form does not depend on the order in which a map was filled") {
  google::protobuf::Struct up;
  google::protobuf::Struct down;
  for (int i = 0; i < 200; ++i) {
    (*up.mutable_fields())[std::to_string(i)].set_number_value(i);
    (*down.mutable_fields())[std::to_string(199 - i)].set_number_value(199 - i);
  }
  CHECK(encode_deterministic(up) == encode_deterministic(down));
  google::protobuf::Struct back;
  REQUIRE(decode(encode_deterministic(up), back));
  CHECK(back.fields_size() == 200);
}

TEST_CASE("both forms are the same for a message without maps") {
  google::protobuf::StringValue value;
  value.set_value("text");
  CHECK(encode(value) == encode_deterministic(value));
  CHECK(encode(google::protobuf::StringValue{}) == "");
}

TEST_CASE("bytes that are no message do not decode") {
  google::protobuf::StringValue value;
  CHECK_FALSE(
      decode("\x0a\x05"
             "ab",
             value));
  CHECK(decode("", value));
}

#include "actors/message_id.hpp"

#include <doctest/doctest.h>

#include <limits>

using troupe::WallTime;
using troupe::actors::MessageId;

namespace {

// Counts up, or gives one value for ever.
class Numbers final : public troupe::runtime::Random {
 public:
  explicit Numbers(std::uint64_t value) : value_(value) {}
  std::uint64_t next() override { return value_; }

 private:
  std::uint64_t value_;
};

WallTime at_ms(std::int64_t ms) {
  return WallTime{std::chrono::milliseconds{ms}};
}

}  // namespace

TEST_CASE("a new id is a UUID of version 7 whatever the random bits are") {
  for (const std::uint64_t random : {std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max()}) {
    Numbers numbers{random};
    const auto id = MessageId::make(at_ms(0x0123456789AB), numbers);
    CHECK(id.timed);
    CHECK_FALSE(id.client);
    CHECK(id.time_ms() == 0x0123456789AB);
    CHECK((id.high >> 12 & 0xF) == 7);
    CHECK((id.low >> 62) == 2);
  }
}

TEST_CASE("the random bits of a new id are those of the platform") {
  Numbers zeros{0};
  Numbers ones{std::numeric_limits<std::uint64_t>::max()};
  const auto low = MessageId::make(at_ms(1), zeros);
  const auto high = MessageId::make(at_ms(1), ones);
  CHECK((low.high ^ high.high) == 0xFFF);
  CHECK((low.low ^ high.low) == std::numeric_limits<std::uint64_t>::max() >> 2);
}

TEST_CASE("a time outside of 48 bits is clamped, not wrapped") {
  Numbers zeros{0};
  CHECK(MessageId::make(at_ms(-1), zeros).time_ms() == 0);
  CHECK(MessageId::make(at_ms(std::int64_t{1} << 48), zeros).time_ms() ==
        (std::int64_t{1} << 48) - 1);
}

TEST_CASE("a key that is a UUID of version 7 keeps its time") {
  // The example of RFC 9562, appendix A.6: 2022-02-22 19:22:22 UTC.
  const auto id = MessageId::from_key("017F22E2-79B0-7CC3-98C4-DC0C0C07398F");
  CHECK(id.timed);
  CHECK(id.client);
  CHECK(id.time_ms() == 1645557742000);
  CHECK(id.high == 0x017F22E279B07CC3);
  CHECK(id.low == 0x98C4DC0C0C07398F);
  CHECK(MessageId::from_key("017f22e2-79b0-7cc3-98c4-dc0c0c07398f") == id);
}

TEST_CASE("any other key is hashed and says no time") {
  for (const auto* key : {
           "", "order-17",
           "017F22E2-79B0-4CC3-98C4-DC0C0C07398F",   // version 4
           "017F22E2-79B0-7CC3-18C4-DC0C0C07398F",   // another variant
           "017F22E279B07CC398C4DC0C0C07398F",       // no dashes
           "017F22E2-79B0-7CC3-98C4-DC0C0C07398G",   // not hexadecimal
           "017F22E2-79B0-7CC3-98C4-DC0C0C07398F0",  // too long
           "017F22E2079B0-7CC3-98C4-DC0C0C07398F",   // dash replaced
       }) {
    const auto id = MessageId::from_key(key);
    CHECK_FALSE(id.timed);
    CHECK(id.client);
    CHECK(id == MessageId::from_key(key));
    CHECK(id != MessageId::from_key(std::string{key} + "x"));
  }
  // Stored replies are found again by this hash: it must never change. These are the bits of no
  // bytes at all.
  CHECK(MessageId::from_key("").high == 0x99AA06D3014798D8);
  CHECK(MessageId::from_key("").low == 0x6001C324468D497F);
}

#include "actors/message_id.hpp"

#include <xxhash.h>

#include <algorithm>
#include <optional>

namespace troupe::actors {
namespace {

constexpr std::uint64_t version_7 = 0x7000;
constexpr std::uint64_t version_mask = 0xF000;
constexpr std::uint64_t variant = std::uint64_t{1} << 63;
constexpr std::uint64_t variant_mask = std::uint64_t{3} << 62;
constexpr std::int64_t time_max_ms = (std::int64_t{1} << 48) - 1;

std::optional<std::uint64_t> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

// RFC 9562, section 4: 8-4-4-4-12 hexadecimal digits.
std::optional<MessageId> parse_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  MessageId id;
  int digits = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (at == 8 || at == 13 || at == 18 || at == 23) {
      if (text[at] != '-') return std::nullopt;
      continue;
    }
    const auto digit = hex_digit(text[at]);
    if (!digit) return std::nullopt;
    auto& half = digits++ < 16 ? id.high : id.low;
    half = half << 4 | *digit;
  }
  return id;
}

}  // namespace

MessageId MessageId::make(WallTime now, runtime::Random& random) {
  const auto ms = std::clamp<std::int64_t>(now.time_since_epoch().count(), 0, time_max_ms);
  MessageId id;
  id.high = static_cast<std::uint64_t>(ms) << 16 | version_7 | (random.next() >> 52);
  id.low = variant | (random.next() & ~variant_mask);
  id.timed = true;
  return id;
}

MessageId MessageId::from_key(std::string_view key) {
  if (auto id = parse_uuid(key);
      id && (id->high & version_mask) == version_7 && (id->low & variant_mask) == variant) {
    id->timed = true;
    id->client = true;
    return *id;
  }
  const auto hash = XXH3_128bits(key.data(), key.size());
  MessageId id;
  id.high = hash.high64;
  id.low = hash.low64;
  id.client = true;
  return id;
}

}  // namespace troupe::actors
